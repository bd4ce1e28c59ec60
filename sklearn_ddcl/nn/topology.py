"""Competitive Hebbian learning: which prototypes win together."""

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_matrix, check_real
from sklearn_ddcl.nn.numerics import normalize_weights

__all__ = ["hebbian_edges", "soft_edges", "two_winners"]


def two_winners(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest and second nearest prototype of every sample.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, k >= 2.

    Returns
    -------
    first, second : Tensor of shape (n,), int64
        The winners; ``first`` is what :func:`hard_assignments` returns, and
        ties go to the lower index. The two always differ.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix with at least two columns.

    Examples
    --------
    >>> import torch
    >>> two_winners(torch.tensor([[3.0, 1.0, 2.0]]))
    (tensor([1]), tensor([2]))
    """
    check_matrix("distances", distances)
    n_prototypes = distances.shape[1]
    if n_prototypes < 2:
        raise ValueError(f"distances must have at least 2 columns, got {n_prototypes}.")
    first = distances.argmin(dim=1)
    others = distances.detach().scatter(1, first.unsqueeze(1), float("inf"))
    second = others.argmin(dim=1)
    # Where every other distance is infinite too, argmin may name the first winner again.
    return first, torch.where(second == first, (first + 1) % n_prototypes, second)


def hebbian_edges(
    first: Tensor, second: Tensor, n_prototypes: int, weight: Tensor | None = None
) -> Tensor:
    """Count how often two prototypes win together.

    Parameters
    ----------
    first, second : Tensor of shape (n,), int64
        The two winners of every sample.
    n_prototypes : int
        Number of prototypes k.
    weight : Tensor of shape (n,), optional
        Sample weights, counted instead of 1.

    Returns
    -------
    Tensor of shape (k, k)
        Symmetric co-activation counts with a zero diagonal: int64, or the
        type of ``weight``.

    Raises
    ------
    ValueError
        If the winners are not index vectors of one length, lie out of range,
        or a sample's two winners are the same.

    Notes
    -----
    Counts have no gradient: the winners are indices.

    Examples
    --------
    >>> import torch
    >>> hebbian_edges(torch.tensor([0, 1]), torch.tensor([1, 0]), 2)
    tensor([[0, 2],
            [2, 0]])
    """
    check_count("n_prototypes", n_prototypes)
    _check_winners(first, second, n_prototypes)
    if weight is not None and weight.shape != first.shape:
        raise ValueError(
            f"weight must have shape {tuple(first.shape)}, got {tuple(weight.shape)}."
        )
    pairs = first * n_prototypes + second
    counts = torch.bincount(pairs, weights=weight, minlength=n_prototypes * n_prototypes)
    counts = counts.reshape(n_prototypes, n_prototypes)
    if weight is not None:
        counts = counts.to(weight.dtype)
    return counts + counts.T


def soft_edges(
    distances: Tensor,
    temperature: float,
    weight: Tensor | None = None,
    saturation: float = 16.0,
) -> Tensor:
    r"""Adjacency of competitive Hebbian learning, with a gradient.

    The second winner of a sample is drawn from a softmax instead of counted:

    .. math:: r_{nj} = \frac{e^{-D_{nj} / T}}{\sum_{l \neq s_n} e^{-D_{nl} / T}}, \quad
              C_{ij} = \sum_{n: s_n = i} w_n r_{nj} + \sum_{n: s_n = j} w_n r_{ni}, \quad
              E_{ij} = 1 - e^{-c k C_{ij}}

    where s_n is the first winner, weights w sum to 1 and c is ``saturation``.
    As an adjacency matrix has ones however often two prototypes win together,
    E saturates: a heavy edge has no gradient, a light one is pushed out.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, k >= 2.
    temperature : float
        T > 0, in the units of the distances.
    weight : Tensor of shape (n,), optional
        Sample weights.
    saturation : float, default=16.0
        c > 0: an edge is there to 63 % when it bears 1 / c of the samples that
        a prototype wins on average.

    Returns
    -------
    Tensor of shape (k, k)
        Symmetric, from 0 to 1, with a zero diagonal.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix with at least two columns, or another
        argument is invalid.

    Examples
    --------
    >>> import torch
    >>> soft_edges(torch.tensor([[0.0, 1.0, 1e4]]), temperature=1.0)
    tensor([[0., 1., 0.],
            [1., 0., 0.],
            [0., 0., 0.]])
    """
    check_real("temperature", temperature, above=0.0)
    check_real("saturation", saturation, above=0.0)
    check_matrix("distances", distances)
    n_prototypes = distances.shape[1]
    if n_prototypes < 2:
        raise ValueError(f"distances must have at least 2 columns, got {n_prototypes}.")
    share = normalize_weights(weight, distances.shape[0], distances)
    first = distances.detach().argmin(dim=1)
    others = distances.scatter(1, first.unsqueeze(1), float("inf"))
    second = torch.softmax(others / -temperature, dim=1) * share.unsqueeze(1)
    together = distances.new_zeros(n_prototypes, n_prototypes).index_add(0, first, second)
    return -torch.expm1(-saturation * n_prototypes * (together + together.T))


def _check_winners(first: Tensor, second: Tensor, n_prototypes: int) -> None:
    for name, winner in (("first", first), ("second", second)):
        if winner.ndim != 1 or winner.dtype != torch.int64:
            raise ValueError(
                f"{name} must be a vector of int64, got shape {tuple(winner.shape)} "
                f"of {winner.dtype}."
            )
        if winner.numel() and (int(winner.min()) < 0 or int(winner.max()) >= n_prototypes):
            raise ValueError(
                f"{name} must lie in [0, {n_prototypes}), got "
                f"{int(winner.min())} to {int(winner.max())}."
            )
    if first.shape != second.shape:
        raise ValueError(
            f"first and second must have the same length, got {first.shape[0]} "
            f"and {second.shape[0]}."
        )
    if bool((first == second).any()):
        raise ValueError("first and second must differ for every sample.")
