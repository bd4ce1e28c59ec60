"""Summaries of many samples by few weighted rows, and what they are good for.

A stream is not kept; a few hundred means of samples that lay close together stand
for it. Merging keeps total weight and weighted mean exactly.
"""

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_count, check_matrix
from sklearn_ddcl.nn.distances import squared_distances

__all__ = ["MergedRows", "Swap", "best_swap", "merge_light_rows"]

_PLACES = 8
_MOST_SEEDS = 200
_LEAST_GAIN = 1e-3  # a swap that gains less is not worth unsettling the prototypes


class MergedRows(NamedTuple):
    """Fewer rows for the same mass.

    Attributes
    ----------
    rows : Tensor of shape (m, d)
        Weighted means of the rows that were merged.
    weight : Tensor of shape (m,)
        Their weights.
    """

    rows: Tensor
    weight: Tensor


class Swap(NamedTuple):
    """A prototype that does more good elsewhere.

    Attributes
    ----------
    prototype : int
        Which prototype moves.
    place : Tensor of shape (d,)
        Where it moves to.
    gain : float
        By what share of itself the inertia falls.
    """

    prototype: int
    place: Tensor
    gain: float


def merge_light_rows(
    rows: Tensor, weight: Tensor, n_kept: int, distances: Tensor | None = None
) -> MergedRows:
    r"""Merge rows into heavier ones until few are left.

    A row i goes to that heavier row j at which the inertia grows least, by Ward's
    cost :math:`\frac{w_i w_j}{w_i + w_j} \|x_i - x_j\|^2`; the cheapest merges
    are carried out.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        Rows, by falling weight.
    weight : Tensor of shape (n,)
        Weights > 0.
    n_kept : int
        Number of rows to keep.
    distances : Tensor of shape (m, n), optional
        Squared distances of the m heaviest rows, the only ones to which others
        may go then, to all rows; ``m >= n_kept``. None computes those of all.

    Returns
    -------
    MergedRows
        At most ``n_kept`` rows, in the order of those that others came to.

    Raises
    ------
    ValueError
        If ``rows`` is no matrix, ``n_kept`` is less than 1, a weight is larger
        than the one before, or ``distances`` have another shape.

    References
    ----------
    Ward, "Hierarchical grouping to optimize an objective function", JASA 1963.

    Examples
    --------
    >>> import torch
    >>> rows = torch.tensor([[9.0], [0.0], [9.5]])
    >>> merge_light_rows(rows, torch.tensor([3.0, 1.0, 1.0]), 2).rows
    tensor([[9.1250],
            [0.0000]])
    """
    check_matrix("rows", rows)
    check_count("n_kept", n_kept)
    n, excess = len(rows), len(rows) - n_kept
    if excess <= 0:
        return MergedRows(rows, weight)
    if bool((weight[1:] > weight[:-1]).any()):
        raise ValueError("weight must not rise: sort the rows by falling weight.")
    squares = squared_distances(rows, rows) if distances is None else distances
    m = squares.shape[0]
    if squares.shape[1:] != (n,) or not n_kept <= m <= n:
        raise ValueError(
            f"distances must have shape (m, {n}) with m from {n_kept} to {n}, "
            f"got {tuple(squares.shape)}."
        )
    # relative to the heaviest, whatever the weights' unit; of no weight: as good as none
    inverse = (weight[0] / weight).to(squares.dtype).nan_to_num_(nan=torch.inf)
    cost = squares / (inverse[:m].unsqueeze(1) + inverse)
    # only towards rows before: then no two rows can each go to the other
    cost, target = cost.add_(_not_above(m, n, cost.dtype, cost.device)).min(dim=0)
    leaving = cost.topk(excess, largest=False).indices
    root = torch.arange(n, device=rows.device)
    root[leaving] = target[leaving]
    while not torch.equal(further := root[root], root):  # a target may itself have left
        root = further
    stays = torch.ones(n, dtype=torch.bool, device=rows.device)
    stays[leaving] = False
    slot = (stays.cumsum(0) - 1)[root]
    mass = weight.new_zeros(n_kept).index_add_(0, slot, weight)
    # differences from the row that stays: means of equal rows are exact
    share = (weight / mass[slot]).to(rows.dtype).unsqueeze(1)
    return MergedRows(rows[stays].index_add_(0, slot, share * (rows - rows[root])), mass)


def best_swap(rows: Tensor, weight: Tensor, prototypes: Tensor) -> Swap | None:
    """Find a move of one prototype that lowers the inertia.

    In each prototype's Voronoi set, the row at which one more prototype would
    gain most is moved to the mean of the rows that it would win. Of these places,
    at most eight, and of all prototypes, the best pair is found exactly, from the
    first and the second winners.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        Rows.
    weight : Tensor of shape (n,)
        Weights >= 0.
    prototypes : Tensor of shape (k, d)
        Prototypes.

    Returns
    -------
    Swap or None
        The move, or None if it lowers the inertia by less than a thousandth.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Notes
    -----
    Costs O(n k (d + 8)), and O(n m d) for the m heaviest rows, at most 200,
    among which places are sought.

    References
    ----------
    Kanungo et al., "A local search approximation algorithm for k-means
    clustering", Computational Geometry 2004, moves in single swaps.

    Examples
    --------
    >>> import torch
    >>> rows = torch.tensor([[0.0], [1.0], [9.0]])
    >>> swap = best_swap(rows, torch.ones(3), torch.tensor([[0.0], [1.0]]))
    >>> swap.prototype, swap.place
    (0, tensor([9.]))
    """
    check_columns("prototypes", prototypes, "rows", rows)
    k = len(prototypes)
    weight = weight.to(rows.dtype)
    near, winner = squared_distances(rows, prototypes).topk(min(2, k), dim=1, largest=False)
    first, winner = near[:, 0], winner[:, 0]
    second = near[:, 1] if k > 1 else torch.full_like(first, torch.inf)
    inertia = float(weight @ first)
    if not inertia > 0.0:
        return None
    numbers = torch.arange(k, device=rows.device).unsqueeze(1)
    won = winner == numbers
    places = _places(rows, weight, first, won)
    reach = squared_distances(places, rows)
    without = torch.where(won, second, first)  # distances to the nearest prototype but each
    moved = torch.stack([torch.minimum(without, near) @ weight for near in reach], dim=1)
    prototype, number = divmod(int(moved.argmin()), len(places))
    share = 1.0 - float(moved[prototype, number]) / inertia
    return Swap(prototype, places[number], share) if share > _LEAST_GAIN else None


def _places(rows: Tensor, weight: Tensor, first: Tensor, won: Tensor) -> Tensor:
    """Return the means of what the best row of each Voronoi set would win."""
    heavy = weight.topk(min(_MOST_SEEDS, len(rows))).indices
    reach = squared_distances(rows[heavy], rows)
    gain = (first - reach).clamp_min_(0.0) @ weight
    best = torch.where(won[:, heavy], gain, -1.0).max(dim=1)
    chosen = best.values.topk(min(_PLACES, len(won))).indices
    share = (reach[best.indices[chosen]] < first).to(weight) * weight
    mass = share.sum(dim=1, keepdim=True)
    means = (share @ rows) / mass.clamp_min(torch.finfo(mass.dtype).tiny)
    return torch.where(mass > 0.0, means, rows[heavy[best.indices[chosen]]])


@functools.lru_cache(maxsize=8)
def _not_above(m: int, n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return zeros above the diagonal and infinity elsewhere."""
    return torch.full((m, n), torch.inf, dtype=dtype, device=device).tril_()
