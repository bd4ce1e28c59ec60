"""Incremental assignments (section 4.5): rows of P one feature at a time.

P is (k, d) here as everywhere; the paper's row r(t) of P is its column t.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_count, check_real

__all__ = [
    "IncrementalLoss",
    "incremental_loss",
    "project_to_simplex",
    "widrow_hoff_assignments",
    "widrow_hoff_path",
]


class IncrementalLoss(NamedTuple):
    """The incremental objective and its gradient.

    Attributes
    ----------
    value : Tensor, scalar
        L_inc (Eq. 21).
    gradient : Tensor of shape (k, d)
        Its gradient by the prototypes, the assignments held fixed.
    curvature : Tensor of shape (d, k, k)
        Half its second derivative: for feature s, the matrix that multiplies
        the s-th column of the prototypes.
    """

    value: Tensor
    gradient: Tensor
    curvature: Tensor


def project_to_simplex(v: Tensor) -> Tensor:
    r"""Euclidean projection on the probability simplex (section 4.5).

    .. math:: \Pi(v) = \max(v - \theta, 0), \qquad \sum_j \Pi(v)_j = 1

    Parameters
    ----------
    v : Tensor of shape (..., k)
        Any vectors.

    Returns
    -------
    Tensor of shape (..., k)
        The nearest points that are non-negative and sum to 1.

    References
    ----------
    Duchi et al., "Efficient projections onto the l1-ball for learning in high
    dimensions", ICML 2008.

    Examples
    --------
    >>> import torch
    >>> project_to_simplex(torch.tensor([0.5, 1.5, -3.0]))
    tensor([0., 1., 0.])
    """
    # a shift along (1, ..., 1) does not change the answer; without it sums keep their digits
    v = v - v.amax(dim=-1, keepdim=True)
    descending = v.sort(dim=-1, descending=True).values
    size = torch.arange(1, v.shape[-1] + 1, device=v.device)
    threshold = (descending.cumsum(dim=-1) - 1.0) / size
    support = (descending > threshold).sum(dim=-1, keepdim=True)
    return (v - threshold.gather(-1, support - 1)).clamp_min(0.0)


def widrow_hoff_path(
    z: Tensor, p: Tensor, step_size: float, start: Tensor | None = None
) -> Tensor:
    r"""Return the assignments after each feature (Eq. 18-20, Algorithm 2).

    .. math:: e_n^{(t)} = z_{nt} - r^{(t)\top} q_n^{(t-1)}, \qquad
              q_n^{(t)} = \Pi_\Delta\left(q_n^{(t-1)} + \mu e_n^{(t)} r^{(t)}\right)

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes; r(t) is column t.
    step_size : float
        Mu > 0. An update lowers its feature's error for mu below
        ``2 / |r(t)|^2``; ``1 / |r(t)|^2`` would remove it but for the projection.
    start : Tensor of shape (n, k), optional
        Assignments before the first feature; None takes 1 / k.

    Returns
    -------
    Tensor of shape (d, n, k)
        q(1), ..., q(d).

    Raises
    ------
    ValueError
        If shapes do not fit or ``step_size`` is not positive.

    Examples
    --------
    >>> import torch
    >>> p = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> widrow_hoff_path(torch.tensor([[0.0, 1.0]]), p, 1.0)[-1]
    tensor([[0.8750, 0.1250]])
    """
    check_columns("z", z, "p", p)
    check_real("step_size", step_size, above=0.0)
    q = z.new_full((z.shape[0], p.shape[0]), 1.0 / p.shape[0]) if start is None else start
    path = []
    for feature, row in zip(z.T, p.T, strict=True):
        error = feature - q @ row
        q = project_to_simplex(q + step_size * error.unsqueeze(1) * row)
        path.append(q)
    return torch.stack(path)


def widrow_hoff_assignments(z: Tensor, p: Tensor, step_size: float, n_sweeps: int = 1) -> Tensor:
    r"""Approximate the best assignments (Eq. 17) by sweeps over the features.

    .. math:: q_n = \arg\min_{q \in \Delta} \|z_n - P q\|^2

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    step_size : float
        Mu > 0 of the first sweep; the m-th takes mu / m^0.75, so that many
        sweeps converge where no assignment removes all errors.
    n_sweeps : int, default=1
        How often the features are gone through; 1 is Algorithm 2.

    Returns
    -------
    Tensor of shape (n, k)
        Assignments on the simplex.

    Raises
    ------
    ValueError
        If shapes do not fit or a number is out of its range.

    Examples
    --------
    >>> import torch
    >>> p = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> widrow_hoff_assignments(torch.tensor([[0.5, 0.5]]), p, 0.5)
    tensor([[0.5000, 0.5000]])
    """
    check_count("n_sweeps", n_sweeps)
    q = widrow_hoff_path(z, p, step_size)[-1]
    for sweep in range(2, n_sweeps + 1):
        q = widrow_hoff_path(z, p, step_size / sweep**0.75, q)[-1]
    return q


def incremental_loss(
    z: Tensor, p: Tensor, path: Tensor, feature_weight: Tensor, weight: Tensor | None = None
) -> IncrementalLoss:
    r"""Compute the incremental objective (Eq. 21) and its gradient by the prototypes.

    .. math:: L_{inc} = \sum_t \alpha_t L^{(t)}, \qquad
              L^{(t)} = \frac{1}{N} \sum_n \|z_{n,1:t} - P_{1:t} q_n^{(t)}\|^2

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    path : Tensor of shape (d, n, k)
        Assignments after each feature, from :func:`widrow_hoff_path`.
    feature_weight : Tensor of shape (d,)
        Alpha_t >= 0.
    weight : Tensor of shape (n,), optional
        Sample weights; None weighs all equally.

    Returns
    -------
    IncrementalLoss
        Value, gradient and curvature.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Notes
    -----
    Costs O(d n k (d + k)) time and O(d n k) memory.

    Examples
    --------
    >>> import torch
    >>> z, p = torch.tensor([[1.0]]), torch.tensor([[0.0], [4.0]])
    >>> path = torch.full((1, 1, 2), 0.5)
    >>> loss = incremental_loss(z, p, path, torch.ones(1))
    >>> loss.value, loss.gradient.tolist()
    (tensor(1.), [[1.0], [1.0]])
    """
    check_columns("z", z, "p", p)
    n, d = z.shape
    if path.shape != (d, n, p.shape[0]):
        raise ValueError(f"path must have shape {(d, n, p.shape[0])}, got {tuple(path.shape)}.")
    if feature_weight.shape != (d,):
        raise ValueError(
            f"feature_weight must have shape ({d},), got {tuple(feature_weight.shape)}."
        )
    share = z.new_full((n,), 1.0 / n) if weight is None else (weight / weight.sum()).to(z)
    # feature s is part of L(t) for all t >= s: sums over t, from the end
    weighted = path * feature_weight.view(-1, 1, 1)
    ahead = weighted.flip(0).cumsum(0).flip(0)
    shared = path * share.view(1, -1, 1)
    curvature = (weighted.transpose(1, 2) @ shared).flip(0).cumsum(0).flip(0)
    target = torch.einsum("sn,snk->ks", (z * share.unsqueeze(1)).T, ahead)
    fitted = torch.einsum("skl,ls->ks", curvature, p)
    squares = share @ (z.square() * feature_weight.flip(0).cumsum(0).flip(0))
    value = squares.sum() + (p * (fitted - 2.0 * target)).sum()
    return IncrementalLoss(value, 2.0 * (fitted - target), curvature)
