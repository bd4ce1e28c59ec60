"""One pass over the rows: soft, hard, and with two winners.

Scores are squared distances in frame coordinates less the row's own squared
norm, ``|p_j|^2 - 2 y.p_j``: the argmin and the softmax over prototypes do not
see the difference, and no (n, k, d) array is ever formed.
"""

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._data import Rows

__all__ = ["HardPass", "SoftPass", "TwoWinners", "hard_pass", "soft_pass", "two_winner_pass"]


_BYTE = 255  # prototypes whose ranks fit into a byte
_FEW_SCORES = 2**15  # below, the calls cost more than the scores


class SoftPass(NamedTuple):
    """Sufficient statistics of soft assignments over all rows.

    Attributes
    ----------
    mass : Tensor of shape (k,)
        Weighted sums of the assignments.
    sums : Tensor of shape (k, d)
        Assignment-weighted sums of the rows, in frame coordinates.
    overlap : Tensor of shape (k, k) or None
        ``Q^T Q`` (weighted), if asked for.
    """

    mass: Tensor
    sums: Tensor
    overlap: Tensor | None


class HardPass(NamedTuple):
    """Nearest prototypes of all rows.

    Attributes
    ----------
    labels : Tensor of shape (n,)
        Index of the nearest prototype, int64.
    mass : Tensor of shape (k,)
        Weight of each Voronoi set.
    sums : Tensor of shape (k, d)
        Weighted sums of the rows of each set, in frame coordinates.
    inertia : float
        Weighted sum of squared distances to the nearest prototype.
    """

    labels: Tensor
    mass: Tensor
    sums: Tensor
    inertia: float


class TwoWinners(NamedTuple):
    """First winners, and what each prototype saves over the second winner.

    Attributes
    ----------
    labels : Tensor of shape (n,)
        Index of the nearest prototype.
    utility : Tensor of shape (k,)
        Rise of the inertia if the prototype were removed and its rows went to
        their second winners.
    """

    labels: Tensor
    utility: Tensor


class _Total:
    """A sum over blocks in the accumulator's type."""

    def __init__(self, rows: Rows) -> None:
        self._dtype = rows.accumulator
        self._parts: list[Tensor] = []

    def add(self, part: Tensor) -> None:
        """Add one block's part."""
        if self._parts:
            self._parts[0].add_(part)
        else:
            self._parts.append(part.to(self._dtype))

    @property
    def value(self) -> Tensor:
        """What all blocks together gave."""
        return self._parts[0]


class _Labels:
    """Winners of all rows: written in place, or the only block's own."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._parts: list[Tensor] = []

    def put(self, part: slice, winner: Tensor) -> None:
        """Store one block's winners."""
        if len(winner) == self._rows.n_rows:
            self._parts.append(winner)
            return
        if not self._parts:
            size, device = self._rows.n_rows, self._rows.device
            self._parts.append(torch.empty(size, dtype=torch.int64, device=device))
        self._parts[0][part] = winner

    @property
    def value(self) -> Tensor:
        """What all blocks together gave."""
        return self._parts[0]


