"""Rows in blocks that stay in cache: dense, sparse, in memory or mapped from a file.

Every pass of the reduced flow sees the data as ``y = (x - origin) / unit``. The
blocks never hold ``y``: scores and sums over ``x`` are corrected afterwards, so
that neither a copy nor a centred version of the data is made, and offsets or
units that would cancel or overflow in a squared distance do no harm.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

__all__ = ["Block", "DenseBlock", "Frame", "Rows", "SparseBlock", "wrap_rows"]

# Blocks are as large as second- and third-level caches bear: elements of the rows, and of
# the (rows, prototypes) matrix. Beyond these, products slow down by half.
_ROW_ELEMENTS, _SCORE_ELEMENTS = 2**19, 2**20
_LEAST_ROWS, _MOST_ROWS = 256, 16_384


class Frame(NamedTuple):
    """Affine coordinates ``y = (x - origin) / unit`` in which all passes compute.

    Attributes
    ----------
    origin : Tensor of shape (d,)
        Weighted mean of the rows, float64.
    unit : float
        A power of two near the root mean squared distance to the mean, so
        that dividing by it rounds nothing.
    inertia : float
        Weighted sum of squared norms of ``y``.
    weight_sum : float
        Sum of the weights.
    trivial : bool
        Whether ``y`` is ``x`` itself (origin 0, unit 1), which saves the
        corrections.
    """

    origin: Tensor
    unit: float
    inertia: float
    weight_sum: float
    trivial: bool = False

    def normalize(self, sums: Tensor, mass: Tensor) -> Tensor:
        """Turn weighted sums of ``x`` (k, d) with masses (k,) into sums of ``y``."""
        if self.trivial:
            return sums
        return (sums - mass[:, None] * self.origin) / self.unit

    def to_data(self, prototypes: Tensor) -> Tensor:
        """Map prototypes (k, d) from ``y`` back to the coordinates of ``x``."""
        return prototypes.to(self.origin) * self.unit + self.origin

    def from_data(self, prototypes: Tensor) -> Tensor:
        """Map prototypes (k, d) from ``x`` into the coordinates of ``y``."""
        return (prototypes.to(self.origin) - self.origin) / self.unit


class Block(Protocol):
    """A few consecutive rows; ``weight`` is None where all rows count alike."""

    weight: Tensor | None

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def affine(self, slope: Tensor, constant: Tensor) -> Tensor:
        """Return ``x @ slope.T + constant`` of shape (rows, k), columns contiguous.

        Minima and softmaxes over prototypes then run along the long axis of a
        (k, rows) array, which is several times faster than along the short one.
        """
        ...

    def soft_sums(self, q: Tensor) -> Tensor:
        """Return ``q.T @ x`` of shape (k, d)."""
        ...

    def hard_sums(self, labels: Tensor, n_groups: int, weight: Tensor | None) -> Tensor:
        """Return the sums of the rows of each group, of shape (n_groups, d)."""
        ...

    def dense(self) -> Tensor:
        """Return the rows themselves, of shape (rows, d)."""
        ...

    def pick(self, index: Tensor) -> Tensor:
        """Return the chosen rows, dense."""
        ...

    def square_norms(self, frame: Frame) -> Tensor:
        """Return the squared norms of the rows in frame coordinates, of shape (rows,)."""
        ...

    def gaps(self, frame: Frame, p: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Return squared distances to the labelled prototypes, given their scores."""
        ...


