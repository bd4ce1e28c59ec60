"""Terms that keep clusters in use, assignments soft or hard, and prototypes apart."""

import math

from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix
from sklearn_ddcl.nn.distances import pairwise_separation
from sklearn_ddcl.nn.losses._coercivity import Reduction, pairs_factor
from sklearn_ddcl.nn.numerics import safe_xlogx, weighted_mean

__all__ = [
    "balance_loss",
    "entropy_loss",
    "quadratic_loss",
    "separation_loss",
]


def balance_loss(q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Divergence of the mean assignment from uniform (Eq. 13).

    .. math:: L_{bal} = KL(\bar q \,\|\, 1/k) = \sum_j \bar q_j \log (k \bar q_j)

    Parameters
    ----------
    q : Tensor of shape (n, k)
        Assignments, rows on the simplex.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The divergence in nats, from 0 (all clusters equally used) to log k.

    Raises
    ------
    ValueError
        If ``q`` is no matrix or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> balance_loss(torch.eye(2))
    tensor(0.)
    """
    check_matrix("q", q)
    mean = weighted_mean(q, weight)
    return (safe_xlogx(mean) + math.log(q.shape[1]) * mean).sum()


def entropy_loss(q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean entropy of the assignments (Eq. 14).

    .. math:: L_{ent} = -\frac{1}{n} \sum_n \sum_j q_{nj} \log q_{nj}

    Parameters
    ----------
    q : Tensor of shape (n, k)
        Assignments, rows on the simplex.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The entropy in nats, from 0 (hard) to log k (uniform). Minimising it
        sharpens assignments.

    Raises
    ------
    ValueError
        If ``q`` is no matrix or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> entropy_loss(torch.tensor([[0.5, 0.5]]))
    tensor(0.6931)
    """
    check_matrix("q", q)
    return -weighted_mean(safe_xlogx(q).sum(dim=1), weight)


def separation_loss(p: Tensor, reduction: Reduction = "mean") -> Tensor:
    r"""Negative squared distances between prototypes (Eq. 15).

    .. math:: L_{sep} = -\sum_{i<j} \|p_i - p_j\|^2

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.
    reduction : {"mean", "sum"}, default="mean"
        Mean over pairs, so that a weight means the same for any k, or the
        paper's sum.

    Returns
    -------
    Tensor, scalar
        The loss <= 0, a squared distance. It is unbounded below; see
        :func:`check_coercivity`.

    Raises
    ------
    ValueError
        If ``p`` is no matrix or ``reduction`` is unknown.

    Examples
    --------
    >>> import torch
    >>> separation_loss(torch.tensor([[0.0], [1.0], [2.0]]), reduction="sum")
    tensor(-6.)
    """
    return -pairs_factor(p.shape[0], reduction) * pairwise_separation(p)


def quadratic_loss(p: Tensor) -> Tensor:
    r"""Quadratic term of Eq. 12: :math:`\frac{1}{2} \|P\|_F^2`.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Tensor, scalar
        Half the squared Frobenius norm, a squared distance.

    Raises
    ------
    ValueError
        If ``p`` is no matrix.

    Examples
    --------
    >>> import torch
    >>> quadratic_loss(torch.tensor([[3.0, 4.0]]))
    tensor(12.5000)
    """
    check_matrix("p", p)
    return 0.5 * p.square().sum()
