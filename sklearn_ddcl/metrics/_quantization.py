"""Quantization error: how well prototypes stand for samples."""

import numpy as np

from sklearn_ddcl.metrics._nearest import nearest_two
from sklearn_ddcl.metrics._validation import check_samples_and_prototypes, check_weights


def quantization_error(X, prototypes, *, sample_weight=None):
    """Compute the mean squared distance of the samples to their nearest prototype.

    The average squared Euclidean distance between samples and corresponding
    centroids, the term Q of Eq. 21 in [1]_; `inertia_` of k-means divided by
    the number of samples.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    prototypes : array-like of shape (n_prototypes, n_features)
        The prototypes, for instance `cluster_centers_`, in the same space.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.

    Returns
    -------
    error : float
        At least 0, in squared units of `X`; 0 if every sample is a prototype.

    Raises
    ------
    ValueError
        If an input has NaN or infinite values, no rows, or another number of
        features than the other; if the weights are negative or all zero.

    See Also
    --------
    topographic_error : Whether neighbouring prototypes are joined.

    Notes
    -----
    Computed in float64, in blocks of rows, in ``O(n_samples * n_prototypes *
    n_features)`` time and constant memory beyond the inputs.

    References
    ----------
    .. [1] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological Gradient-based Competitive Learning", arXiv:2008.09477, 2020.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import quantization_error
    >>> quantization_error([[0.0], [1.0], [10.0]], [[0.0], [10.0]])
    0.333...
    """
    X, prototypes = check_samples_and_prototypes(X, prototypes)
    weights = check_weights(sample_weight, X.shape[0])
    _, squared = nearest_two(X, prototypes)
    return float(np.average(squared, weights=weights))
