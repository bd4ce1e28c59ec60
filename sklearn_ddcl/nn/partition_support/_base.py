"""What a partition support offers to a training loop."""

import sys

from torch import Tensor

from sklearn_ddcl.nn.distances import mean_distance
from sklearn_ddcl.nn.options import Options

__all__ = ["PartitionSupport", "absolute_scale"]


class PartitionSupport(Options):
    """Base of what keeps clusters in use while they are trained on batches.

    A subclass either assigns a batch as a whole, by :meth:`targets`, or adds a
    :meth:`penalty` on the assignments to the loss; one that does neither leaves
    each sample to its nearest prototype. Its options are named parameters, as in
    :class:`Options`. At inference there is no support.

    Attributes
    ----------
    relative : bool
        Whether the penalty is in units of the mean squared distance; else it is
        added to the loss as it is.

    Examples
    --------
    >>> import torch
    >>> class Alternate(PartitionSupport):
    ...     def targets(self, distances, weight=None):
    ...         numbers = torch.arange(len(distances)) % distances.shape[1]
    ...         return torch.eye(distances.shape[1])[numbers]
    >>> Alternate().targets(torch.zeros(3, 2)).argmax(dim=1)
    tensor([0, 1, 0])
    """

    relative: bool = True

    def targets(self, distances: Tensor, weight: Tensor | None = None) -> Tensor | None:
        """Assign the samples of a batch to prototypes.

        Parameters
        ----------
        distances : Tensor of shape (b, k)
            Squared distances, without gradient.
        weight : Tensor of shape (b,), optional
            Positive sample weights.

        Returns
        -------
        Tensor of shape (b, k) or None
            Rows on the simplex, without gradient; None for nearest prototypes.
        """
        return None

    def penalty(self, assignments: Tensor, weight: Tensor | None = None) -> Tensor | None:
        """Return what is added to the loss.

        Parameters
        ----------
        assignments : Tensor of shape (b, k)
            Soft assignments of a batch, with their gradient.
        weight : Tensor of shape (b,), optional
            Positive sample weights.

        Returns
        -------
        Tensor, scalar, or None
            The penalty; None for none.
        """
        return None


def absolute_scale(
    value: float, relative: bool, distances: Tensor, weight: Tensor | None = None
) -> float:
    """Return a squared length, given as a multiple of the mean squared distance or as it is.

    Parameters
    ----------
    value : float
        The multiple or the length, > 0.
    relative : bool
        Which of the two.
    distances : Tensor of shape (b, k)
        Squared distances of a batch, finite.
    weight : Tensor of shape (b,), optional
        Sample weights.

    Returns
    -------
    float
        The length, > 0: the smallest normal number where all distances are 0.

    Examples
    --------
    >>> import torch
    >>> absolute_scale(0.5, True, torch.tensor([[0.0, 4.0]]))
    1.0
    """
    scale = mean_distance(distances, weight)  # also checks the distances
    return max(value * scale, sys.float_info.min) if relative else value
