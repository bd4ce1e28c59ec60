"""A few consecutive rows, dense or sparse, and the products a pass takes with them."""

from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from sklearn_ddcl.engine._frame import Frame

__all__ = ["Block", "DenseBlock", "SparseBlock", "block_moments"]

_NEAR = 1e-3  # of the squared norm: a squared distance this small has lost half its digits
_PICKED_ELEMENTS = 2**19  # elements of sparse rows made dense at a time


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
    """Rows held in one tensor.

    With a flat ``scratch`` tensor, `affine` writes into it: its result then lasts until
    the next block's. Megabytes allocated and freed for each block would leave holes in
    the heap that the process keeps.
    """

    def __init__(
        self, x: Tensor, weight: Tensor | None = None, scratch: Tensor | None = None
    ) -> None:
        self.x = x
        self.weight = weight
        self.scratch = scratch

    def __len__(self) -> int:
        return len(self.x)

    def affine(self, slope: Tensor, constant: Tensor) -> Tensor:
        """Return ``x @ slope.T + constant`` of shape (rows, k)."""
        if self.scratch is None:
            return torch.addmm(constant[:, None], slope, self.x.T).T
        shape = (len(slope), len(self.x))
        out = self.scratch[: shape[0] * shape[1]].view(shape)
        return torch.addmm(constant[:, None], slope, self.x.T, out=out).T

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
        return frame.from_block(self.x).square().sum(1)

    def gaps(self, frame: Frame, p: Tensor, labels: Tensor, scores: Tensor) -> Tensor:
        """Return squared distances from differences, which lose no small distance."""
        return (frame.from_block(self.x) - p[labels]).square().sum(1)


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
        """Return squared distances as score plus squared norm, small ones from differences.

        Only rows close to their prototypes, whose distance the sum would lose to
        rounding, are made dense, a few at a time.
        """
        norms = self.square_norms(frame)
        gaps = (scores + norms).clamp_min(0.0)
        near = torch.nonzero(gaps <= _NEAR * norms.clamp_min(1.0)).flatten()
        for part in torch.split(near, max(1, _PICKED_ELEMENTS // int(self.x.shape[1]))):
            difference = frame.from_block(self.pick(part)) - p[labels[part]]
            gaps[part] = difference.square().sum(1)
        return gaps


def block_moments(block: Block, acc: torch.dtype) -> tuple[Tensor, float, float]:
    """Return the mean, the squared deviation and the mass of one block.

    Parameters
    ----------
    block : Block
        The rows.
    acc : torch.dtype
        Type of the sums.

    Returns
    -------
    tuple of (Tensor of shape (d,), float, float)
        Weighted mean, weighted sum of squared deviations, sum of the weights.
    """
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
    with np.errstate(over="ignore"):  # an infinite total is refused by name
        mean = np.asarray(x.T @ w) / max(mass, np.finfo(float).tiny)
        squares = float(w @ np.asarray(x.multiply(x).sum(axis=1)).ravel())
        total = max(squares - mass * float(mean @ mean), 0.0)
    return torch.from_numpy(mean).to(block.device, acc), total, mass