def linear_scores(rows: Rows, p: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    """Return slope (k, d) and constant (k,) that turn raw ``x`` into scaled scores.

    Parameters
    ----------
    rows : Rows
        The data, for their frame and dtype.
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    factor : float
        Multiplier of the scores: 1 for a hard pass, -1/T for a soft one.

    Returns
    -------
    tuple of Tensor
        ``slope`` and ``constant`` such that ``x @ slope.T + constant`` is
        ``factor * (|p|^2 - 2 y.p)``.
    """
    frame = rows.frame
    if frame.trivial:
        p = p.to(rows.dtype)
        return p * (-2.0 * factor), p.square().sum(1).mul_(factor)
    p = p.to(frame.origin)
    slope = (p * (-2.0 * factor / frame.unit)).to(rows.dtype)
    # From the rounded slope: what rounding it shifts cancels for the origin's part.
    constant = factor * p.square().sum(1) - slope.to(p) @ frame.rest
    return slope, constant.to(rows.dtype)


def soft_pass(
    rows: Rows, p: Tensor, temperature: float, bias: Tensor | None = None, overlap: bool = False
) -> SoftPass:
    """Soft assignments (Eq. 8) of all rows, as the sums the updates need.

    Parameters
    ----------
    rows : Rows
        The data.
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    temperature : float
        T in squared units of the frame.
    bias : Tensor of shape (k,) or None
        Added to the logits (the balance term, Eq. 13).
    overlap : bool
        Whether to return ``Q^T Q`` too.

    Returns
    -------
    SoftPass
        Mass, sums and overlap.
    """
    k = len(p)
    slope, constant = linear_scores(rows, p, -1.0 / temperature)
    if bias is not None:
        constant = constant + bias.to(constant)
    mass, sums, squares = _Total(rows), _Total(rows), _Total(rows)
    for _, block in rows.blocks(k, reuse=True):
        q = softmax_over_prototypes(block.affine(slope, constant))
        weighted = q if block.weight is None else q * block.weight[:, None]
        mass.add(weighted.sum(0))
        sums.add(block.soft_sums(weighted))
        if overlap:
            squares.add(weighted.T @ q)
    moments = rows.frame.normalize(sums.value, mass.value)
    return SoftPass(mass.value, moments, squares.value if overlap else None)


def softmax_over_prototypes(logits: Tensor) -> Tensor:
    """Softmax of logits (rows, k) over prototypes, along the axis that vectorises."""
    return torch.softmax(logits.T, 0).T


@functools.cache
def _ranks(k: int, device: torch.device) -> Tensor:
    """Column k, ..., 1: the first of equal scores has the highest rank."""
    with torch.inference_mode(False):
        return torch.arange(k, 0, -1, dtype=torch.uint8, device=device)[:, None]


def first_winner(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest score of each row and the prototype that has it.

    The index is read off byte arrays, which vectorise where an argmin over few
    prototypes does not: three to five times faster on a CPU.

    Parameters
    ----------
    scores : Tensor of shape (rows, k)
        Scores, columns contiguous.

    Returns
    -------
    tuple of Tensor
        Values and int64 indices of shape (rows,); the first of equals wins.
    """
    k = scores.shape[1]
    columns = scores.T
    if k > _BYTE or scores.numel() <= _FEW_SCORES or not columns.is_contiguous():
        found = columns.min(0)
        return found.values, found.indices
    value = columns.amin(0)
    hits = (columns <= value).view(torch.uint8).mul_(_ranks(k, scores.device)).amax(0)
    return value, (k - hits.long()).clamp_max_(k - 1)


def hard_pass(rows: Rows, p: Tensor, bias: Tensor | None = None) -> HardPass:
    """Nearest prototypes of all rows, with the sums of each Voronoi set.

    Parameters
    ----------
    rows : Rows
        The data.
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    bias : Tensor of shape (k,) or None
        Added to the squared distances (the balance term, Eq. 13).

    Returns
    -------
    HardPass
        Labels, mass, sums and inertia.
    """
    k = len(p)
    slope, constant = linear_scores(rows, p, 1.0)
    if bias is not None:
        constant = constant + bias.to(constant)
    labels, inertia = _Labels(rows), rows.frame.inertia
    mass, sums = _Total(rows), _Total(rows)
    for part, block in rows.blocks(k, reuse=True):
        value, winner = first_winner(block.affine(slope, constant))
        inertia += float(value.sum() if block.weight is None else value @ block.weight)
        labels.put(part, winner)
        mass.add(torch.bincount(winner, block.weight, minlength=k))
        sums.add(block.hard_sums(winner, k, block.weight))
    moments = rows.frame.normalize(sums.value, mass.value)
    return HardPass(labels.value, mass.value, moments, inertia)


def two_winner_pass(rows: Rows, p: Tensor) -> TwoWinners:
    """First and second winners of all rows, reduced to the utility of each prototype.

    Parameters
    ----------
    rows : Rows
        The data.
    p : Tensor of shape (k, d), k >= 2
        Prototypes in frame coordinates.

    Returns
    -------
    TwoWinners
        Labels and utilities.
    """
    k = len(p)
    slope, constant = linear_scores(rows, p, 1.0)
    labels, utility = _Labels(rows), _Total(rows)
    for part, block in rows.blocks(k, reuse=True):
        scores = block.affine(slope, constant)
        first, winner = first_winner(scores)
        scores.scatter_(1, winner[:, None], torch.inf)
        gap = scores.amin(1) - first
        labels.put(part, winner)
        saved = gap if block.weight is None else gap * block.weight
        utility.add(torch.bincount(winner, saved, minlength=k))
    return TwoWinners(labels.value, utility.value)
