"""Two-winner relocation: prototypes leave where they are useless for where they are missed.

The first two winners of every row tell what each prototype is worth: if it were
removed, its rows would go to their second winners. A local two-means in every
Voronoi set tells what a second prototype there would gain. Moving a prototype
from the least useful place to the most wanting one escapes the poor minima in
which annealing and Lloyd's algorithm end; moves are kept only if the inertia
after a short descent is lower.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._lloyd import Descent, quick_descent
from sklearn_ddcl.engine._passes import two_winner_pass

__all__ = ["relocate"]

_POWER_STEPS, _TWO_MEANS_STEPS = 2, 2
_DESCENT_TOL = 1e-4
_LEAST_GAIN = 1e-5  # relative gain that counts, well above float32 rounding
_SHARE = 5  # at most a fifth of the prototypes move at once


class Splits(NamedTuple):
    """What splitting each Voronoi set in two would give.

    Attributes
    ----------
    gain : Tensor of shape (k,)
        Fall of the inertia.
    left, right : Tensor of shape (k, d)
        The two prototypes, in frame coordinates.
    """

    gain: Tensor
    left: Tensor
    right: Tensor


def relocate(
    rows: Rows, start: Descent, generator: torch.Generator, patience: int, max_passes: int
) -> Descent:
    """Move prototypes as long as that lowers the inertia.

    Parameters
    ----------
    rows : Rows
        Rows in memory, in frame coordinates.
    start : Descent
        A descended state; its prototypes are not changed in place.
    generator : torch.Generator
        Source of the first directions of the splits.
    patience : int
        Failed moves in a row after which to stop.
    max_passes : int
        Bound on the passes over the rows.

    Returns
    -------
    Descent
        The best state found, with all passes counted.
    """
    best, passes, fails = start, start.passes, 0
    k = len(start.p)
    together = max(1, k // _SHARE)
    # below this an inertia is rounding, which may even be negative: nothing is left to gain
    rounding = torch.finfo(rows.dtype).eps * rows.frame.inertia
    while k > 1 and fails < patience and passes < max_passes and best.inertia > rounding:
        winners = two_winner_pass(rows, best.p)
        splits = split_gains(rows, best.p, winners.labels, generator)
        passes += 2
        accepted = False
        for moves in candidate_moves(splits.gain, winners.utility, together):
            trial = _try_moves(rows, best, splits, moves)
            passes += trial.passes
            accepted = trial.inertia < best.inertia * (1.0 - _LEAST_GAIN)
            if accepted:
                best, fails = trial, 0
                break
            together = max(1, len(moves) // 2)
            fails += len(moves) == 1
            if fails >= patience or passes >= max_passes:
                break
        if not accepted:
            break
    return best._replace(passes=passes)


def _try_moves(rows: Rows, best: Descent, splits: Splits, moves: list[tuple[int, int]]) -> Descent:
    """Apply (split, removed) moves to a copy of the prototypes and descend from there."""
    p = best.p.clone()
    for split, removed in moves:
        p[split] = splits.left[split].to(p)
        p[removed] = splits.right[split].to(p)
    return quick_descent(rows, p, _DESCENT_TOL, 100, beat=best.inertia)


def candidate_moves(
    gain: Tensor, utility: Tensor, together: int
) -> Iterator[list[tuple[int, int]]]:
    """Yield sets of moves: several promising ones at once, then fewer, then single ones.

    Parameters
    ----------
    gain : Tensor of shape (k,)
        Fall of the inertia if a set is split.
    utility : Tensor of shape (k,)
        Rise of the inertia if a prototype is removed.
    together : int
        Most moves to make at once.

    Yields
    ------
    list of (int, int)
        Pairs (prototype to split, prototype to move there), disjoint.
    """
    k = len(gain)
    worth = gain[:, None] - utility[None, :]
    worth.fill_diagonal_(-torch.inf)
    values, order = torch.topk(worth.flatten(), min(k * k - k, 64 * k))
    pairs = [divmod(flat, k) for flat in order.tolist()]
    promising = pairs[: int((values > 0).sum())]
    while together > 1:
        moves = _disjoint(promising, together)
        if len(moves) <= 1:
            break
        yield moves
        together = len(moves) // 2
    for pair in pairs:
        yield [pair]


def _disjoint(pairs: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Take pairs in order, none sharing a prototype, up to ``count``."""
    chosen: list[tuple[int, int]] = []
    touched: set[int] = set()
    for pair in pairs:
        if touched.isdisjoint(pair):
            chosen.append(pair)
            touched.update(pair)
        if len(chosen) == count:
            break
    return chosen


