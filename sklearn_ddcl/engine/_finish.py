"""The hard finish on all rows, in the dtype of the data."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._annealing import Problem
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._history import History, hard_terms
from sklearn_ddcl.engine._passes import HardPass, SoftPass, hard_pass, linear_scores
from sklearn_ddcl.engine._updates import make_exact_update

__all__ = ["Finish", "hard_finish", "revive"]

_PATIENCE = 3  # revivals that lower nothing, as where rows are fewer than prototypes


# Relative fall of the inertia, in units of tol, that no longer matters: with a million rows
# a few always change hands, and prototypes alone would take hundreds of passes to rest.
_LEAST_GAIN = 0.01


class Finish(NamedTuple):
    """Prototypes after the hard finish.

    Attributes
    ----------
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    mass : Tensor of shape (k,)
        Weights of their Voronoi sets in the last pass.
    passes : int
        Passes over all rows.
    converged : bool
        Whether the prototypes came to rest within the bound on passes.
    """

    p: Tensor
    mass: Tensor
    passes: int
    converged: bool


def hard_finish(
    rows: Rows, p: Tensor, problem: Problem, history: History, bias: Tensor | None = None
) -> Finish:
    """Alternate hard assignments and exact updates until the prototypes rest.

    Prototypes that lose all their rows move to the rows farthest from their
    own prototypes, as long as there are distinct rows left for them.

    Parameters
    ----------
    rows : Rows
        All rows.
    p : Tensor of shape (k, d)
        First prototypes, in frame coordinates.
    problem : Problem
        Configuration and scales.
    history : History
        Receives one record a pass.
    bias : Tensor of shape (k,) or None
        Added to the squared distances throughout: the balance term's, as the
        annealing left it. Following hard masses, it would not come to rest.

    Returns
    -------
    Finish
        The result.
    """
    config = problem.config
    update = make_exact_update(config)
    settle = config.tol * rows.frame.inertia / rows.frame.weight_sum / rows.n_features
    labels, before, converged, passes = None, math.inf, False, 0
    revived, least, fruitless = False, math.inf, 0
    while passes < config.max_iter and not converged:
        found = hard_pass(rows, p, bias)
        inertia = found.inertia - (
            0.0 if bias is None else float(bias.to(found.mass) @ found.mass)
        )
        gain, before = before - inertia, inertia
        history.add("finish", 0.0, hard_terms(p, found.mass, inertia, problem.area))
        passes += 1
        moved = update.apply(p, SoftPass(found.mass, found.sums, None))
        fruitless += revived and inertia >= least
        least = min(least, inertia)
        revived = False
        if fruitless < _PATIENCE:
            moved, revived = revive(rows, moved, found)
        same = labels is not None and torch.equal(found.labels, labels)
        shift = float((moved - p).square().sum())
        settled = same or shift <= settle or 0 <= gain <= _LEAST_GAIN * config.tol * inertia
        converged = not revived and settled
        p, labels = moved, found.labels
    return Finish(p, found.mass, passes, converged)


def revive(rows: Rows, p: Tensor, found: HardPass) -> tuple[Tensor, bool]:
    """Move prototypes without rows to the rows that are farthest from theirs.

    Parameters
    ----------
    rows : Rows
        All rows.
    p : Tensor of shape (k, d)
        Prototypes, in frame coordinates.
    found : HardPass
        The pass that showed which prototypes have no rows.

    Returns
    -------
    tuple of (Tensor, bool)
        Prototypes, and whether any was moved.
    """
    empty = torch.nonzero(found.mass <= 0).flatten()
    if len(empty) == 0:
        return p, False
    distant = _farthest_rows(rows, p, found.labels, len(empty))
    if len(distant) == 0:
        return p, False
    p = p.clone()
    p[empty[: len(distant)]] = distant.to(p)
    return p, True


def _farthest_rows(rows: Rows, p: Tensor, labels: Tensor, count: int) -> Tensor:
    """Up to ``count`` distinct rows with the largest positive distance to their prototype."""
    slope, constant = linear_scores(rows, p, 1.0)
    centre = p.to(rows.accumulator)
    best = torch.zeros(0, dtype=centre.dtype, device=rows.device)
    points = torch.zeros(0, rows.n_features, dtype=centre.dtype, device=rows.device)
    for part, block in rows.blocks(len(p)):
        winner = labels[part]
        scores = block.affine(slope, constant).gather(1, winner[:, None]).squeeze(1)
        distance = block.gaps(rows.frame, centre, winner, scores)
        if block.weight is not None:
            distance = torch.where(block.weight > 0, distance, torch.zeros_like(distance))
        index = torch.topk(distance, min(count, len(distance))).indices
        picked = rows.frame.from_block(block.pick(index))
        # anew from differences: a score loses the distance of a row on its prototype
        exact = (picked - centre[winner[index]]).square().sum(1)
        exact = torch.where(distance[index] > 0, exact, torch.zeros_like(exact))
        points, best = torch.cat([points, picked]), torch.cat([best, exact])
        value, index = torch.topk(best, min(count, len(best)))
        best, points = value, points[index]
    # rounding alone separates a row from a prototype that lies on it
    floor = (64 * torch.finfo(rows.dtype).eps) ** 2 * float(points.square().sum(1).max())
    distinct: Tensor = torch.unique(points[best > floor], dim=0)
    return distinct
