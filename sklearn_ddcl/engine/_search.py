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
        part_of_rows, k = _subset(rows, self.chosen), len(p)
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
        All rows if they are few, else a random part; rows of weight 0 are left out.
    """
    sketched = rows.n_features > _WIDE and config.flow.hard_finish
    columns = min(rows.n_features, _SKETCH) if sketched else rows.n_features
    size = config.flow.rows_for(config.n_clusters)
    size = min(size, max(_MAX_ELEMENTS // columns, _FEWEST, 10 * config.n_clusters))
    index = _draw_index(rows, size, generator)
    chosen = _subset(rows, index)
    x = _sketch(chosen, columns, generator) if sketched else _dense(chosen)
    x = x.to(dtype)
    weight = None if chosen.weight is None else chosen.weight.to(dtype)
    return Sample(_in_memory(x, weight, rows.device), index, sketched)


def _draw_index(rows: Rows, size: int, generator: torch.Generator) -> np.ndarray | None:
    """Sorted row numbers of a sample without replacement, or None for all rows."""
    if rows.weight is None:
        if rows.n_rows <= size:
            return None
        return np.sort(torch.randperm(rows.n_rows, generator=generator)[:size].numpy())
    used = np.flatnonzero(rows.weight.cpu().numpy() > 0)
    if len(used) == rows.n_rows <= size:
        return None
    if len(used) > size:
        used = used[torch.randperm(len(used), generator=generator)[:size].numpy()]
    return np.sort(used)


def _subset(rows: Rows, index: np.ndarray | None) -> Rows:
    if index is None:
        return rows
    key = torch.from_numpy(index) if isinstance(rows.data, Tensor) else index
    weight = None if rows.weight is None else rows.weight[torch.from_numpy(index)]
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

    def product(g: Tensor) -> Tensor:
        half = g.to(x)
        return (half @ matrix if small else (half @ x.T) @ x).to(g)

    return Gram(product, largest)
