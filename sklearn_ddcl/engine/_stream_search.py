"""Better places for a stream's prototypes, and the scale of its temperature."""

import torch
from torch import Tensor

from sklearn_ddcl.engine._stream_frame import StreamFrame
from sklearn_ddcl.engine._stream_steps import scores_by_prototype
from sklearn_ddcl.engine._summary import Summary
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.numerics import leading_eigenvalue
from sklearn_ddcl.nn.summaries import Swap, best_swap

__all__ = ["SWAPS", "StreamSearch"]

# by how much more must have been seen before there is another search
_GROWTH, _FIRST_GROWTH = 0.3, 0.5
_LEAST_SAMPLES = 100.0  # between two searches
_FAR = 16.0  # median squared distances from the mean
_FLOAT32_REACH = 1e15
_LLOYD_STEPS = 10
SWAPS = 3  # at most in one search


class StreamSearch:
    """What is done now and then, on the summary.

    Parameters
    ----------
    summary : Summary
        Of the stream.
    frame : StreamFrame
        Of the stream.

    Attributes
    ----------
    critical : float
        The critical temperature at the last search, in the frame's coordinates.
    next_at : float
        Samples to be seen before the next search.
    """

    def __init__(self, summary: Summary, frame: StreamFrame) -> None:
        self.summary, self.frame = summary, frame
        self.critical = 0.0
        self.next_at = 0.0
        self._leading: Tensor | None = None

    def mean(self) -> Tensor:
        """Return the mean (d,) of the summary, of its bulk where one row has drawn it far."""
        rows, weight = self.summary.rows, self.summary.weight
        mean = (weight / weight.sum()).to(rows) @ rows
        return rows[0] - _clipped(rows, weight)[2] if self.frame.is_far(mean) else mean

    def distances(self, mean: Tensor, n_first: int) -> Tensor:
        """Return squared distances of the first rows to all, in float32 if it reaches so far."""
        rows = self.frame.scaled(self.summary.rows - mean)
        if float(torch.linalg.vector_norm(rows, torch.inf)) < _FLOAT32_REACH:
            rows = rows.to(torch.float32)
        return squared_distances(rows[:n_first], rows)

    def swap(self, prototypes: Tensor) -> Swap | None:
        """Return the prototype that does most good elsewhere, if there is one."""
        # less the mean: distances without their digits would look like gains
        mean = self.mean()
        rows = self.frame.scaled(self.summary.rows - mean)
        shifted = prototypes - self.frame.scaled(mean)
        swap = best_swap(rows, self.summary.weight, shifted)
        return None if swap is None else swap._replace(place=swap.place + self.frame.scaled(mean))

    def settled(self, prototypes: Tensor) -> Tensor:
        """Return where prototypes come to rest at temperature 0, moved where that helps.

        Parameters
        ----------
        prototypes : Tensor of shape (k, d)
            Prototypes of a positive temperature, which draws them together.

        Returns
        -------
        Tensor of shape (k, d)
            Means of their rows, after at most 10 of Lloyd's steps, and as many
            after each of at most 3 swaps; one that no row is nearest to stays.
        """
        prototypes = self._descended(prototypes)
        for _ in range(SWAPS):
            swap = self.swap(prototypes)
            if swap is None:
                break
            prototypes = prototypes.clone()
            prototypes[swap.prototype] = swap.place
            prototypes = self._descended(prototypes)
        return prototypes

    def _descended(self, prototypes: Tensor) -> Tensor:
        rows = self.frame.scaled(self.summary.rows)
        weight = self.summary.weight.to(rows)
        weighted = weight.unsqueeze(1) * rows
        labels = None
        for _ in range(_LLOYD_STEPS):
            nearest = scores_by_prototype(rows, prototypes).argmin(dim=0)
            if labels is not None and torch.equal(nearest, labels):
                break
            labels = nearest
            mass = weight.new_zeros(len(prototypes)).index_add_(0, labels, weight)
            sums = torch.zeros_like(prototypes).index_add_(0, labels, weighted)
            least = torch.finfo(mass.dtype).tiny  # below it digits are lost
            means = sums / mass.clamp_min(least).unsqueeze(1)
            prototypes = torch.where(mass.unsqueeze(1) >= least, means, prototypes)
        return prototypes

    def measure(self, n_samples: float, weight_seen: float) -> None:
        """Follow the critical temperature of the bulk, and say when to search again.

        Parameters
        ----------
        n_samples : float
            Samples seen.
        weight_seen : float
            What is not forgotten of them.
        """
        rows, weight, _ = _clipped(self.frame.scaled(self.summary.rows), self.summary.weight)
        start = rows.new_ones(rows.shape[1]) if self._leading is None else self._leading
        found = leading_eigenvalue(
            lambda v: rows.T @ (weight * (rows @ v)), start=start, tolerance=1e-2, max_iter=50
        )
        # twice the leading eigenvalue of the covariance
        self.critical, self._leading = 2.0 * found.value, found.vector
        growth = _GROWTH if self.summary.merged else _FIRST_GROWTH
        least = _LEAST_SAMPLES if self.summary.merged else 0.0
        self.next_at = n_samples + max(growth * weight_seen, least)


def _clipped(rows: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows less their mean, far ones drawn in, their shares, and the first row less it.

    One sample in the distance would else set the temperature of all others.
    """
    weight = (weight / weight.sum()).to(rows)
    trust = torch.ones_like(weight)
    for _ in range(3):  # the first mean may itself be far from the bulk
        share = weight * trust
        rows = rows - (share / share.sum()) @ rows
        squares = rows.square().sum(dim=1)
        order = squares.argsort()
        half = torch.searchsorted(weight[order].cumsum(0), 0.5).clamp_max(len(rows) - 1)
        bound = _FAR * squares[order[half]]
        trust = torch.where(squares > bound, bound / squares, 1.0)
    return rows * trust.sqrt().unsqueeze(1), weight, rows[0]
