"""Entropy of the marginal soft assignment, to be made large."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_flag, check_matrix, check_real
from sklearn_ddcl.nn.numerics import safe_xlogx, weighted_mean
from sklearn_ddcl.nn.partition_support._base import PartitionSupport

__all__ = ["MarginalEntropy", "marginal_entropy"]


class MarginalEntropy(PartitionSupport):
    r"""Penalty :math:`-H(Y)` on the marginal soft assignment of a batch.

    "Ent" in [1]_.

    Parameters
    ----------
    strength : float, default=10.0
        Weight >= 0 of the penalty.
    relative : bool, default=True
        Whether that is a multiple of the mean of all squared distances between the
        batch's samples and the prototypes; else it is a squared distance, next to
        which distances may be large.

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

    def __init__(self, strength: float = 10.0, relative: bool = True) -> None:
        self.strength = strength
        self.relative = relative

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If ``strength`` is no finite number >= 0, or ``relative`` is no bool.
        """
        check_real("strength", self.strength, at_least=0.0)
        check_flag("relative", self.relative)

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
