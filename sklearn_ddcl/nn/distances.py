"""Squared Euclidean distances between features and prototypes."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_matrix
from sklearn_ddcl.nn.numerics import weighted_mean, wide_dtype

__all__ = ["mean_distance", "pairwise_separation", "prototype_distances", "squared_distances"]


def squared_distances(z: Tensor, p: Tensor, z_squared_norms: Tensor | None = None) -> Tensor:
    """Squared Euclidean distances from samples to prototypes.

    Uses ``|z|^2 - 2 z p^T + |p|^2``: one matrix product, never an array of
    shape (n, k, d), and negative rounding errors are cut off at 0.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    z_squared_norms : Tensor of shape (n,), optional
        ``(z * z).sum(1)``, to save a pass over fixed features.

    Returns
    -------
    Tensor of shape (n, k)
        ``|z_n - p_j|^2`` in squared units of ``z``.

    Raises
    ------
    ValueError
        If ``z`` or ``p`` is no matrix, their widths differ, or
        ``z_squared_norms`` does not have one entry a row of ``z``.

    Notes
    -----
    The rounding error is about ``eps * (|z|^2 + |p|^2)``. Features with a
    large common offset lose digits: subtract their mean first, from ``z`` and
    ``p`` alike; distances do not change. A distance that rounds to 0 passes
    no gradient; the true one is then below about ``2 sqrt(eps) |z|``.

    Examples
    --------
    >>> import torch
    >>> squared_distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[25.,  1.]])
    """
    check_columns("z", z, "p", p)
    if z_squared_norms is None:
        z_squared_norms = (z * z).sum(dim=1)
    elif z_squared_norms.shape != (z.shape[0],):
        raise ValueError(
            f"z_squared_norms must have shape ({z.shape[0]},), got {tuple(z_squared_norms.shape)}."
        )
    distances = torch.addmm((p * p).sum(dim=1), z, p.T, alpha=-2.0)
    # relu_ rather than clamp_: its backward reads the result, so it may run in place
    return torch.relu_(distances.add_(z_squared_norms.unsqueeze(1)))


def prototype_distances(p: Tensor) -> Tensor:
    """Squared distances between all pairs of prototypes, free of cancellation.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Tensor of shape (k, k)
        ``|p_i - p_j|^2``, symmetric, with an exact zero on the diagonal.

    Raises
    ------
    ValueError
        If ``p`` is no matrix.

    Notes
    -----
    Differences are taken before squaring, so that prototypes about to
    coincide keep their digits. Memory is (k, k).

    Examples
    --------
    >>> import torch
    >>> prototype_distances(torch.tensor([[1e8], [1e8 + 2.0]], dtype=torch.float64))
    tensor([[0., 4.],
            [4., 0.]], dtype=torch.float64)
    """
    check_matrix("p", p)
    return torch.cdist(p, p, compute_mode="donot_use_mm_for_euclid_dist").square()


def pairwise_separation(p: Tensor) -> Tensor:
    r"""Mean squared distance over pairs of prototypes (Eq. 35).

    .. math:: S(P) = \frac{2}{k (k-1)} \sum_{i<j} \|p_i - p_j\|^2
              = \frac{2}{k-1} \sum_j \|p_j - \bar p\|^2

    The second form costs O(k d) and does not cancel.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Tensor, scalar
        S(P) in squared units of ``p``; 0 for a single prototype.

    Raises
    ------
    ValueError
        If ``p`` is no matrix.

    Examples
    --------
    >>> import torch
    >>> pairwise_separation(torch.tensor([[0.0], [1.0], [2.0]]))
    tensor(2.)
    """
    check_matrix("p", p)
    centred = p - p.mean(dim=0)
    return 2.0 / max(p.shape[0] - 1, 1) * centred.square().sum()


def mean_distance(distances: Tensor, weight: Tensor | None = None) -> float:
    """Return the mean over all pairs of a sample and a prototype, a scale of the data.

    It grows with the square of the features, and is positive as long as one
    sample lies off one prototype, even if all prototypes coincide.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, finite.
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    float
        The mean, a squared distance.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix or not finite, or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> mean_distance(torch.tensor([[0.0, 2.0], [4.0, 6.0]]))
    3.0
    """
    check_matrix("distances", distances)
    wide = distances.detach().to(wide_dtype(distances))
    largest = float(wide.abs().amax())
    if not largest < float("inf"):
        raise ValueError(f"distances must be finite, got {largest} among them.")
    if largest == 0.0:
        return 0.0
    # the sum of large distances could overflow; a power of two rounds nothing
    unit = math.ldexp(0.5, math.frexp(largest)[1])
    share = None if weight is None else weight.to(wide)
    return unit * float(weighted_mean((wide / unit).mean(dim=1), share))
