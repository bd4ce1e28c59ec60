"""Rows in blocks that stay in cache: dense, sparse, in memory or mapped from a file.

Every pass of the reduced flow sees the data as ``y = (x - origin) / unit``. The
blocks never hold ``y``: scores and sums over ``x`` are corrected afterwards, so
that neither a copy nor a centred version of the data is made, and offsets or
units that would cancel or overflow in a squared distance do no harm.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from sklearn_ddcl.engine._blocks import Block, DenseBlock, SparseBlock, block_moments
from sklearn_ddcl.engine._frame import Frame, check_range, distant_shift, power_of_two

__all__ = ["Rows", "share", "wrap_rows"]

# Blocks are as large as second- and third-level caches bear: elements of the rows, and of
# the (rows, prototypes) matrix. Beyond these, products slow down by half.
_ROW_ELEMENTS, _SCORE_ELEMENTS = 2**19, 2**19
_LEAST_ROWS, _MOST_ROWS = 256, 16_384
_ROUNDING = 8 * float(np.finfo(float).eps)  # relative deviation of identical rows from their mean


class Rows:
    """A data set as a sequence of blocks, with its frame.

    Parameters
    ----------
    data : ndarray, memmap, sparse array or Tensor of shape (n, d)
        Rows; never written to.
    weight : Tensor of shape (n,) or None
        Weights in the dtype of ``data``, on ``device``.
    device : torch.device
        Where blocks are computed.
    frame : Frame or None
        Coordinates; None computes them from the data in one pass.
    """

    def __init__(
        self,
        data: Any,
        weight: Tensor | None,
        device: torch.device,
        frame: Frame | None = None,
    ) -> None:
        self.data = data
        self.weight = weight
        self.device = device
        self.n_rows, self.n_features = int(data.shape[0]), int(data.shape[1])
        self.dtype = (
            data.dtype
            if isinstance(data, Tensor)
            else torch.float32
            if data.dtype == np.float32
            else torch.float64
        )
        self._shift: Tensor | None = None
        self.frame = _measure(self) if frame is None else frame
        self._shift = self.frame.shift

    @property
    def accumulator(self) -> torch.dtype:
        """Type of sums over many rows: float64 wherever the device has it."""
        return torch.float32 if self.device.type == "mps" else torch.float64

    def block_rows(self, n_prototypes: int) -> int:
        """Return how many rows a block has when it meets ``n_prototypes`` prototypes."""
        if self.device.type != "cpu":
            return max(1, 2**26 // max(n_prototypes, self.n_features))
        rows = min(_ROW_ELEMENTS // self.n_features, _SCORE_ELEMENTS // n_prototypes)
        return min(max(rows, _LEAST_ROWS), _MOST_ROWS)

    def blocks(self, n_prototypes: int, reuse: bool = False) -> Iterator[tuple[slice, Block]]:
        """Yield ``(slice of rows, block)`` over the whole data set in order.

        With ``reuse`` the products of dense blocks share their memory: each lasts until
        the next one.
        """
        step = self.block_rows(n_prototypes)
        scratch = None
        if reuse and self.n_rows > step:
            scratch = torch.empty(step * n_prototypes, dtype=self.dtype, device=self.device)
        for start in range(0, self.n_rows, step):
            rows = slice(start, min(start + step, self.n_rows))
            weight = None if self.weight is None else self.weight[rows]
            yield rows, self._block(rows, weight, scratch)

    def _block(self, rows: slice, weight: Tensor | None, scratch: Tensor | None) -> Block:
        part = self.data[rows]
        if sp.issparse(part):
            return SparseBlock(part, self.device, weight)
        if not isinstance(part, Tensor):
            # A copy for read-only arrays and memmaps: torch has no read-only tensors.
            part = np.array(part, copy=not part.flags.writeable or None)
            part = torch.from_numpy(part)
        part = part.to(self.device)
        return DenseBlock(part if self._shift is None else part - self._shift, weight, scratch)


def share(data: Any) -> Any:
    """Wrap a writable array in memory as a tensor, without a copy.

    Parameters
    ----------
    data : ndarray, memmap or CSR array
        Rows.

    Returns
    -------
    Tensor, or the data themselves
        Read-only arrays, maps of files and sparse arrays are converted block by
        block.
    """
    writable = isinstance(data, np.ndarray) and data.flags.writeable
    return torch.from_numpy(data) if writable and not isinstance(data, np.memmap) else data


def wrap_rows(data: Any, weight: np.ndarray | None, device: torch.device) -> Rows:
    """Wrap validated input; writable dense arrays are shared, never copied.

    Parameters
    ----------
    data : ndarray or CSR sparse array of shape (n, d)
        float32 or float64 rows.
    weight : ndarray of shape (n,) or None
        Non-negative sample weights.
    device : torch.device
        Where blocks are computed.

    Returns
    -------
    Rows
        The wrapped rows with their frame.
    """
    shared = share(data)
    small = isinstance(shared, Tensor) and shared.numel() * shared.element_size() <= 2**31
    shared = shared.to(device) if small else shared
    w = None if weight is None else torch.from_numpy(weight.astype(data.dtype)).to(device)
    return Rows(shared, w, device)


def _any_row(rows: Rows) -> Tensor:
    """Return a row of positive weight."""
    number = 0 if rows.weight is None else int((rows.weight > 0).to(torch.uint8).argmax())
    return rows._block(slice(number, number + 1), None, None).dense()[0]


def _measure(rows: Rows) -> Frame:
    """Weighted mean, unit and inertia in one pass, block by block (Chan et al., 1979)."""
    acc = rows.accumulator
    mean = torch.zeros(rows.n_features, dtype=acc, device=rows.device)
    total, mass = 0.0, 0.0
    for _, block in rows.blocks(1):
        part_mean, part_total, part_mass = block_moments(block, acc)
        if part_mass == 0.0:
            continue
        step = part_mean - mean
        fraction = part_mass / (mass + part_mass)
        total += part_total + float(step @ step) * mass * fraction
        mean += step * fraction
        mass += part_mass
    # identical rows differ from their weighted mean by its rounding
    deviation = math.sqrt(total / mass)
    if deviation <= _ROUNDING * float(mean.abs().max()):
        deviation = total = 0.0
        mean = _any_row(rows).to(acc)  # that rounding would be all that is left of large values
    unit = power_of_two(deviation, rows.dtype)
    check_range(mean, unit, rows.dtype)
    shift = None if sp.issparse(rows.data) else distant_shift(mean, unit, rows.dtype)
    return Frame(mean, unit, total / unit / unit, mass, shift=shift)
