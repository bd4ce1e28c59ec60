"""The rows on which the search runs: a bounded float32 sample, in memory.

Annealing and relocation only have to find the right basin; the hard finish on all
rows, in the dtype of the data, then decides the result.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._config import ReducedConfig
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._frame import Frame
from sklearn_ddcl.engine._passes import hard_pass
from sklearn_ddcl.engine._updates import Gram, class_means
from sklearn_ddcl.nn.assignments import critical_temperature
from sklearn_ddcl.nn.numerics import leading_eigenvalue

__all__ = ["Sample", "critical", "draw_sample", "gram_of"]

_MAX_ELEMENTS = 2**24  # 64 MB in float32
_WIDE = 2048  # more features than this are sketched
_SKETCH = 512
_FEWEST = 2_000


class Sample(NamedTuple):
    """Rows to search on, and how to carry a result back to all rows.

    Attributes
    ----------
    rows : Rows
        The sample in frame coordinates, sketched to fewer columns if wide.
    chosen : ndarray of shape (m,) or None
        Row numbers; None where all rows are used.
    sketched : bool
        Whether the columns are a sketch.
    """

    rows: Rows
    chosen: np.ndarray | None
    sketched: bool

    def lift(self, p: Tensor, rows: Rows) -> Tensor:
        """Return prototypes (k, d) in the full space.

        In a sketch only the assignments are meant: the dual weights
        ``Q / mass`` they define give the prototypes in any space.
        """
        if not self.sketched:
            return p.to(rows.accumulator)
        weight = None if self.rows.weight is None else self.rows.weight.to(rows.dtype)
        part_of_rows, k = _subset(rows, self.chosen, weight), len(p)
        labels = hard_pass(self.rows, p).labels
        mass = torch.zeros(k, dtype=rows.accumulator, device=rows.device)
        sums = torch.zeros(k, rows.n_features, dtype=rows.accumulator, device=rows.device)
        for part, block in part_of_rows.blocks(k):
            sums += block.hard_sums(labels[part], k, block.weight)
            mass += torch.bincount(labels[part], block.weight, minlength=k)
        return class_means(torch.zeros_like(sums), mass, rows.frame.normalize(sums, mass))


def draw_sample(
    rows: Rows, config: ReducedConfig, generator: torch.Generator, dtype: torch.dtype
) -> Sample:
    """Draw the rows to search on.

    Parameters
    ----------
    rows : Rows
        All rows.
    config : ReducedConfig
        For the size of the sample.
    generator : torch.Generator
        Source of the draw.
    dtype : torch.dtype
        Type of the search.

    Returns
    -------
    Sample
        All rows if they are few, else a weighted random part; rows of weight 0
        are left out.
    """
    sketched = rows.n_features > _WIDE and config.flow.hard_finish
    columns = min(rows.n_features, _SKETCH) if sketched else rows.n_features
    size = config.flow.rows_for(config.n_clusters)
    size = min(size, max(_MAX_ELEMENTS // columns, _FEWEST, 10 * config.n_clusters))
    index, weight = _draw_index(rows, size, generator)
    chosen = _subset(rows, index, weight)
    x = _sketch(chosen, columns, generator) if sketched else _dense(chosen)
    x = x.to(dtype)
    weight = None if chosen.weight is None else chosen.weight.to(dtype)
    return Sample(_in_memory(x, weight, rows.device), index, sketched)


def _draw_index(
    rows: Rows, size: int, generator: torch.Generator
) -> tuple[np.ndarray | None, Tensor | None]:
    """Sorted row numbers and weights of a sample; None for all rows and their own weights.

    A lightweight coreset (Bachem, Lucic and Krause, 2018): half of the draws by weight,
    half by weight times squared distance to the mean, with weights that make up for it.
    Heavy rows and small far groups, which decide the loss, are in it as good as surely.
    """
    w = None if rows.weight is None else rows.weight.cpu().numpy().astype(np.float64)
    n_used = rows.n_rows if w is None else int((w > 0).sum())
    if n_used <= size:
        if rows.weight is None or w is None or n_used == rows.n_rows:
            return None, rows.weight
        index = np.flatnonzero(w > 0)
        return index, rows.weight[index]
    share = np.ones(rows.n_rows)
    if rows.frame.inertia > 0:
        for part, block in rows.blocks(1):
            norms = block.square_norms(rows.frame).cpu().numpy()
            share[part] += norms * (rows.frame.weight_sum / rows.frame.inertia)
    share = share if w is None else share * w
    edges = np.cumsum(share)
    start = float(torch.rand(1, generator=generator, dtype=torch.float64))
    # equally spaced points on the edges: no row is drawn twice unless its share is large
    points = (np.arange(size) + start) * (edges[-1] / size)
    drawn = np.minimum(np.searchsorted(edges, points, side="right"), rows.n_rows - 1)
    index, counts = np.unique(drawn, return_counts=True)
    weight = counts / share[index] * (edges[-1] / size)
    weight = weight if w is None else weight * w[index]
    return index, torch.from_numpy(weight).to(rows.device, rows.dtype)


def _subset(rows: Rows, index: np.ndarray | None, weight: Tensor | None) -> Rows:
    if index is None:
        return rows
    key = torch.from_numpy(index) if isinstance(rows.data, Tensor) else index
    return Rows(rows.data[key], weight, rows.device, rows.frame)


def _dense(rows: Rows) -> Tensor:
    """All rows in frame coordinates."""
    parts = [rows.frame.from_block(block.dense()).to(rows.dtype) for _, block in rows.blocks(1)]
    return torch.cat(parts)


def _sketch(rows: Rows, columns: int, generator: torch.Generator) -> Tensor:
    """Rows in the basis of a randomized range finder (Halko et al., 2011, one power step)."""
    basis = torch.randn(columns, rows.n_features, generator=generator)
    basis = basis.to(rows.device, rows.accumulator)
    product = torch.zeros_like(basis)
    for _, block in rows.blocks(columns):
        slope, constant = _projection(rows, basis)
        image = block.affine(slope, constant)
        mass = image.sum(0).to(product)
        product += rows.frame.normalize(block.soft_sums(image).to(product), mass)
    basis = torch.linalg.qr(product.T).Q.T
    slope, constant = _projection(rows, basis)
    return torch.cat([block.affine(slope, constant) for _, block in rows.blocks(columns)])


def _projection(rows: Rows, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and constant such that ``x @ slope.T + constant`` is ``y @ basis.T``."""
    slope = (basis / rows.frame.unit).to(rows.dtype)
    return slope, -(slope.to(basis) @ rows.frame.rest).to(rows.dtype)


