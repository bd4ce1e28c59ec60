"""Scorers that compare predicted clusters with classes, called as ``scorer(estimator, X, y)``."""

from sklearn_ddcl.metrics._accuracy import clustering_accuracy_score
from sklearn_ddcl.metrics._agreement import adjusted_rand_score, normalized_mutual_info_score
from sklearn_ddcl.metrics._validation import predict_labels


def accuracy_scorer(estimator, X, y=None):
    """Score predicted clusters against classes by clustering accuracy.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : array-like of shape (n_samples, ...)
        Samples that the estimator accepts.
    y : array-like of shape (n_samples,)
        The classes. The default None is there for the scorer protocol only.

    Returns
    -------
    score : float
        Between 0 and 1, see `clustering_accuracy_score`.

    Raises
    ------
    ValueError
        If `y` is None.
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import accuracy_scorer
    >>> X, y = [[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"]
    >>> accuracy_scorer(KMeans(2, random_state=0).fit(X), X, y)
    1.0
    """
    return clustering_accuracy_score(_required(y, "accuracy_scorer"), predict_labels(estimator, X))


def nmi_scorer(estimator, X, y=None):
    """Score predicted clusters against classes by normalized mutual information.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : array-like of shape (n_samples, ...)
        Samples that the estimator accepts.
    y : array-like of shape (n_samples,)
        The classes. The default None is there for the scorer protocol only.

    Returns
    -------
    score : float
        Between 0 and 1, see `normalized_mutual_info_score` (geometric mean).

    Raises
    ------
    ValueError
        If `y` is None.
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import nmi_scorer
    >>> X, y = [[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"]
    >>> nmi_scorer(KMeans(2, random_state=0).fit(X), X, y)
    1.0
    """
    return normalized_mutual_info_score(_required(y, "nmi_scorer"), predict_labels(estimator, X))


def ari_scorer(estimator, X, y=None):
    """Score predicted clusters against classes by the adjusted Rand index.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one, with `predict`.
    X : array-like of shape (n_samples, ...)
        Samples that the estimator accepts.
    y : array-like of shape (n_samples,)
        The classes. The default None is there for the scorer protocol only.

    Returns
    -------
    score : float
        Between -0.5 and 1, see `adjusted_rand_score`.

    Raises
    ------
    ValueError
        If `y` is None.
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_ddcl.metrics import ari_scorer
    >>> X, y = [[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"]
    >>> ari_scorer(KMeans(2, random_state=0).fit(X), X, y)
    1.0
    """
    return adjusted_rand_score(_required(y, "ari_scorer"), predict_labels(estimator, X))


def _required(y, scorer):
    """Return `y` unless it is None."""
    if y is None:
        raise ValueError(
            f"{scorer} compares clusters with classes: y must be given, got None. "
            "Without classes use silhouette_scorer or stability_scorer."
        )
    return y
