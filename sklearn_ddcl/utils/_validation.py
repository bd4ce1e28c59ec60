"""The one place that touches scikit-learn's private validation helpers."""

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

__all__ = ["HasMethods", "Interval", "StrOptions", "check_weights", "fit_context", "scale_weights"]


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
        Finite, non-negative weights in the dtype of X, a copy; None for None.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are zero, their sum overflows,
        or the shape does not match.

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
    if not np.isfinite(weights).all():  # scikit-learn lets such numbers pass
        raise ValueError(f"sample_weight must be finite, got {sample_weight!r}.")
    with np.errstate(over="ignore"):
        total = weights.sum(dtype=np.float64)
    if not np.isfinite(total):
        raise ValueError("The sum of sample_weight is too large for float64. Scale the weights.")
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number; all of sample_weight is 0."
        )
    return weights


def scale_weights(weights):
    """Divide weights by the power of two nearest to their mean.

    Only ratios of weights matter for prototypes; without this, very large or
    small ones would overflow or vanish in sums.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,) or None
        Finite, non-negative weights, not all zero.

    Returns
    -------
    scaled : ndarray of shape (n_samples,) or None
        Weights with a mean near 1, in the same dtype; None for None.
    unit : float
        What they were divided by.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.utils import scale_weights
    >>> scale_weights(np.array([3.0, 5.0]))
    (array([0.75, 1.25]), 4.0)
    """
    if weights is None:
        return None, 1.0
    exact = weights.astype(np.float64)
    largest = exact.max()
    exponent = np.rint(np.log2(largest) + np.log2(np.mean(exact / largest)))
    exponent = int(np.clip(exponent, -1022, 1023))
    return np.ldexp(exact, -exponent).astype(weights.dtype), float(np.ldexp(1.0, exponent))