def _in_memory(x: Tensor, weight: Tensor | None, device: torch.device) -> Rows:
    """Wrap rows that are in frame coordinates already."""
    acc = torch.float32 if device.type == "mps" else torch.float64
    squares = x.square().sum(1)
    mass = float(len(x)) if weight is None else float(weight.sum(dtype=acc))
    inertia = float((squares if weight is None else squares * weight).sum(dtype=acc))
    origin = torch.zeros(x.shape[1], dtype=acc, device=device)
    return Rows(x.contiguous(), weight, device, Frame(origin, 1.0, inertia, mass, trivial=True))


def critical(rows: Rows, generator: torch.Generator) -> float:
    """Return twice the leading eigenvalue of the covariance of rows in memory.

    To five digits: a scale needs no more, and rounding of the search's float32
    does not reach what is fitted.
    """
    return float(f"{critical_temperature(rows.data, rows.weight, generator):.5g}")


def gram_of(rows: Rows, generator: torch.Generator) -> Gram:
    """Return the Gram matrix of the rows as an operator.

    Parameters
    ----------
    rows : Rows
        Rows in memory, in frame coordinates.
    generator : torch.Generator
        Source of the first vector of the power iteration.

    Returns
    -------
    Gram
        Formed where d is no more than n, else applied on the n-dimensional
        side as two products with the rows.
    """
    x: Tensor = rows.data
    weight = torch.ones_like(x[:, 0]) if rows.weight is None else rows.weight
    x = x * (weight / weight.sum()).sqrt()[:, None]
    small = x.shape[1] <= len(x)
    matrix = x.T @ x if small else x @ x.T
    largest = leading_eigenvalue(matrix, generator=generator).value

    def _product(g: Tensor) -> Tensor:
        half = g.to(x)
        return (half @ matrix if small else (half @ x.T) @ x).to(g)

    return Gram(_product, largest)
