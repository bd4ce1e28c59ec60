"""Partition supports in training: by name, and as the base of an objective."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from sklearn_ddcl.engine._build import plain
from sklearn_ddcl.nn.distances import mean_distance
from sklearn_ddcl.nn.numerics import weighted_mean
from sklearn_ddcl.nn.outputs import ClusterOutput
from sklearn_ddcl.nn.partition_support import (
    CombinationAssignment,
    MarginalEntropy,
    PartitionSupport,
    SinkhornAssignment,
    SumOfSquares,
)

__all__ = ["PARTITION_SUPPORTS", "SupportedTerm", "resolve_support"]

PARTITION_SUPPORTS: dict[str, Callable[[], PartitionSupport]] = {
    "combination": CombinationAssignment,
    "entropy": MarginalEntropy,
    "sinkhorn": SinkhornAssignment,
    "sum_of_squares": SumOfSquares,
}


def resolve_support(value: Any, sigma: float | None = None) -> PartitionSupport:
    """Return a validated support for a name or an object.

    Parameters
    ----------
    value : {"combination", "entropy", "sinkhorn", "sum_of_squares"}, PartitionSupport or None
        A name, an object, or None for the nearest prototype of each sample.
    sigma : float or None, default=None
        Takes the place of the support's own ``sigma``; None leaves that.

    Returns
    -------
    PartitionSupport
        A copy.

    Raises
    ------
    ValueError
        If the name is unknown, an option is not allowed, or there is a sigma for
        a support that has none.
    TypeError
        If it is none of these, such as the class in the place of an object.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_support
    >>> resolve_support("combination", sigma=0.3)
    CombinationAssignment(sigma=0.3, relative=True, prior=None, refine=True)
    """
    given = value
    if isinstance(value, str):
        if value not in PARTITION_SUPPORTS:
            raise ValueError(
                f"The 'partition_support' parameter must be one of {sorted(PARTITION_SUPPORTS)}, "
                f"None or a PartitionSupport. Got {value!r} instead."
            )
        value = PARTITION_SUPPORTS[value]()
    support = PartitionSupport() if value is None else plain(value)
    if not isinstance(support, PartitionSupport):
        raise TypeError(
            f"The 'partition_support' parameter must be one of {sorted(PARTITION_SUPPORTS)}, None "
            f"or an object such as CombinationAssignment(). Got {support!r} instead."
        )
    if sigma is not None:
        if "sigma" not in support.get_params(deep=False):
            raise ValueError(
                f"The 'sigma' parameter must be None with partition_support={given!r}, which has "
                f"no such variance. Got {sigma!r} instead."
            )
        support.set_params(sigma=sigma)
    support.validate()
    return support


class SupportedTerm(nn.Module):
    r"""Mean squared distance to assigned prototypes, with a partition support (Eq. 1 of [1]_).

    .. math:: L = \frac{1}{N} \sum_i \sum_j y_{ij} \|z_i - \mu_j\|^2 + s R(q)

    with the support's targets y, constants to the gradient, or those of the
    nearest prototypes, and its penalty R on the soft assignments q; s is the mean
    squared distance, a constant to the gradient, or 1 if R is not relative.

    Parameters
    ----------
    support : PartitionSupport
        The support.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import ClusterOutput, PartitionSupport
    >>> z, p = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [9.0]])
    >>> output = ClusterOutput(z, p, (z - p.T).square(), torch.full((2, 2), 0.5), 1.0)
    >>> SupportedTerm(PartitionSupport())(output)
    tensor(2.5000)
    """

    def __init__(self, support: PartitionSupport) -> None:
        super().__init__()
        self.support = support

    def forward(self, output: ClusterOutput, weight: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, a squared distance."""
        distances = output.distances
        targets = self.support.targets(distances.detach(), weight)
        errors = distances.amin(dim=1) if targets is None else (targets * distances).sum(dim=1)
        loss = weighted_mean(errors, weight)
        penalty = self.support.penalty(output.assignments, weight)
        if penalty is None:
            return loss
        unit = mean_distance(distances, weight) if self.support.relative else 1.0
        return loss + unit * penalty
