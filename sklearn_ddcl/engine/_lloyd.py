"""The hard limit T -> 0 of the flow: nearest prototypes and the means of their rows."""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._passes import hard_pass
from sklearn_ddcl.engine._updates import class_means

__all__ = ["Descent", "quick_descent"]

_PATIENCE = 3.0  # a trial is given up if this many last gains would not make it the best


class Descent(NamedTuple):
    """Where a short hard descent ended.

    Attributes
    ----------
    p : Tensor of shape (k, d)
        Prototypes that gave the inertia.
    inertia : float
        Weighted sum of squared distances.
    passes : int
        Passes over the rows.
    """

    p: Tensor
    inertia: float
    passes: int


def quick_descent(
    rows: Rows, p: Tensor, tol: float, max_passes: int, beat: float = float("inf")
) -> Descent:
    """Alternate hard assignments and means until gains are small or hopeless.

    Parameters
    ----------
    rows : Rows
        The rows.
    p : Tensor of shape (k, d)
        First prototypes, in frame coordinates.
    tol : float
        Relative gain of one pass at which to stop.
    max_passes : int
        Bound on the passes.
    beat : float
        Inertia to beat: the descent stops early where it clearly will not.

    Returns
    -------
    Descent
        Prototypes, inertia and passes.
    """
    before = torch.inf
    for number in range(1, max(max_passes, 1) + 1):
        found = hard_pass(rows, p)
        gain = before - found.inertia
        if gain <= tol * max(found.inertia, 0.0) or number >= max_passes:
            break
        if number > 2 and found.inertia - _PATIENCE * gain > beat:
            break
        before = found.inertia
        p = class_means(p, found.mass, found.sums)
    return Descent(p, found.inertia, number)