class DenseBlock:
    """Rows held in one tensor."""

    def __init__(self, x: Tensor, weight: Tensor | None = None) -> None:
        self.x = x
        self.weight = weight

    def __len__(self) -> int:
        return len(self.x)

    def affine(self, slope: Tensor, constant: Tensor) -> Tensor:
        """Return ``x @ slope.T + constant`` of shape (rows, k)."""
        return torch.addmm(constant[:, None], slope, self.x.T).T

    def soft_sums(self, q: Tensor) -> Tensor:
        """Return ``q.T @ x`` of shape (k, d)."""
        return q.T @ self.x

    def hard_sums(self, labels: Tensor, n_groups: int, weight: Tensor | None) -> Tensor:
        """Return the sums of the rows of each group, of shape (n_groups, d)."""
        x = self.x if weight is None else self.x * weight[:, None]
        return self.x.new_zeros(n_groups, x.shape[1]).index_add_(0, labels, x)

    def dense(self) -> Tensor:
        """Return the rows themselves."""
        return self.x

    def pick(self, index: Tensor) -> Tensor:
        """Return the chosen rows."""
        return self.x[index]

    def square_norms(self, frame: Frame) -> Tensor:
        """Return the squared norms of the rows in frame coordinates."""
        return frame.from_data(self.x).square().sum(1)

    def gaps(self, frame: Frame, p: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Return squared distances from differences, which lose no small distance."""
        return (frame.from_data(self.x) - p[labels]).square().sum(1)


class SparseBlock:
    """Rows in CSR form; products run in scipy, results are dense tensors."""

    def __init__(self, x: Any, device: torch.device, weight: Tensor | None = None) -> None:
        self.x = x
        self.device = device
        self.weight = weight

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def affine(self, slope: Tensor, constant: Tensor) -> Tensor:
        """Return ``x @ slope.T + constant`` of shape (rows, k)."""
        product = np.ascontiguousarray((self.x @ slope.cpu().numpy().T).T)
        return torch.from_numpy(product).to(self.device).add_(constant[:, None]).T

    def soft_sums(self, q: Tensor) -> Tensor:
        """Return ``q.T @ x`` of shape (k, d)."""
        product = np.ascontiguousarray((self.x.T @ q.cpu().numpy()).T)
        return torch.from_numpy(product).to(self.device)

    def hard_sums(self, labels: Tensor, n_groups: int, weight: Tensor | None) -> Tensor:
        """Return the sums of the rows of each group, of shape (n_groups, d)."""
        n = len(self)
        values = np.ones(n, self.x.dtype) if weight is None else weight.cpu().numpy()
        groups = sp.csr_array(
            (values.astype(self.x.dtype), (labels.cpu().numpy(), np.arange(n))),
            shape=(n_groups, n),
        )
        return torch.from_numpy((groups @ self.x).toarray()).to(self.device)

    def dense(self) -> Tensor:
        """Return the rows as a dense tensor."""
        return torch.from_numpy(self.x.toarray()).to(self.device)

    def pick(self, index: Tensor) -> Tensor:
        """Return the chosen rows as a dense tensor."""
        return torch.from_numpy(self.x[index.cpu().numpy()].toarray()).to(self.device)

    def square_norms(self, frame: Frame) -> Tensor:
        """Return the squared norms of the rows in frame coordinates."""
        x, origin = self.x.astype(np.float64), frame.origin.cpu().double().numpy()
        squares = np.asarray(x.multiply(x).sum(axis=1)).ravel()
        norms = squares - 2 * np.asarray(x @ origin).ravel() + origin @ origin
        scaled = torch.from_numpy(norms / frame.unit**2).clamp_min_(0.0)
        return scaled.to(frame.origin)

    def gaps(self, frame: Frame, p: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Return squared distances as score plus squared norm: no row is made dense."""
        return (scores + self.square_norms(frame)).clamp_min(0.0)


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
        self.frame = _measure(self) if frame is None else frame

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

    def blocks(self, n_prototypes: int) -> Iterator[tuple[slice, Block]]:
        """Yield ``(slice of rows, block)`` over the whole data set in order."""
        step = self.block_rows(n_prototypes)
        for start in range(0, self.n_rows, step):
            rows = slice(start, min(start + step, self.n_rows))
            weight = None if self.weight is None else self.weight[rows]
            yield rows, self._block(rows, weight)

    def _block(self, rows: slice, weight: Tensor | None) -> Block:
        part = self.data[rows]
        if isinstance(part, Tensor):
            return DenseBlock(part, weight)
        if sp.issparse(part):
            return SparseBlock(part, self.device, weight)
        # A copy for read-only arrays and memmaps: torch has no read-only tensors.
        part = np.array(part, copy=not part.flags.writeable or None)
        return DenseBlock(torch.from_numpy(part).to(self.device), weight)


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
    shared = data
    if isinstance(data, np.ndarray) and data.flags.writeable and not isinstance(data, np.memmap):
        shared = torch.from_numpy(data)
        if device.type != "cpu" and shared.numel() * shared.element_size() <= 2**31:
            shared = shared.to(device)
    w = None if weight is None else torch.from_numpy(weight.astype(data.dtype)).to(device)
    return Rows(shared, w, device)


def _measure(rows: Rows) -> Frame:
    """Weighted mean, unit and inertia in one pass, block by block (Chan et al., 1979)."""
    acc = rows.accumulator
    mean = torch.zeros(rows.n_features, dtype=acc, device=rows.device)
    total, mass = 0.0, 0.0
    for _, block in rows.blocks(1):
        part_mean, part_total, part_mass = _block_moments(block, acc)
        if part_mass == 0.0:
            continue
        shift = part_mean - mean
        fraction = part_mass / (mass + part_mass)
        total += part_total + float(shift @ shift) * mass * fraction
        mean += shift * fraction
        mass += part_mass
    unit = _power_of_two(total / mass, rows)
    _check_range(mean, unit, rows.dtype)
    return Frame(mean, unit, total / unit / unit, mass)


def _power_of_two(variance: float, rows: Rows) -> float:
    """Return the power of two nearest to the standard deviation; 1 for constant rows."""
    if not 0.0 < variance < np.inf:
        return 1.0 if variance == 0.0 else np.inf
    least = -110 if rows.dtype == torch.float32 else -500
    return float(2.0 ** max(round(np.log2(variance) / 2), least))


def _check_range(mean: Tensor, unit: float, dtype: torch.dtype) -> None:
    """Refuse values whose sums over a block would overflow."""
    limit = 1e32 if dtype == torch.float32 else 1e150
    size = max(float(mean.abs().max()), unit)
    if not size <= limit:
        raise ValueError(
            f"X has values near {size:.0e}, too large for {str(dtype)[6:]} sums (allowed: up to "
            f"{limit:.0e}). Scale X first, for instance with sklearn.preprocessing.StandardScaler."
        )


def _block_moments(block: Block, acc: torch.dtype) -> tuple[Tensor, float, float]:
    """Return the mean (d,), the squared deviation and the mass of one block."""
    if isinstance(block, SparseBlock):
        return _sparse_moments(block, acc)
    x = block.dense().to(acc)
    if block.weight is None:
        mean = x.mean(0)
        return mean, float((x - mean).pow_(2).sum()), float(len(x))
    w = block.weight.to(acc)
    mass = float(w.sum())
    mean = (w @ x) / mass if mass else torch.zeros_like(x[0])
    return mean, float(w @ (x - mean).pow_(2).sum(1)), mass


def _sparse_moments(block: SparseBlock, acc: torch.dtype) -> tuple[Tensor, float, float]:
    """Moments of a sparse block without making it dense: sum of squares minus mean."""
    w = np.ones(len(block)) if block.weight is None else block.weight.cpu().double().numpy()
    mass = float(w.sum())
    x = block.x.astype(np.float64)
    mean = np.asarray(x.T @ w) / max(mass, np.finfo(float).tiny)
    squares = float(w @ np.asarray(x.multiply(x).sum(axis=1)).ravel())
    total = max(squares - mass * float(mean @ mean), 0.0)
    return torch.from_numpy(mean).to(block.device, acc), total, mass
