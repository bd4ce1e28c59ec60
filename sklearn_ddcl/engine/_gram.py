"""The Gram matrix of frozen features, as what turns a primal step into a dual one."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor

from sklearn_ddcl.engine._data import Rows

__all__ = ["Gram", "measure_gram", "rows_at"]

_WIDE = 2048  # features above which the Gram matrix is that of rows, at most so many of them
_ROW_ELEMENTS = 2**25  # most elements of these rows


class Gram(NamedTuple):
    r"""Mean Gram matrix :math:`Z^\top Z / n` of the rows, or the rows it is made of.

    A dual layer's prototypes are :math:`P = W^\top Z`: where W moves along its
    gradient :math:`Z G^\top`, P moves along :math:`G Z^\top Z`.

    Attributes
    ----------
    factor : Tensor of shape (d, d) or (m, d)
        The matrix itself, or the rows, times the root of their share, that
        give it as ``factor.T @ factor``.
    rank : float
        Effective number of dimensions of the rows, :math:`(\sum_i l_i)^2 /
        \sum_i l_i^2` over the matrix' eigenvalues l.
    square : bool
        Whether ``factor`` is the matrix.
    """

    factor: Tensor
    rank: float
    square: bool

    def apply(self, gradient: Tensor) -> Tensor:
        """Return ``gradient @ Z.T @ Z / n``."""
        if self.square:
            return gradient @ self.factor
        return (gradient @ self.factor.T) @ self.factor

    def sample(self, size: int, generator: torch.Generator) -> Tensor:
        """Draw ``size`` normal vectors with this covariance: random dual weights' prototypes."""
        root = self.factor
        if self.square:
            values, vectors = torch.linalg.eigh(self.factor)
            root = values.clamp_min(0.0).sqrt()[:, None] * vectors.T
        noise = torch.randn(size, len(root), generator=generator, dtype=torch.float64)
        return noise.to(root) @ root


def measure_gram(rows: Rows, scale: float, generator: torch.Generator) -> Gram:
    """Compute the mean Gram matrix of rows in units of their frame.

    Parameters
    ----------
    rows : Rows
        The rows, centred by their frame.
    scale : float
        Length, in the frame, to divide by.
    generator : torch.Generator
        Draws the rows that stand for all where both n and d exceed 2,048.

    Returns
    -------
    Gram
        Of the smaller side.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine._data import wrap_rows
    >>> rows = wrap_rows(np.array([[-1.0], [1.0]]), None, torch.device("cpu"))
    >>> measure_gram(rows, 1.0, torch.Generator()).factor
    tensor([[1.]], dtype=torch.float64)
    """
    n, d = rows.n_rows, rows.n_features
    if d <= min(n, _WIDE):
        matrix = _sum_of_squares(rows, scale)
        return Gram(matrix.to(rows.dtype), _effective_rank(matrix), True)
    size = min(n, max(1, min(_WIDE, _ROW_ELEMENTS // d)))
    index = torch.arange(n) if size == n else torch.randperm(n, generator=generator)[:size]
    z = rows_at(rows, index, scale)
    if rows.weight is None:
        share = torch.full((size,), 1.0 / size, dtype=z.dtype, device=z.device)
    else:
        share = rows.weight[index.to(z.device)]
        share = share / share.sum()
    z = z * share.sqrt()[:, None]
    return Gram(z, _effective_rank((z @ z.T).to(rows.accumulator)), False)


def rows_at(rows: Rows, index: Tensor, scale: float) -> Tensor:
    """Return chosen rows, dense, in units of their frame divided by ``scale``.

    Parameters
    ----------
    rows : Rows
        Where they are.
    index : Tensor of shape (b,), int64, on the CPU
        Their numbers.
    scale : float
        Length in the frame.

    Returns
    -------
    Tensor of shape (b, d)
        In the rows' dtype, on their device.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine._data import wrap_rows
    >>> rows = wrap_rows(np.array([[1.0], [3.0]]), None, torch.device("cpu"))
    >>> rows_at(rows, torch.tensor([1]), 1.0)
    tensor([[1.]], dtype=torch.float64)
    """
    data, frame = rows.data, rows.frame
    if isinstance(data, Tensor):
        x = data[index.to(data.device)]
    else:
        part = data[index.numpy()]
        x = torch.from_numpy(part.toarray() if issparse(part) else np.asarray(part))
    x = x.to(rows.device)
    if frame.shift is not None:
        x = x - frame.shift
    return (frame.from_block(x) / scale).to(rows.dtype)


def _sum_of_squares(rows: Rows, scale: float) -> Tensor:
    d = rows.n_features
    total = torch.zeros(d, d, dtype=rows.accumulator, device=rows.device)
    for _, block in rows.blocks(d):
        z = rows.frame.from_block(block.dense()) / scale
        weighted = z if block.weight is None else z * block.weight[:, None]
        total += (weighted.T @ z).to(total)
    return total / rows.frame.weight_sum


def _effective_rank(matrix: Tensor) -> float:
    squares = float(matrix.square().sum())
    return float(matrix.trace()) ** 2 / squares if squares > 0.0 else 1.0
