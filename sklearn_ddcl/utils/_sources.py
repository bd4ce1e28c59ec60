"""Where batches come from: tables in memory or on disk, and anything that can be iterated."""

import mmap

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing

__all__ = ["is_table", "iterate_batches", "release_pages"]


def is_table(X):
    """Tell samples that can be sliced from a source of batches that can only be iterated.

    Parameters
    ----------
    X : array-like, dataframe or iterable
        Samples or source.

    Returns
    -------
    bool
        Whether the number of samples is known and rows can be picked.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.utils import is_table
    >>> is_table(np.ones((3, 2))), is_table([[1, 2]]), is_table(iter([[1, 2]]))
    (True, True, False)
    """
    if isinstance(X, list | tuple) or sparse.issparse(X) or np.isscalar(X):
        return True
    return any(hasattr(X, name) for name in ("shape", "__array__", "__dataframe__"))


def iterate_batches(X, batch_size):
    """Yield batches of samples.

    Parameters
    ----------
    X : array-like, dataframe or iterable
        A table, of which slices are yielded, a memory-mapped one included; or
        an iterable of batches, of ``(batch, ...)`` pairs, of which the first
        entry is taken, or of single samples of one axis, which are collected.
        A list of arrays of one axis and length is a batch, its rows. What has a
        length and items, but no iterator, such as a torch ``Dataset``, is gone
        through by number.
    batch_size : int
        Rows of a slice, or samples to collect. Batches of an iterable are
        passed on as they are.

    Yields
    ------
    batch : array-like of shape (n, ...)
        The next samples.

    Raises
    ------
    ValueError
        If an iterable yields nothing.
    TypeError
        If X is neither a table nor an iterable.

    Examples
    --------
    >>> from sklearn_ddcl.utils import iterate_batches
    >>> [batch.tolist() for batch in iterate_batches(iter([[1.0], [2.0], [3.0]]), 2)]
    [[[1.0], [2.0]], [[3.0]]]
    """
    if is_table(X):
        table = X if hasattr(X, "shape") else np.asarray(X)
        n_rows = table.shape[0] if len(table.shape) else 1
        for start in range(0, n_rows, batch_size):
            rows = slice(start, min(start + batch_size, n_rows))
            yield _safe_indexing(table, rows) if n_rows > batch_size else table
        return
    samples, empty = [], True
    for item in _items(X):
        empty = False
        batch = _first_of_pair(item)
        if np.ndim(batch) == 1:
            samples.append(np.asarray(batch))
            if len(samples) == batch_size:
                yield np.stack(samples)
                samples = []
            continue
        if samples:
            yield np.stack(samples)
            samples = []
        yield batch
    if samples:
        yield np.stack(samples)
    if empty:
        raise ValueError("X must yield at least one batch of samples, got an empty source.")


def release_pages(X):
    """Give back the memory that a memory-mapped file took while it was read.

    The system counts pages of the file that were touched as the process's own
    until it needs them elsewhere; the file itself stays in its cache.

    Parameters
    ----------
    X : object
        Only a `numpy.memmap` opened with ``mode="r"``, or a slice of one, is
        given back: others may have changes that are nowhere else.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.utils import release_pages
    >>> release_pages(np.ones(3))
    """
    mapped = X._mmap if isinstance(X, np.memmap) and X.mode == "r" else None
    if hasattr(mapped, "madvise") and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        mapped.madvise(mmap.MADV_DONTNEED)


def _items(X):
    if hasattr(X, "__iter__"):
        return iter(X)
    if hasattr(X, "__len__") and hasattr(X, "__getitem__"):
        return (X[number] for number in range(len(X)))
    raise TypeError(f"X must be a table of samples or an iterable of batches. Got {X!r} instead.")


def _first_of_pair(item):
    """Return the samples of ``(samples, labels)``, as loaders of labelled data yield them."""
    if not isinstance(item, list | tuple) or not item:
        return item
    shapes = [getattr(part, "shape", None) for part in item]
    if not shapes[0]:
        return item
    rows = len(shapes[0]) == 1 and len(item) > 1 and all(s == shapes[0] for s in shapes)
    return np.stack(item) if rows else item[0]
