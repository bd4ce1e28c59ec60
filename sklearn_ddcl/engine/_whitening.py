"""Features whitened and put on the unit sphere, as a frozen last layer of a backbone."""

import torch
from torch import Tensor, nn

__all__ = ["MOST_COMPONENTS", "Whitening", "fit_whitening"]

MOST_COMPONENTS = 256
_ROWS_EACH = 5  # a variance estimated from fewer rows is mostly noise, which whitening blows up
_ROUNDING = 16.0
_NEGLIGIBLE = 1e-10  # share of the largest variance that rounding in float32 may make


class Whitening(nn.Module):
    """Principal components of variance 1, then divided by their norm.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        Mean of the features.
    basis : Tensor of shape (d, c)
        Orthogonal components, each over its standard deviation.

    Examples
    --------
    >>> import torch
    >>> Whitening(torch.zeros(2), torch.eye(2))(torch.tensor([[0.0, 5.0]]))
    tensor([[0., 1.]])
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("basis", basis)

    def forward(self, z: Tensor) -> Tensor:
        """Return rows of norm 1; 0 where a row is the mean."""
        components = (z - self.mean) @ self.basis
        norm = torch.linalg.vector_norm(components, dim=1, keepdim=True)
        unit: Tensor = components / norm.clamp_min(torch.finfo(norm.dtype).tiny)
        return unit


def fit_whitening(z: Tensor, share: Tensor | None, n_components: int | None) -> Whitening:
    """Fit the whitening of features.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Finite features, on the CPU.
    share : Tensor of shape (n,) or None
        Positive weights.
    n_components : int or None
        Number of components, at most d. None takes all, but at most 256, and
        at most one for every 5 rows.

    Returns
    -------
    Whitening
        In float64. Directions in which features do not vary are left out, so
        that there may be fewer components; one that is 0 where nothing varies.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[0.0, 0.0], [8.0, 0.0], [0.0, 2.0], [8.0, 2.0]])
    >>> fit_whitening(z, None, 2)(z.double()).abs()
    tensor([[0.7071, 0.7071],
            [0.7071, 0.7071],
            [0.7071, 0.7071],
            [0.7071, 0.7071]], dtype=torch.float64)
    """
    exact = z.double()
    mass = torch.ones(len(exact), dtype=torch.float64) if share is None else share.double()
    mass = mass / mass.sum()
    mean = mass @ exact
    centred = exact - mean
    unit = float(centred.abs().max())
    # equal rows differ by their rounding, which depends on their place in a block
    if not unit > _ROUNDING * float(torch.finfo(z.dtype).eps) * float(exact.abs().max()):
        return Whitening(mean, torch.zeros(exact.shape[1], 1, dtype=torch.float64))
    scaled = centred / unit
    values, vectors = torch.linalg.eigh(scaled.T @ (mass[:, None] * scaled))
    most = n_components
    if most is None:
        most = min(MOST_COMPONENTS, max(len(exact) // _ROWS_EACH, 2))
    values, vectors = values.flip(0)[:most], vectors.flip(1)[:, :most]
    used = values > _NEGLIGIBLE * values[0]
    return Whitening(mean, vectors[:, used] / values[used].sqrt() / unit)
