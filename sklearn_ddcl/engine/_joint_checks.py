"""Checks of what the training functions are given."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._runtime import resolve_device

__all__ = ["check_finite", "check_sample_weight", "prepare"]


def prepare(X: Tensor, device: str, *modules: nn.Module) -> torch.device:
    """Check the rows, and bring modules to their type and device.

    Parameters
    ----------
    X : Tensor of shape (n, ...)
        Rows.
    device : str
        Device name or "auto".
    *modules : nn.Module
        Changed in place.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If ``X`` is no float32 or float64 tensor with rows, or the device is
        absent.
    """
    if not isinstance(X, Tensor) or X.dtype not in (torch.float32, torch.float64):
        kind = X.dtype if isinstance(X, Tensor) else type(X).__name__
        raise ValueError(f"X must be a float32 or float64 tensor, got {kind}.")
    if X.ndim < 2 or X.numel() == 0:
        raise ValueError(f"X must have rows and columns, got shape {tuple(X.shape)}.")
    chosen = resolve_device(device, X.dtype)
    for module in modules:
        module.to(device=chosen, dtype=X.dtype)
    return chosen


def check_sample_weight(weight: Tensor | None, n_rows: int) -> None:
    """Require one positive weight a row.

    Parameters
    ----------
    weight : Tensor of shape (n_rows,) or None
        Sample weights.
    n_rows : int
        Number of rows.

    Raises
    ------
    ValueError
        If the shape is wrong, or a weight is not finite and positive.
    """
    if weight is None:
        return
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight must have shape ({n_rows},), got {tuple(weight.shape)}.")
    if not bool(torch.isfinite(weight).all()) or not bool((weight > 0).all()):
        raise ValueError(
            "sample_weight must be finite and > 0: leave rows of weight 0 out of training."
        )


def check_finite(name: str, values: Tensor) -> None:
    """Require finite numbers.

    Parameters
    ----------
    name : str
        What they are, for the message.
    values : Tensor
        The numbers.

    Raises
    ------
    FloatingPointError
        If one is NaN or infinite.
    """
    if not bool(torch.isfinite(values).all()):
        raise FloatingPointError(
            f"The {name} must be finite, got NaN or an infinity: X or the backbone's weights hold "
            "such values, or the learning rate is too large."
        )