def split_gains(rows: Rows, p: Tensor, labels: Tensor, generator: torch.Generator) -> Splits:
    """Two-means inside every Voronoi set at once.

    From the leading direction of each set, and from its farthest row; the
    better of both counts.

    Parameters
    ----------
    rows : Rows
        Rows in memory, in frame coordinates.
    p : Tensor of shape (k, d)
        Prototypes.
    labels : Tensor of shape (n,)
        Nearest prototype of each row.
    generator : torch.Generator
        Source of the first directions.

    Returns
    -------
    Splits
        Gains and the two prototypes of each set.
    """
    k, d = p.shape
    centre = p.to(rows.dtype)
    direction = torch.randn(k, d, generator=generator).to(centre)
    for _ in range(_POWER_STEPS):
        direction = _covariance_product(rows, centre, labels, direction)
        direction /= direction.norm(dim=1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)
    halves = _two_means(rows, centre, labels, direction, torch.zeros_like(centre[:, 0]))
    far = _farthest(rows, centre, labels)
    outliers = _two_means(rows, centre, labels, far, far.square().sum(1) / 2)
    better = (outliers.gain > halves.gain)[:, None]
    return Splits(
        torch.maximum(outliers.gain, halves.gain),
        torch.where(better, outliers.left, halves.left),
        torch.where(better, outliers.right, halves.right),
    )


def _two_means(
    rows: Rows, centre: Tensor, labels: Tensor, direction: Tensor, cut: Tensor
) -> Splits:
    """Take a few steps of two-means in each set, from the sides of a hyperplane."""
    for _ in range(_TWO_MEANS_STEPS):
        mass, offsets = _halves(rows, centre, labels, direction, cut)
        left, right = offsets[0::2], offsets[1::2]
        direction = right - left
        cut = (right.square().sum(1) - left.square().sum(1)) / 2
    gain = mass[0::2] * left.square().sum(1) + mass[1::2] * right.square().sum(1)
    return Splits(gain, centre + left, centre + right)


def _farthest(rows: Rows, centre: Tensor, labels: Tensor) -> Tensor:
    """Offset (k, d) of each set's row farthest from its prototype.

    The leading direction of a large set points away from a few rows far out.
    """
    largest, far = torch.zeros_like(centre[:, 0]), torch.zeros_like(centre)
    for part, block in rows.blocks(1):
        winner = labels[part]
        offset = block.dense() - centre[winner]
        square = offset.square().sum(1)
        largest = largest.scatter_reduce(0, winner, square, "amax")
        top = torch.nonzero((square == largest[winner]) & (square > 0)).flatten()
        far[winner[top]] = offset[top]
    return far


def _covariance_product(rows: Rows, centre: Tensor, labels: Tensor, direction: Tensor) -> Tensor:
    """One power step of each set's covariance: sum of (y - p) <y - p, direction>."""
    product = torch.zeros_like(direction)
    for part, block in rows.blocks(1):
        winner = labels[part]
        offset = block.dense() - centre[winner]
        along = (offset * direction[winner]).sum(1)
        if block.weight is not None:
            along = along * block.weight
        product.index_add_(0, winner, offset * along[:, None])
    return product


def _halves(
    rows: Rows, centre: Tensor, labels: Tensor, direction: Tensor, cut: Tensor
) -> tuple[Tensor, Tensor]:
    """Mass (2k,) and mean offset (2k, d) of each set's two sides of a hyperplane."""
    k, d = centre.shape
    mass = torch.zeros(2 * k, dtype=rows.accumulator, device=centre.device)
    sums = torch.zeros(2 * k, d, dtype=centre.dtype, device=centre.device)
    for part, block in rows.blocks(1):
        winner = labels[part]
        offset = block.dense() - centre[winner]
        side = 2 * winner + ((offset * direction[winner]).sum(1) > cut[winner])
        mass += torch.bincount(side, block.weight, minlength=2 * k)
        if block.weight is not None:
            offset = offset * block.weight[:, None]
        sums.index_add_(0, side, offset)
    return mass, sums / mass.clamp_min(torch.finfo(sums.dtype).tiny)[:, None].to(sums)
