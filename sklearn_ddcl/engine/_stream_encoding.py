"""Features of a batch: the samples themselves, or what a frozen encoder makes of them."""

from typing import Any

import numpy as np
from torch import nn

from sklearn_ddcl.engine._features import encode_rows

__all__ = ["encode_batch"]


def encode_batch(
    encoder: nn.Module | None, rows: np.ndarray, dtype: Any, device: str
) -> np.ndarray:
    """Return the features of a batch.

    Parameters
    ----------
    encoder : nn.Module or None
        Frozen, in evaluation mode, on the CPU; None takes rows as features.
    rows : ndarray of shape (b, ...)
        Rows.
    dtype : numpy.dtype
        Type of the features.
    device : str
        Device name or "auto".

    Returns
    -------
    ndarray of shape (b, d)
        Features.

    Raises
    ------
    ValueError
        If the encoder does not take the rows.
    """
    if encoder is None:
        return rows
    try:
        return encode_rows(encoder, rows, dtype, device)
    except RuntimeError as error:
        raise ValueError(
            f"The 'backbone' does not take samples of shape {rows.shape[1:]}: {error}"
        ) from error
