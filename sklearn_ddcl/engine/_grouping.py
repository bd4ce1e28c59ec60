"""Final clusters of joined prototypes: their order, means, and the labels of all rows."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sklearn_ddcl.engine._inference import nearest
from sklearn_ddcl.engine._joining import JoinedPrototypes
from sklearn_ddcl.engine._labelling import Labelled, label_rows

__all__ = ["Grouped", "group_rows", "number_clusters"]

_ROWS = 8192


class Grouped(NamedTuple):
    """Prototypes in use with their clusters, and what they make of the rows.

    Attributes
    ----------
    prototypes : ndarray of shape (m, d)
        Each nearest to at least one row of positive weight.
    groups : ndarray of shape (m,), int32
        Cluster of each prototype; clusters are numbered by falling weight.
    centers : ndarray of shape (k, d)
        Weighted means of the clusters' rows.
    labels : ndarray of shape (n,), int32
        Cluster of each row.
    inertia : float
        Weighted sum of squared distances to the nearest prototype.
    """

    prototypes: np.ndarray
    groups: np.ndarray
    centers: np.ndarray
    labels: np.ndarray
    inertia: float


def group_rows(
    features: np.ndarray, weight: np.ndarray | None, joined: JoinedPrototypes, device: str
) -> Grouped:
    """Return clusters numbered by falling weight, and label all rows just as ``predict`` will.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Features of all rows.
    weight : ndarray of shape (n,) or None
        Non-negative weights.
    joined : JoinedPrototypes
        Prototypes and their clusters.
    device : str
        Device name or "auto".

    Returns
    -------
    Grouped
        The result.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine._joining import JoinedPrototypes
    >>> p = np.array([[0.0], [1.0], [9.0]])
    >>> joined = JoinedPrototypes(p, np.array([1, 1, 0]), 1.0, {}, {})
    >>> group_rows(np.array([[0.0], [1.0], [8.0]]), None, joined, "cpu").labels
    array([0, 0, 1], dtype=int32)
    """
    known = joined.prototypes.astype(features.dtype)
    found = label_rows(features, weight, known, device)
    origin = nearest(found.prototypes, known, "cpu")
    groups = np.unique(joined.labels[origin], return_inverse=True)[1]
    return number_clusters(found, groups, features, weight)


def number_clusters(
    found: Labelled, groups: np.ndarray, data: Any, weight: np.ndarray | None
) -> Grouped:
    """Give clusters numbers by falling weight, and take the means of their rows.

    Parameters
    ----------
    found : Labelled
        Prototypes in use, and the rows' winners.
    groups : ndarray of shape (m,)
        Cluster of each prototype, consecutive from 0.
    data : ndarray or CSR array of shape (n, d)
        The rows.
    weight : ndarray of shape (n,) or None
        Non-negative weights.

    Returns
    -------
    Grouped
        The clusters.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [8.0], [9.0]])
    >>> found = label_rows(X, None, X, "cpu")
    >>> number_clusters(found, np.array([0, 1, 1]), X, None).labels
    array([1, 0, 0], dtype=int32)
    """
    share = np.ones(data.shape[0]) if weight is None else weight.astype(np.float64)
    mass = np.bincount(groups[found.labels], share, minlength=groups.max() + 1)
    order = np.argsort(-mass, kind="stable")
    rank = np.empty(len(mass), dtype=np.int32)
    rank[order] = np.arange(len(mass), dtype=np.int32)
    clusters = rank[groups]
    labels = clusters[found.labels]
    means = share / mass[order][labels]
    centers = np.zeros((len(mass), data.shape[1]))
    for start in range(0, len(labels), _ROWS):  # a product would make all rows float64 at once
        rows = slice(start, start + _ROWS)
        part = means[rows]
        entries = (part, (labels[rows], np.arange(len(part))))
        sums = sparse.csr_array(entries, shape=(len(mass), len(part))) @ data[rows]
        centers += sums.toarray() if sparse.issparse(sums) else sums
    return Grouped(found.prototypes, clusters, centers.astype(data.dtype), labels, found.inertia)
