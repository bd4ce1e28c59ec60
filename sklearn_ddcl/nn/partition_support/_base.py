"""What a partition support offers to a training loop."""

import sys

from torch import Tensor

from sklearn_ddcl.nn._checks import check_real
from sklearn_ddcl.nn.distances import mean_distance
from sklearn_ddcl.nn.options import Options

__all__ = ["PartitionSupport", "absolute_scale", "check_relative"]


class PartitionSupport(Options):
    """Base of what keeps clusters in use while they are trained on batches.

    A subclass either assigns a batch as a whole, by :meth:`targets`, or adds a
    :meth:`penalty` on the assignments to the loss; one that does neither leaves
    each sample to its nearest prototype. Its options are named parameters, as in
    :class:`Options`. At inference there is no support.

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

    def penalty(self, assignments: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return what is added to the loss, in units of the mean squared distance.

        Parameters
        ----------
        assignments : Tensor of shape (b, k)
            Soft assignments of a batch, with their gradient.
        weight : Tensor of shape (b,), optional
            Positive sample weights.

        Returns
        -------
        Tensor, scalar
            The penalty; 0 in this class.
        """
        return assignments.new_zeros(())


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


def check_relative(name: str, value: float, relative: bool) -> None:
    """Require a positive scale, and a bool that says whether it is a multiple.

    Parameters
    ----------
    name : str
        Name of the scale, for the message.
    value : float
        The scale.
    relative : bool
        Whether it multiplies the mean squared distance.

    Raises
    ------
    ValueError
        If the scale is no finite number > 0, or ``relative`` is no bool.

    Examples
    --------
    >>> check_relative("sigma", 0.5, True)
    """
    check_real(name, value, above=0.0)
    if not isinstance(relative, bool):
        raise ValueError(f"relative must be a bool, got {relative!r}.")
