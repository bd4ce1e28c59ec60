"""The ratio of learning rates over a fit, and the bound on it."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.diagnostics._records import read_history
from sklearn_ddcl.utils import estimator_history

_LARGEST = np.finfo(float).max


class StabilityBound(NamedTuple):
    """Ratio and bound of each record that has them, as `stability_bound` returns them.

    Attributes
    ----------
    epochs : ndarray of shape (n_rows,)
        Numbers of the records.
    ratio : ndarray of shape (n_rows,)
        Learning rate of the backbone over that of the dual layer.
    bound : ndarray of shape (n_rows,)
        Largest ratio for which the prototypes follow the features.
    holds : ndarray of shape (n_rows,), dtype bool
        Where the ratio is below the bound.
    """

    epochs: np.ndarray
    ratio: np.ndarray
    bound: np.ndarray
    holds: np.ndarray


def stability_bound(history):
    """Return the ratio of learning rates over a fit and the bound of Corollary 5 on it.

    The bound comes from a linearised model with one number for the features
    and one for the prototypes. It is a guide: a fit that breaks it for some
    epochs may well succeed, and one that keeps it may fail for other reasons.

    Parameters
    ----------
    history : estimator instance or list of dict
        A fitted clusterer with ``history_``, a Pipeline that ends in one, or
        its records.

    Returns
    -------
    stability : StabilityBound
        Columns over the records that have both, those of a joint training.
        A bound is infinite where features equal their mixtures: any ratio
        keeps it.

    Raises
    ------
    ValueError
        If no record has them: without a trained backbone there is no ratio.

    See Also
    --------
    sklearn_ddcl.exceptions.StabilityWarning : Told when a fit breaks the bound.

    References
    ----------
    DDCL paper, Corollary 5.

    Examples
    --------
    >>> from sklearn_ddcl.diagnostics import stability_bound
    >>> records = [{"rate_ratio": 0.3, "rate_bound": 2.0}, {"rate_ratio": 0.3, "rate_bound": 0.1}]
    >>> stability_bound(records).holds.tolist()
    [True, False]
    """
    epochs, (ratio, bound) = read_history(_bounded(history)).rows("rate_ratio", "rate_bound")
    bound[bound == _LARGEST] = np.inf
    return StabilityBound(epochs, ratio, bound, ratio < bound)


def _bounded(history):
    """Return records whose infinite bounds, which would count as missing, are numbers."""
    records = estimator_history(history) if hasattr(history, "fit") else history
    if not isinstance(records, list):
        return records
    return [
        {**record, "rate_bound": _LARGEST}
        if isinstance(record, dict) and record.get("rate_bound") == np.inf
        else record
        for record in records
    ]
