"""The simplified silhouette: separation of clusters measured at their centres."""

import warnings

import numpy as np

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics._validation import check_distances, check_weights

_AVERAGES = ("macro", "samples")


def simplified_silhouette_score(distances, labels=None, *, average="macro", sample_weight=None):
    """Compute the mean simplified silhouette from distances to cluster centres.

    For a sample at distance ``a`` from its own centre and ``b`` from the
    nearest centre of another cluster in use, the simplified silhouette is
    ``(b - a) / max(a, b)`` [1]_. It needs ``O(n_samples * n_clusters)`` where
    the silhouette [2]_ needs all pairs of samples.

    Parameters
    ----------
    distances : array-like of shape (n_samples, n_clusters)
        Distances (not squared) of the samples to the centres, for instance
        ``KMeans.transform(X)``. Only ratios matter.
    labels : array-like of shape (n_samples,), default=None
        The column of each sample's own centre; None takes the nearest.
    average : {"macro", "samples"}, default="macro"
        "macro" is the mean over the clusters in use of the mean in each, so that
        a large cluster hides no small one; "samples" is the mean over samples.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights. Samples of weight 0 are left out; the share of a
        cluster in the macro average does not depend on them.

    Returns
    -------
    score : float
        Between -1 and 1, greater is better. -1, with a `CollapseWarning`, if
        fewer than two clusters are in use.

    Raises
    ------
    ValueError
        If distances are negative or not finite, if labels are no columns of it,
        if `average` is unknown, or if the weights are negative or all zero.

    Warns
    -----
    CollapseWarning
        If fewer than two clusters are in use.

    See Also
    --------
    sklearn.metrics.silhouette_score : From all pairs of samples.
    silhouette_scorer : The same as a scorer for searches.

    Notes
    -----
    A cluster of one sample scores 0, as in [2]_: otherwise as many clusters as
    samples would be a perfect result. A sample on two centres at once
    (``a = b = 0``) scores 0. Centres without a sample are ignored.

    Values from different spaces (two latent spaces, or a latent space and the
    input space) are not comparable without care.

    References
    ----------
    .. [1] E. R. Hruschka, R. J. G. B. Campello and L. N. de Castro, "Evolving
       clusters in gene-expression data", Information Sciences 176 (2006),
       1898-1927.
    .. [2] P. J. Rousseeuw, "Silhouettes", Journal of Computational and Applied
       Mathematics 20 (1987), 53-65.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import simplified_silhouette_score
    >>> simplified_silhouette_score([[1, 4], [0, 5], [4, 1], [5, 0]])
    0.875
    """
    if average not in _AVERAGES:
        raise ValueError(f"average must be one of {_AVERAGES}, got {average!r}.")
    distances, labels = check_distances(distances, labels)
    weights = check_weights(sample_weight, len(labels))
    kept = weights > 0
    used, codes = np.unique(labels[kept], return_inverse=True)
    own, other = _own_and_other(distances[np.ix_(kept, used)], codes)
    return silhouette_from_nearest(codes, own, other, average=average, sample_weight=weights[kept])


def silhouette_from_nearest(labels, own, other, *, average="macro", sample_weight=None):
    """Average the simplified silhouette from each sample's two distances.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Cluster of each sample, integers.
    own, other : ndarray of shape (n_samples,)
        Distances to the own centre and to the nearest other one, >= 0.
    average : {"macro", "samples"}, default="macro"
        As for `simplified_silhouette_score`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; samples of weight 0 are left out.

    Returns
    -------
    score : float
        Between -1 and 1; -1, with a `CollapseWarning`, if fewer than two
        clusters are in use.
    """
    weights = check_weights(sample_weight, len(labels))
    kept = weights > 0
    if not kept.all():
        labels, own, other, weights = labels[kept], own[kept], other[kept], weights[kept]
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        warnings.warn(
            f"The simplified silhouette needs at least 2 clusters in use, got {len(sizes)} for "
            f"{len(labels)} samples: the score is -1. Ask for fewer clusters or a lower final "
            "temperature if training collapsed.",
            CollapseWarning,
            stacklevel=3,
        )
        return -1.0
    own, other = own.astype(np.float64), other.astype(np.float64)
    largest = np.maximum(own, other)
    largest[largest == 0] = 1.0
    values = (other - own) / largest
    values[sizes[codes] == 1] = 0.0
    if average == "macro":
        weights = weights / np.bincount(codes, weights=weights)[codes]
    return float(np.clip(np.average(values, weights=weights), -1.0, 1.0))


def _own_and_other(distances, codes):
    """Return each sample's distance to its own centre and to the nearest other one.

    `distances` is overwritten.
    """
    rows = np.arange(len(codes))
    own = distances[rows, codes].copy()
    distances[rows, codes] = np.inf
    return own, distances.min(axis=1)
