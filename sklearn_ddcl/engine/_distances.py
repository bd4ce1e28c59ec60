"""Squared distances of features that may lie far from the origin."""

from torch import Tensor

from sklearn_ddcl.nn.distances import squared_distances

__all__ = ["centred_distances", "nearest_prototypes"]


def centred_distances(z: Tensor, prototypes: Tensor) -> Tensor:
    """Return squared distances, a common offset taken off first.

    An offset would cost the expanded form of the distances their digits. They
    don't depend on it, so that it needs no gradient.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    prototypes : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Tensor of shape (n, k)
        Squared distances.

    Examples
    --------
    >>> import torch
    >>> centred_distances(torch.tensor([[1e4]]), torch.tensor([[1e4 - 1], [1e4 + 1]]))
    tensor([[1., 1.]])
    """
    centre = prototypes.detach().mean(dim=0)
    return squared_distances(z - centre, prototypes - centre)


def nearest_prototypes(z: Tensor, prototypes: Tensor) -> Tensor:
    """Return the number of the nearest prototype of each row.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    prototypes : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Tensor of shape (n,), int64
        Labels.

    Examples
    --------
    >>> import torch
    >>> nearest_prototypes(torch.tensor([[0.0], [9.0]]), torch.tensor([[1.0], [8.0]]))
    tensor([0, 1])
    """
    return centred_distances(z, prototypes).argmin(dim=1)
