"""Entropy of the marginal soft assignment, to be made large."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix, check_real
from sklearn_ddcl.nn.numerics import safe_xlogx, weighted_mean
from sklearn_ddcl.nn.partition_support._base import PartitionSupport

__all__ = ["MarginalEntropy", "marginal_entropy"]


class MarginalEntropy(PartitionSupport):
    r"""Penalty :math:`-H(Y)` on the marginal soft assignment of a batch ("Ent" of [1]_).

    Parameters
    ----------
    strength : float, default=10.0
        Weight >= 0 of the penalty, in units of the mean squared distance.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024, section 2.

    Examples
    --------
    >>> import torch
    >>> MarginalEntropy(strength=2.0).penalty(torch.eye(2))
    tensor(-1.3863)
    """

    def __init__(self, strength: float = 10.0) -> None:
        self.strength = strength

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If ``strength`` is no finite number >= 0.
        """
        check_real("strength", self.strength, at_least=0.0)

    def penalty(self, assignments: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return minus the marginal entropy, times its weight."""
        return -self.strength * marginal_entropy(assignments, weight)


def marginal_entropy(q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Entropy of the mean assignment.

    .. math:: H(Y) = -\sum_j \bar q_j \log \bar q_j

    Parameters
    ----------
    q : Tensor of shape (n, k)
        Assignments, rows on the simplex.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The entropy in nats, from 0 (one cluster) to log k (all equally used).

    Raises
    ------
    ValueError
        If ``q`` is no matrix or ``weight`` is invalid.

    Notes
    -----
    The gradient is :math:`-w_n (\log \bar q_j + 1)` for weights of sum 1. The
    balance loss of DDCL (Eq. 13 there) is :math:`\log k - H(Y)`.

    Examples
    --------
    >>> import torch
    >>> marginal_entropy(torch.eye(2))
    tensor(0.6931)
    """
    check_matrix("q", q)
    return -safe_xlogx(weighted_mean(q, weight)).sum()
