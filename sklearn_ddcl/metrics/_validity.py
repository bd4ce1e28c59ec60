"""Cluster validity from the samples alone, for dense and sparse input."""

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_score

# Davies-Bouldin has no upper bound; an infinite score would break the mean and the
# standard deviation that a search computes over folds.
WORST_DAVIES_BOULDIN = -1e6
WORST_SILHOUETTE = -1.0
WORST_CALINSKI_HARABASZ = 0.0

_BLOCK_ELEMENTS = 2**21


def sampled_silhouette(X, codes, max_samples):
    """Compute the mean silhouette, from a fixed random subset of a large sample.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        The samples.
    codes : ndarray of shape (n_samples,), dtype intp
        Clusters 0 to k - 1.
    max_samples : int
        How many rows to use at most; time and distances grow with its square.

    Returns
    -------
    score : float or None
        Between -1 and 1; None if the subset has fewer than two clusters or none
        with two samples.
    """
    if len(codes) > max_samples:
        rows = np.random.default_rng(0).choice(len(codes), max_samples, replace=False)
        rows.sort()
        X, codes = X[rows], codes[rows]
    if not 2 <= len(np.unique(codes)) < len(codes):
        return None
    if not sparse.issparse(X):
        # scikit-learn expands the square, which loses digits far from the origin.
        X = X - X.mean(axis=0)
    return float(silhouette_score(X, codes))


def negated_davies_bouldin(X, codes):
    """Compute minus the Davies-Bouldin index.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        The samples.
    codes : ndarray of shape (n_samples,), dtype intp
        Clusters 0 to k - 1, each in use, k >= 2.

    Returns
    -------
    score : float or None
        Between `WORST_DAVIES_BOULDIN` and 0; None if two centroids coincide.
    """
    centroids, sizes, squared = _dispersion(X, codes)
    separation = cdist(centroids, centroids)
    np.fill_diagonal(separation, np.inf)
    if separation.min() == 0:
        return None
    spread = np.bincount(codes, weights=np.sqrt(squared)) / sizes
    similarity = (spread[:, None] + spread) / separation
    return max(-float(similarity.max(axis=1).mean()), WORST_DAVIES_BOULDIN)


def calinski_harabasz(X, codes):
    """Compute the Calinski-Harabasz index.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        The samples.
    codes : ndarray of shape (n_samples,), dtype intp
        Clusters 0 to k - 1, each in use, 2 <= k < n_samples.

    Returns
    -------
    score : float
        At least 0; 1 if no cluster has any spread, as in scikit-learn.
    """
    centroids, sizes, squared = _dispersion(X, codes)
    within = squared.sum()
    if within == 0:
        return 1.0
    offsets = centroids - np.average(centroids, axis=0, weights=sizes)
    between = sizes @ np.einsum("kd,kd->k", offsets, offsets)
    n_samples, n_clusters = len(codes), len(sizes)
    return float((between / (n_clusters - 1)) / (within / (n_samples - n_clusters)))


def _dispersion(X, codes):
    """Return centroids, sizes and each sample's squared distance to its centroid."""
    n_samples, n_features = X.shape
    sizes = np.bincount(codes)
    members = sparse.csr_array(
        (np.ones(n_samples), (codes, np.arange(n_samples))), shape=(len(sizes), n_samples)
    )
    sums = members @ X
    centroids = (sums.toarray() if sparse.issparse(sums) else sums) / sizes[:, None]
    squared = np.empty(n_samples)
    step = max(1, _BLOCK_ELEMENTS // n_features)
    for start in range(0, n_samples, step):
        rows = slice(start, start + step)
        block = X[rows].toarray() if sparse.issparse(X) else X[rows]
        difference = block - centroids[codes[rows]]
        squared[rows] = np.einsum("nd,nd->n", difference, difference)
    return centroids, sizes, squared
