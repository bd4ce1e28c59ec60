"""Dual competitive layer, explicit form: prototypes are combinations of the samples."""

import math

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_count, check_matrix
from sklearn_ddcl.nn.numerics import normalize_weights

__all__ = ["DualPrototypes", "dual_prototypes", "exact_dual_weights", "random_dual_weights"]


def dual_prototypes(z: Tensor, weight: Tensor) -> Tensor:
    r"""Prototypes of the dual layer (Eq. 4): :math:`P = W^\top Z`.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    weight : Tensor of shape (n, k)
        Dual weights, one row a sample.

    Returns
    -------
    Tensor of shape (k, d)
        The prototypes, in the span of the samples.

    Raises
    ------
    ValueError
        If either is no matrix or the numbers of rows differ.

    Examples
    --------
    >>> import torch
    >>> dual_prototypes(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.5], [0.5]]))
    tensor([[2.]])
    """
    check_matrix("z", z)
    check_matrix("weight", weight)
    if z.shape[0] != weight.shape[0]:
        raise ValueError(
            f"z must have {weight.shape[0]} rows, one a row of weight, got {z.shape[0]}: "
            "a dual layer is tied to its samples."
        )
    return weight.T @ z


def exact_dual_weights(q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Dual weights that minimise Lq at fixed assignments.

    .. math:: W_{nj} = \frac{w_n q_{nj}}{\sum_m w_m q_{mj}}

    Lq is a convex quadratic in P, minimised without constraint by
    :math:`p_j = \sum_n w_n q_{nj} z_n / \sum_n w_n q_{nj}`; that point is
    :math:`W^\top Z` for this W, so no other W does better.

    Parameters
    ----------
    q : Tensor of shape (n, k)
        Assignments.
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    Tensor of shape (n, k)
        Columns that sum to 1. A column without mass, for which any weights
        are optimal, gets the sample weights: its prototype is the mean.

    Raises
    ------
    ValueError
        If ``q`` is no matrix or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> exact_dual_weights(torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]))
    tensor([[0.5000, 0.0000],
            [0.2500, 0.5000],
            [0.2500, 0.5000]])
    """
    check_matrix("q", q)
    share = normalize_weights(weight, q.shape[0], q).unsqueeze(1)
    largest = q.amax(dim=0)  # first to 1, as the mass of a tiny column could underflow
    relative = share * (q / largest.clamp_min(torch.finfo(q.dtype).tiny))
    mass = relative.sum(dim=0)
    return torch.where(mass > 0, relative / mass.clamp_min(torch.finfo(q.dtype).tiny), share)


def random_dual_weights(
    n_samples: int,
    n_prototypes: int,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Dual weights whose prototypes are spread like the data.

    Parameters
    ----------
    n_samples, n_prototypes : int
        Shape (n, k) of the weights.
    generator : torch.Generator, optional
        Source of randomness; a fixed seed if left out.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Returns
    -------
    Tensor of shape (n, k)
        ``1 / n`` plus normal noise of variance ``1 / n`` whose columns sum to
        0: for any features, ``W^T Z`` is normal with their mean and
        covariance.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    Examples
    --------
    >>> random_dual_weights(4, 2).sum(dim=0)
    tensor([1.0000, 1.0000])
    """
    check_count("n_samples", n_samples)
    check_count("n_prototypes", n_prototypes)
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    noise = torch.randn(
        n_samples, n_prototypes, generator=generator, device=generator.device, dtype=dtype
    )
    return 1.0 / n_samples + (noise - noise.mean(dim=0)) / math.sqrt(n_samples)


class DualPrototypes(nn.Module):
    """Dual competitive layer with explicit weights (Eq. 4).

    Parameters
    ----------
    n_samples : int
        Number of samples n; ``forward`` takes exactly these, in this order.
    n_prototypes : int
        Number of prototypes k.
    generator : torch.Generator, optional
        Source of the first weights, see :func:`random_dual_weights`.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    weight : Parameter of shape (n, k)
        One row a sample.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    Examples
    --------
    >>> import torch
    >>> DualPrototypes(n_samples=5, n_prototypes=3)(torch.zeros(5, 2)).shape
    torch.Size([3, 2])
    """

    needs_fixed_batch = True

    def __init__(
        self,
        n_samples: int,
        n_prototypes: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        first = random_dual_weights(n_samples, n_prototypes, generator, dtype)
        self.weight = nn.Parameter(first)

    def forward(self, z: Tensor) -> Tensor:
        """Return the prototypes.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Features of all samples.

        Returns
        -------
        Tensor of shape (k, d)
            ``W^T Z``, differentiable in both.

        Raises
        ------
        ValueError
            If ``z`` has another number of rows.
        """
        return dual_prototypes(z, self.weight)

    def extra_repr(self) -> str:
        """Name the sizes in the module's representation."""
        return f"n_samples={self.weight.shape[0]}, n_prototypes={self.weight.shape[1]}"
