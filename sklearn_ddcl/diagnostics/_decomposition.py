"""The loss and its parts over a fit: Lq = L_OLS + V."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.diagnostics._records import read_history

_EPSILON = 1e-6  # relative: records of float32 training are sums over batches
_ROUNDING = 1e-9  # the same relative to the largest loss, where a loss falls to 0


class LossDecomposition(NamedTuple):
    """Loss and parts of each record that has them, as `loss_decomposition` returns them.

    Attributes
    ----------
    epochs : ndarray of shape (n_rows,)
        Numbers of the records.
    loss_quantization, loss_ols, variance : ndarray of shape (n_rows,)
        :math:`L_q`, :math:`L_{OLS}` and V, squared units of the features.
    residual : ndarray of shape (n_rows,)
        :math:`|L_q - L_{OLS} - V|` relative to :math:`L_q`: rounding.
    n_violations : int
        Records with V below 0 by more than rounding. There is none, by
        theory.
    """

    epochs: np.ndarray
    loss_quantization: np.ndarray
    loss_ols: np.ndarray
    variance: np.ndarray
    residual: np.ndarray
    n_violations: int


def loss_decomposition(history):
    r"""Return the soft quantisation loss over a fit and the two parts it is the sum of.

    :math:`L_q = L_{OLS} + V`: the distance of samples to the mean of the
    prototypes under their assignments, and the variance of the prototypes
    under these, which cannot be negative.

    Parameters
    ----------
    history : estimator instance or list of dict
        A fitted clusterer with ``history_``, a Pipeline that ends in one, or
        its records.

    Returns
    -------
    parts : LossDecomposition
        Columns over the records that have all three.

    Raises
    ------
    ValueError
        If no record has them, as after a fit without soft assignments.

    References
    ----------
    DDCL paper, Theorem 1 (Eq. 22).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClustering
    >>> from sklearn_ddcl.diagnostics import loss_decomposition
    >>> X = load_iris().data
    >>> parts = loss_decomposition(DDCLClustering(3, backbone=None, random_state=0).fit(X))
    >>> parts.n_violations, bool((parts.residual < 1e-6).all())
    (0, True)
    """
    keys = ("loss_quantization", "loss_ols", "variance")
    epochs, (loss, ols, variance) = read_history(history).rows(*keys)
    floor = max(_ROUNDING * np.abs(loss).max(), np.finfo(float).tiny)
    scale = np.maximum(np.abs(loss), floor)
    residual = np.abs(loss - ols - variance) / scale
    return LossDecomposition(
        epochs, loss, ols, variance, residual, int((variance < -_EPSILON * scale).sum())
    )
