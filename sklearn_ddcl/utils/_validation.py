"""The one place that touches scikit-learn's private validation helpers."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

__all__ = ["HasMethods", "Interval", "StrOptions", "check_weights", "fit_context"]


def check_weights(sample_weight, X):
    """Validate sample weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Weights; None stands for equal ones.
    X : array-like of shape (n_samples, n_features)
        Validated samples.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Non-negative weights in the dtype of X; None where all are equal and
        so do not matter for the prototypes.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are zero, or the shape does
        not match.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.utils import check_weights
    >>> check_weights([1, 2], np.zeros((2, 1)))
    array([1., 2.])
    """
    if sample_weight is None:
        return None
    weights = _check_sample_weight(
        sample_weight, X, dtype=X.dtype, ensure_non_negative=True, copy=True
    )
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number; all of sample_weight is 0."
        )
    return weights
