"""Label-free scorers in the input space, called as ``scorer(estimator, X, y=None)``."""

import warnings

import numpy as np
from sklearn.utils import check_array

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import _validity
from sklearn_ddcl.metrics._validation import encode_labels, predict_labels

# 10,000 rows: about 10^8 distances, a second or two.
_SILHOUETTE_ROWS = 10_000


def silhouette_scorer(estimator, X, y=None):
    """Score predicted clusters by their mean silhouette in the space of `X`.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Numeric samples that the estimator accepts; rows of more than one
        dimension (images) are flattened. Above 10,000 rows a fixed random
        subset of that many is used, because the cost grows with the square.
    y : object, default=None
        Not used.

    Returns
    -------
    score : float
        Between -1 and 1. -1, with a `CollapseWarning`, if there are fewer than
        two clusters or as many as samples.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Warns
    -----
    CollapseWarning
        If the silhouette is not defined.

    Notes
    -----
    Distances are taken between the rows of `X` as given, before any step of a
    Pipeline, so candidates with different latent spaces are comparable.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import silhouette_scorer
    >>> X = [[0.0], [0.1], [5.0], [5.1]]
    >>> round(silhouette_scorer(KMeans(2, random_state=0).fit(X), X), 3)
    0.98
    """
    X, codes = _clusters_in_input_space(estimator, X)
    score = None
    if codes is not None:
        score = _validity.sampled_silhouette(X, codes, _SILHOUETTE_ROWS)
    return _or_worst(score, _validity.WORST_SILHOUETTE, "silhouette_scorer")


def davies_bouldin_scorer(estimator, X, y=None):
    """Score predicted clusters by minus the Davies-Bouldin index in the space of `X`.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Numeric samples that the estimator accepts; rows of more than one
        dimension (images) are flattened.
    y : object, default=None
        Not used.

    Returns
    -------
    score : float
        Between -1e6 and 0. The index has no upper bound: it is cut there so
        that means over folds stay finite. -1e6, with a `CollapseWarning`, if
        there are fewer than two clusters or as many as samples, or if two
        centroids coincide (where `sklearn.metrics.davies_bouldin_score` leaves
        the pair out).

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Warns
    -----
    CollapseWarning
        If the index is not defined.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import davies_bouldin_scorer
    >>> X = [[0.0], [0.1], [5.0], [5.1]]
    >>> round(davies_bouldin_scorer(KMeans(2, random_state=0).fit(X), X), 3)
    -0.02
    """
    X, codes = _clusters_in_input_space(estimator, X)
    score = None if codes is None else _validity.negated_davies_bouldin(X, codes)
    return _or_worst(score, _validity.WORST_DAVIES_BOULDIN, "davies_bouldin_scorer")


def calinski_harabasz_scorer(estimator, X, y=None):
    """Score predicted clusters by the Calinski-Harabasz index in the space of `X`.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Numeric samples that the estimator accepts; rows of more than one
        dimension (images) are flattened.
    y : object, default=None
        Not used.

    Returns
    -------
    score : float
        At least 0, unbounded. 0, with a `CollapseWarning`, if there are fewer
        than two clusters or as many as samples.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Warns
    -----
    CollapseWarning
        If the index is not defined.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import calinski_harabasz_scorer
    >>> X = [[0.0], [0.1], [5.0], [5.1]]
    >>> round(calinski_harabasz_scorer(KMeans(2, random_state=0).fit(X), X))
    5000
    """
    X, codes = _clusters_in_input_space(estimator, X)
    score = None if codes is None else _validity.calinski_harabasz(X, codes)
    return _or_worst(score, _validity.WORST_CALINSKI_HARABASZ, "calinski_harabasz_scorer")


def _clusters_in_input_space(estimator, X):
    """Return `X` as a numeric matrix, and clusters 0 to k - 1 or None if 1 or n of them."""
    clusters, codes = encode_labels(predict_labels(estimator, X), "the estimator's predict(X)")
    matrix = check_array(
        X, accept_sparse="csr", allow_nd=True, dtype=[np.float64, np.float32], input_name="X"
    )
    if matrix.ndim > 2:
        matrix = matrix.reshape(len(matrix), -1)
    return matrix, codes if 2 <= len(clusters) < len(codes) else None


def _or_worst(score, worst, scorer):
    """Return the score, or the worst one with a warning where it is not defined."""
    if score is not None:
        return score
    warnings.warn(
        f"{scorer} is not defined for fewer than 2 distinct clusters, nor for as many as "
        f"samples: the score is {worst:g}. The clustering collapsed, or n_clusters does not suit "
        "the number of samples.",
        CollapseWarning,
        stacklevel=3,
    )
    return worst
