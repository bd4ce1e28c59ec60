"""Complexity of the graph between prototypes: the topological term of competitive learning."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix
from sklearn_ddcl.nn.numerics import weighted_mean
from sklearn_ddcl.nn.topology import hebbian_edges, soft_edges, two_winners

__all__ = ["edge_count_penalty", "hard_quantization_loss", "soft_edge_penalty"]


def hard_quantization_loss(distances: Tensor, weight: Tensor | None = None) -> Tensor:
    """Quantisation error Q of Eq. 21: the mean squared distance to the first winner.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    Tensor, scalar
        The mean.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix or ``weight`` is invalid.

    References
    ----------
    .. [1] P. Barbiero et al., "Gradient-based competitive learning: theory",
       arXiv:2009.02799, Eq. 21.

    Examples
    --------
    >>> import torch
    >>> hard_quantization_loss(torch.tensor([[3.0, 1.0], [2.0, 3.0]]))
    tensor(1.5000)
    """
    check_matrix("distances", distances)
    return weighted_mean(distances.min(dim=1).values, weight)


def soft_edge_penalty(
    distances: Tensor, temperature: float, weight: Tensor | None = None
) -> Tensor:
    r"""Squared norm of the graph, with a gradient: a surrogate of Eq. 21's second term.

    .. math:: \|E\|_F^2 = \sum_{ij} E_{ij}^2

    for `soft_edges` E: about twice the number of edges. Its gradient moves
    prototypes so that samples that bear a light edge change to a heavier one.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, k >= 2.
    temperature : float
        Temperature of the second winner, in the units of the distances.
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    Tensor, scalar
        From 0 to k (k - 1).

    Raises
    ------
    ValueError
        If an argument is invalid.

    Examples
    --------
    >>> import torch
    >>> soft_edge_penalty(torch.tensor([[0.0, 1.0, 100.0]]), temperature=1.0)
    tensor(2.)
    """
    return soft_edges(distances, temperature, weight).square().sum()


def edge_count_penalty(
    distances: Tensor, temperature: float | None = None, weight: Tensor | None = None
) -> Tensor:
    r"""Squared norm of the graph as counted: Eq. 21's second term to the letter.

    Winners are indices, so that this is a constant to the gradient: it shifts
    the value of the loss and moves no prototype.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, k >= 2.
    temperature : float, optional
        Not used; there so that this can stand in for `soft_edge_penalty`.
    weight : Tensor of shape (n,), optional
        Sample weights; a sample of weight 0 makes no edge.

    Returns
    -------
    Tensor, scalar
        Twice the number of edges.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix with at least two columns.

    Examples
    --------
    >>> import torch
    >>> edge_count_penalty(torch.tensor([[0.0, 1.0, 100.0]]))
    tensor(2.)
    """
    first, second = two_winners(distances)
    edges = hebbian_edges(first, second, distances.shape[1], weight)
    return (edges > 0).sum().to(distances.dtype)
