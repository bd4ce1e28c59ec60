"""Sum of squares of the marginal soft assignment, to be made small."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_flag, check_matrix, check_real
from sklearn_ddcl.nn.numerics import weighted_mean
from sklearn_ddcl.nn.partition_support._base import PartitionSupport

__all__ = ["SumOfSquares", "sum_of_squares"]


class SumOfSquares(PartitionSupport):
    r"""Penalty :math:`\sum_j \bar q_j^2` on the marginal assignment of a batch.

    "SS" in [1]_.

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
    >>> SumOfSquares(strength=2.0).penalty(torch.eye(2))
    tensor(1.)
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
        """Return the sum of squares, times its weight."""
        return self.strength * sum_of_squares(assignments, weight)


def sum_of_squares(q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Sum of squares of the mean assignment.

    .. math:: \sum_j \bar q_j^2

    Parameters
    ----------
    q : Tensor of shape (n, k)
        Assignments, rows on the simplex.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        Between 1 / k (all clusters equally used) and 1 (one cluster).

    Raises
    ------
    ValueError
        If ``q`` is no matrix or ``weight`` is invalid.

    Notes
    -----
    The gradient is :math:`2 w_n \bar q_j` for weights of sum 1.

    Examples
    --------
    >>> import torch
    >>> sum_of_squares(torch.eye(2))
    tensor(0.5000)
    """
    check_matrix("q", q)
    return weighted_mean(q, weight).square().sum()
