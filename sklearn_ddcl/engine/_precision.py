"""Mixed precision: from the option's value to the type of autocast."""

import contextlib
from typing import Any

import torch

__all__ = ["autocast_context", "resolve_precision"]

_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_precision(
    value: bool | str, device: torch.device, dtype: torch.dtype
) -> torch.dtype | None:
    """Return the type in which the backbone computes, or None for that of the data.

    Parameters
    ----------
    value : bool or {"bfloat16", "float16"}
        True takes bfloat16 where the device has it, else float16.
    device : torch.device
        Where the training computes.
    dtype : torch.dtype
        Type of the data.

    Returns
    -------
    torch.dtype or None
        The type for ``torch.autocast``.

    Raises
    ------
    ValueError
        If the data are float64, whose digits would be lost, or float16 is
        asked for outside CUDA, where gradients are not scaled.

    Examples
    --------
    >>> import torch
    >>> resolve_precision(True, torch.device("cpu"), torch.float32)
    torch.bfloat16
    """
    if not value:
        return None
    if dtype == torch.float64:
        raise ValueError(
            f"mixed_precision must be False for float64 data, got {value!r}: pass X as float32."
        )
    if isinstance(value, str):
        chosen = _TYPES[value]
    else:
        half = device.type == "cuda" and not torch.cuda.is_bf16_supported()
        chosen = torch.float16 if half else torch.bfloat16
    if chosen == torch.float16 and device.type != "cuda":
        raise ValueError(f"mixed_precision='float16' needs device 'cuda', got {device.type!r}.")
    return chosen


def autocast_context(device_type: str, precision: torch.dtype | None) -> Any:
    """Return the context in which the backbone runs.

    Parameters
    ----------
    device_type : str
        Such as "cpu".
    precision : torch.dtype or None
        From :func:`resolve_precision`.

    Returns
    -------
    context manager
        ``torch.autocast``, or one that does nothing.

    Examples
    --------
    >>> with autocast_context("cpu", None):
    ...     pass
    """
    if precision is None:
        return contextlib.nullcontext()
    return torch.autocast(device_type, dtype=precision)
