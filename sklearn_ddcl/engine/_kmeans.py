"""k-means of features, by scikit-learn or by faiss, without empty clusters."""

import importlib.util
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

__all__ = ["KMEANS", "Partition", "continue_kmeans", "reassign_empty", "resolve_kmeans"]

_APART = 1e-10  # squared distance on the unit sphere above which rows differ by more than rounding
# from these numbers on faiss is faster, see benchmarks/kmeans_methods.py
_MANY_ROWS, _MANY_CLUSTERS = 20_000, 100
_START_ROWS = 20  # for each cluster; starts from all rows would take longer than faiss itself
_MOST_ITERATIONS, _TOLERANCE = 300, 1e-4


class Partition(NamedTuple):
    """What k-means found.

    Attributes
    ----------
    centers : ndarray of shape (k, d)
        Centres.
    labels : ndarray of shape (n,)
        Cluster of each row.
    inertia : float
        Weighted sum of squared distances of the rows to their centres.
    """

    centers: np.ndarray
    labels: np.ndarray
    inertia: float


Method = Callable[[np.ndarray, np.ndarray | None, int, int, int], Partition]


def resolve_kmeans(name: str) -> Method:
    """Return a k-means by its name.

    Parameters
    ----------
    name : {"auto", "faiss", "sklearn"}
        "auto" is faiss where that is installed and there are at least 20,000
        rows and 100 clusters, else scikit-learn.

    Returns
    -------
    callable
        Takes float32 rows (n, d), their weights (n,) or None, the number of
        clusters (at most n), the number of starts and a seed; returns a
        `Partition`.

    Raises
    ------
    ImportError
        If "faiss" is asked for and not installed.

    Examples
    --------
    >>> import numpy as np
    >>> kmeans = resolve_kmeans("sklearn")
    >>> kmeans(np.array([[0.0], [1.0], [9.0]], dtype=np.float32), None, 2, 3, 0).inertia
    0.5
    """
    return KMEANS[name]()


def _sklearn() -> Method:
    return _fit_sklearn


def _faiss() -> Method:
    try:
        import faiss  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "kmeans='faiss' needs faiss: pip install 'sklearn-ddcl[faiss]'."
        ) from error
    return _fit_faiss


def _automatic() -> Method:
    return _fit_sklearn if importlib.util.find_spec("faiss") is None else _fit_by_size


KMEANS: dict[str, Callable[[], Method]] = {
    "auto": _automatic,
    "faiss": _faiss,
    "sklearn": _sklearn,
}


def continue_kmeans(z: np.ndarray, weight: np.ndarray | None, centers: np.ndarray) -> Partition:
    """Go on with k-means from given centres, by scikit-learn.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Rows, at least as many as centres.
    weight : ndarray of shape (n,) or None
        Non-negative weights.
    centers : ndarray of shape (k, d)
        Where to start.

    Returns
    -------
    Partition
        The local optimum that is reached from there.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[0.0], [1.0], [9.0]])
    >>> continue_kmeans(z, None, np.array([[0.0], [5.0]])).centers.ravel()
    array([0.5, 9. ])
    """
    return _partition(KMeans(len(centers), n_init=1, init=centers), z, weight)


def _fit_sklearn(
    z: np.ndarray, weight: np.ndarray | None, count: int, n_init: int, seed: int
) -> Partition:
    return _partition(KMeans(count, n_init=n_init, random_state=seed), z, weight)


def _partition(kmeans: KMeans, z: np.ndarray, weight: np.ndarray | None) -> Partition:
    with warnings.catch_warnings():
        # fewer distinct rows than clusters: the estimator says so at the end
        warnings.filterwarnings("ignore", "Number of distinct clusters")
        kmeans.fit(z, sample_weight=weight)
    return Partition(kmeans.cluster_centers_, kmeans.labels_, float(kmeans.inertia_))


def _fit_faiss(
    z: np.ndarray, weight: np.ndarray | None, count: int, n_init: int, seed: int
) -> Partition:
    """Start with k-means++ on some rows: random rows, faiss's own way, leave clusters out."""
    z = np.ascontiguousarray(z, dtype=np.float32)
    light = None if weight is None else weight.astype(np.float32)
    generator = np.random.default_rng(seed)
    found = (_lloyd(z, weight, light, _starts(z, weight, count, generator)) for _ in range(n_init))
    return min(found, key=lambda partition: partition.inertia)


def _fit_by_size(
    z: np.ndarray, weight: np.ndarray | None, count: int, n_init: int, seed: int
) -> Partition:
    many = len(z) >= _MANY_ROWS and count >= _MANY_CLUSTERS
    return (_fit_faiss if many else _fit_sklearn)(z, weight, count, n_init, seed)


def _starts(
    z: np.ndarray, weight: np.ndarray | None, count: int, generator: np.random.Generator
) -> np.ndarray:
    size = _START_ROWS * count
    if size < len(z):
        chance = None if weight is None else weight / weight.sum(dtype=np.float64)
        z, weight = z[generator.choice(len(z), size, p=chance)], None
    seed = int(generator.integers(2**31 - 1))
    centers: np.ndarray = kmeans_plusplus(z, count, sample_weight=weight, random_state=seed)[0]
    return centers


def _lloyd(
    z: np.ndarray, weight: np.ndarray | None, light: np.ndarray | None, starts: np.ndarray
) -> Partition:
    import faiss

    # older versions run all iterations
    known = hasattr(faiss.ClusteringParameters(), "early_stop_threshold")
    options = {"early_stop_threshold": _TOLERANCE} if known else {}
    kmeans = faiss.Kmeans(
        z.shape[1],
        len(starts),
        niter=_MOST_ITERATIONS,
        min_points_per_centroid=1,
        max_points_per_centroid=len(z),  # no row is left out
        **options,
    )
    kmeans.train(z, weights=light, init_centroids=starts)
    labels = kmeans.index.search(z, 1)[1].ravel()
    centroids = np.asarray(kmeans.centroids)
    gaps = np.square(z - centroids[labels]).sum(axis=1, dtype=np.float64)
    return Partition(centroids, labels, float(gaps.sum() if weight is None else gaps @ weight))


def reassign_empty(
    z: np.ndarray, centers: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Move the centres of empty clusters to the rows that are farthest from their own.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Features of norm 1.
    centers : ndarray of shape (k, d)
        Centres.
    labels : ndarray of shape (n,)
        Cluster of each row.

    Returns
    -------
    centers : ndarray of shape (k, d)
        New centres; those of clusters that stay empty as they were.
    labels : ndarray of shape (n,), int64
        Rows nearer to a moved centre are its own.
    moved : int
        Number of centres moved; fewer than there were empty clusters where
        there are no more distinct rows.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> centers = np.array([[0.5, 0.5], [-1.0, 0.0]])
    >>> reassign_empty(z, centers, np.array([0, 0]))[1:]
    (array([1, 0]), 1)
    """
    centers, labels = centers.copy(), labels.astype(np.int64)
    empty = np.flatnonzero(np.bincount(labels, minlength=len(centers)) == 0)
    moved = 0
    if len(empty):
        gaps = np.square(z - centers[labels]).sum(axis=1)
        for cluster in empty:
            farthest = int(gaps.argmax())
            if gaps[farthest] <= _APART:
                break
            centers[cluster] = z[farthest]
            fresh = np.square(z - centers[cluster]).sum(axis=1)
            labels[fresh < gaps] = cluster
            gaps = np.minimum(gaps, fresh)
            moved += 1
    return centers, labels, moved
