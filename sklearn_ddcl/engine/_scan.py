"""Scores of rows against frozen prototypes, block by block."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor

from sklearn_ddcl.engine._blocks import Block
from sklearn_ddcl.engine._data import Rows, share
from sklearn_ddcl.engine._frame import Frame, distant_shift, power_of_two
from sklearn_ddcl.engine._passes import linear_scores
from sklearn_ddcl.engine._runtime import float_type, resolve_device

__all__ = ["Model", "scan"]


class Model(NamedTuple):
    """Frozen prototypes in coordinates of their own.

    Attributes
    ----------
    frame : Frame
        Origin and unit taken from the prototypes.
    p : Tensor of shape (k, d)
        The prototypes in that frame.
    """

    frame: Frame
    p: Tensor


def scan(
    data: Any,
    prototypes: np.ndarray,
    device: str,
    write: Callable[[slice, Block, Tensor, Model], None],
    least: float = 0.0,
) -> None:
    """Compute the scores of each block of rows and hand them to ``write``.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Rows.
    prototypes : ndarray of shape (m, d)
        Prototypes.
    device : str
        Device name or "auto".
    write : callable
        Called with each slice of rows, its block, its scores (rows, m), which
        last until the next call, and the model.
    least : float, default=0.0
        The unit is a length of at least this, so that other lengths to be
        compared with distances stay in range too.
    """
    dtype = float_type(data.dtype)
    place = resolve_device(device, dtype)
    acc = torch.float32 if place.type == "mps" else torch.float64
    model = _frame_of(prototypes, least, place, acc)
    if not issparse(data):
        shift = distant_shift(model.frame.origin, model.frame.unit, dtype)
        model = model._replace(frame=model.frame._replace(shift=shift))
    with torch.inference_mode():
        rows = Rows(share(data), None, place, model.frame)
        slope, constant = linear_scores(rows, model.p, 1.0)
        for part, block in rows.blocks(len(prototypes), reuse=True):
            write(part, block, block.affine(slope, constant), model)


def _frame_of(
    prototypes: np.ndarray, least: float, device: torch.device, acc: torch.dtype
) -> Model:
    """Coordinates around the prototypes themselves: no pass over the rows is needed.

    Around their median, as a far outlier's prototype would move a mean away from all
    others, whose scores would lose their digits.
    """
    p = prototypes.astype(np.float64)
    origin = np.sort(p, axis=0)[len(p) // 2]
    p -= origin
    size = max(float(np.abs(p).max()), least)
    unit = power_of_two(size, float_type(prototypes.dtype))
    p /= unit
    frame = Frame(torch.from_numpy(origin).to(device, acc), unit, 0.0, 0.0)
    return Model(frame, torch.from_numpy(p).to(device, acc))
