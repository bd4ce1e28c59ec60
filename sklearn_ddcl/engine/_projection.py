"""Principal components of the samples, scaled as networks like their inputs."""

import math
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor, nn

__all__ = ["Projection", "principal_projection", "project_rows"]

_COMPONENTS = 128
_WIDE = 2048  # more features than this have their components sketched
_BLOCK_ELEMENTS = 2**23
_ROUNDING = 8 * float(np.finfo(float).eps)
_SMALL = 1e-8


class Projection(nn.Module):
    """Frozen affine map onto principal components: ``(x - mean) @ basis``.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        Mean of the samples.
    basis : Tensor of shape (d, c)
        Orthogonal components over one common scale, after which the mean
        variance of the c outputs is 1.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("basis", basis)

    def forward(self, x: Tensor) -> Tensor:
        """Return the components of the samples, trailing dimensions flattened."""
        return (x.flatten(1) - self.mean) @ self.basis


def principal_projection(
    data: Any, generator: torch.Generator, weight: np.ndarray | None = None
) -> Projection:
    """Fit the projection of the samples onto at most 128 components.

    Distances stay what they are but for a common factor and the directions of
    least variance, so that neighbours can be searched among the components.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Samples.
    generator : torch.Generator
        Source of the sketch, used above 2048 features.
    weight : ndarray of shape (n,) or None
        Sample weights.

    Returns
    -------
    Projection
        In float64 on the CPU. Samples all equal are mapped to zero.

    Raises
    ------
    ValueError
        If differences of samples leave the range of float64.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine import principal_projection
    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> principal_projection(x, torch.Generator())(torch.from_numpy(x)).var(0, correction=0)
    tensor([1., 1.], dtype=torch.float64)
    """
    mass = np.ones(data.shape[0]) if weight is None else weight.astype(np.float64)
    share = torch.from_numpy(mass / mass.sum())
    width = int(np.prod(data.shape[1:]))
    mean, unit = _centre(data, share, width)
    if width <= _WIDE:
        basis = torch.eye(width, dtype=torch.float64)
    else:
        start = torch.randn(width, 2 * _COMPONENTS, generator=generator, dtype=torch.float64)
        basis = torch.linalg.qr(_covariance(data, share, (mean, unit), start)).Q
    # Rayleigh-Ritz: exact where the basis is the whole space, Halko et al. (2011) else
    values, vectors = torch.linalg.eigh(basis.T @ _covariance(data, share, (mean, unit), basis))
    values, vectors = values.flip(0)[:_COMPONENTS], vectors.flip(1)[:, :_COMPONENTS]
    scale = float(values.clamp_min(0.0).mean().sqrt())
    return Projection(mean, basis @ vectors / (scale or torch.inf) / unit)


def project_rows(data: Any, projection: nn.Module, dtype: torch.dtype) -> Tensor:
    """Apply a projection block by block.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Samples.
    projection : nn.Module
        A `Projection` in float64.
    dtype : torch.dtype
        Type of the result.

    Returns
    -------
    Tensor of shape (n, c)
        The components.
    """
    with torch.no_grad():
        return torch.cat([projection(rows).to(dtype) for _, rows in _blocks(data)])


def _centre(data: Any, share: Tensor, width: int) -> tuple[Tensor, float]:
    """Return mean and largest deviation from it: squares of 1e200 or 1e-200 leave float64."""
    mean = torch.zeros(width, dtype=torch.float64)
    # where deviations are small beside the mean, its rounding may be all that is left of them
    for least in (_SMALL, _ROUNDING):
        step = torch.zeros_like(mean)
        for part, rows in _blocks(data):
            step += share[part] @ (rows - mean)
        mean = mean + step
        unit = max(float((rows - mean).abs().max()) for _, rows in _blocks(data))
        if not math.isfinite(unit):
            raise ValueError("X has values too large for float64 sums. Scale X first.")
        if unit > least * float(mean.abs().max()):
            return mean, unit
    return mean, math.inf  # equal rows


def _covariance(data: Any, share: Tensor, frame: tuple[Tensor, float], basis: Tensor) -> Tensor:
    mean, unit = frame
    product = torch.zeros_like(basis)
    for part, rows in _blocks(data):
        centred = (rows - mean) / unit
        product += centred.T @ (share[part, None] * (centred @ basis))
    return product


def _blocks(data: Any) -> Any:
    n, width = data.shape[0], max(int(np.prod(data.shape[1:])), 1)
    height = max(_BLOCK_ELEMENTS // width, 1)
    for first in range(0, n, height):
        part = slice(first, min(first + height, n))
        rows = data[part].toarray() if issparse(data) else np.asarray(data[part])
        yield part, torch.from_numpy(rows.reshape(len(rows), -1).astype(np.float64))
