"""Streams whose clusters move, appear and vanish."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ddcl.datasets._validation import check_integer, check_number

# When clusters appear and vanish, as shares of the stream.
_APPEAR = (0.2, 0.7)
_VANISH = (0.4, 0.85)


def make_drifting_stream(
    n_samples=20_000,
    *,
    n_clusters=10,
    n_features=8,
    n_late=4,
    speed=12.0,
    separation=3.0,
    random_state=None,
):
    """Draw a stream of Gaussian clusters whose means move, in the order of time.

    Every cluster is a standard normal cloud around a mean that moves in a
    straight line of random direction, at constant speed. Some clusters appear
    when part of the stream is over, others vanish before its end; at any time
    those that are there are equally frequent.

    Parameters
    ----------
    n_samples : int, default=20000
        Number of samples.
    n_clusters : int, default=10
        Number of clusters in all.
    n_features : int, default=8
        Number of features.
    n_late : int, default=4
        How many clusters, those of the highest numbers, appear late: each at a
        random time, when between 20 % and 70 % of the stream are over. As many,
        those of the lowest numbers, vanish early, between 40 % and 85 %. Less
        than half of `n_clusters`, so that at least one is there throughout.
    speed : float, default=12.0
        Distance that a mean moves from the beginning to the end of the stream,
        in standard deviations of a cluster; 0 for clusters at rest.
    separation : float, default=3.0
        Standard deviation, in the same units, of the coordinates of the means
        at the beginning; positive. Clusters may cross each other's way later.
    random_state : int, RandomState instance or None, default=None
        Determines means, directions, times and samples.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), dtype float64
        The samples. Their times are evenly spaced:
        ``numpy.linspace(0, 1, n_samples)`` of the stream.
    y : ndarray of shape (n_samples,), dtype int64
        The cluster of each sample, 0 to `n_clusters` - 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    See Also
    --------
    sklearn.datasets.make_blobs : Clusters at rest.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import make_drifting_stream
    >>> X, y = make_drifting_stream(2_000, random_state=0)
    >>> X.shape
    (2000, 8)
    >>> sorted(set(y[:100].tolist())), sorted(set(y[-100:].tolist()))
    ([0, 1, 2, 3, 4, 5], [4, 5, 6, 7, 8, 9])
    """
    check_integer("n_samples", n_samples, 1)
    check_integer("n_clusters", n_clusters, 1)
    check_integer("n_features", n_features, 1)
    check_integer("n_late", n_late, 0, (n_clusters - 1) // 2)
    check_number("speed", speed, minimum=0)
    check_number("separation", separation, minimum=0, closed=False)
    generator = check_random_state(random_state)
    first = separation * generator.normal(size=(n_clusters, n_features))
    way = generator.normal(size=(n_clusters, n_features))
    way *= speed / np.linalg.norm(way, axis=1, keepdims=True)
    begin, end = np.zeros(n_clusters), np.full(n_clusters, np.inf)
    begin[n_clusters - n_late :] = generator.uniform(*_APPEAR, size=n_late)
    end[:n_late] = generator.uniform(*_VANISH, size=n_late)
    time = np.linspace(0, 1, n_samples)
    y = _draw_present(time, begin, end, generator)
    X = generator.normal(size=(n_samples, n_features))
    X += first[y]
    X += time[:, None] * way[y]
    return X, y


def _draw_present(time, begin, end, generator):
    """Draw for each time one of the clusters that are there, all with one probability."""
    events = np.unique(np.concatenate([begin, end[np.isfinite(end)]]))
    bounds = [*np.searchsorted(time, events), len(time)]
    y = np.empty(len(time), dtype=np.int64)
    # clusters change only at an event
    for event, start, stop in zip(events, bounds[:-1], bounds[1:], strict=True):
        present = np.flatnonzero((begin <= event) & (event < end))
        y[start:stop] = present[generator.randint(len(present), size=stop - start)]
    return y
