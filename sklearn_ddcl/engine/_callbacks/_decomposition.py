"""Check of Theorem 1 in every epoch: Lq = L_OLS + V with V >= 0."""

from typing import Any

import torch
from skorch.callbacks import Callback

from sklearn_ddcl.engine._epoch_sums import EpochSummary

__all__ = ["DecompositionCheck", "check_decomposition"]

_ROUNDING = 256  # units of rounding that sums of products may collect


def check_decomposition(summary: EpochSummary, dtype: torch.dtype) -> None:
    """Require ``Lq = L_OLS + V`` and ``V >= 0`` up to rounding (Theorem 1, Eq. 22).

    Parameters
    ----------
    summary : EpochSummary
        The three terms, each from its own definition.
    dtype : torch.dtype
        Type in which they were computed.

    Raises
    ------
    FloatingPointError
        If the identity is broken, which no training can do: assignments that
        do not sum to 1, or numbers too large for the type.

    Examples
    --------
    >>> import torch
    >>> summary = EpochSummary(0, 0, 3.0, 1.0, 2.0, 1.0, 0.5, 1.0, 0.0, 1.0)
    >>> check_decomposition(summary, torch.float32)
    """
    quantization, ols, variance = summary.quantization, summary.ols, summary.variance
    size = abs(quantization) + abs(ols) + summary.separation
    bound = _ROUNDING * torch.finfo(dtype).eps * size
    gap = quantization - ols - variance
    if variance >= -bound and abs(gap) <= bound:
        return
    raise FloatingPointError(
        f"Theorem 1 is broken: Lq = {quantization:.9g} should be L_OLS + V = {ols:.9g} + "
        f"{variance:.9g} with V >= 0 (gap {gap:.3g}, rounding allows {bound:.3g}). The rows of "
        "the assignments do not sum to 1, or X is too large for its type: scale it, or pass "
        "float64."
    )


class DecompositionCheck(Callback):  # type: ignore[misc]  # skorch has no types
    """Checks the decomposition after every epoch."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Raise FloatingPointError if the epoch's sums break Theorem 1."""
        check_decomposition(net.summary_, net.sums_.errors.dtype)
