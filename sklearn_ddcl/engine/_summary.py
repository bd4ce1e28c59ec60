"""What a stream keeps of what it has seen: a few hundred weighted rows."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.nn.summaries import merge_light_rows

__all__ = ["Summary", "summary_size", "thin"]

_PER_CLUSTER = 10
_MOST = 300  # merging costs the square of their number
_FEWEST = 100
_PIECE = 300  # rows that come between two merges, at least
_IN_FULL = 1_000  # rows of a stream up to which none is left out
_LEAST_ROWS = 50  # of a batch


class Summary:
    """At most ``size`` weighted rows, and those that came since the last merge.

    Parameters
    ----------
    size : int
        Rows after a merge.
    width : int
        Number of features.
    dtype : torch.dtype
        Type of the rows; weights are float64.
    device : torch.device
        Where they are.
    """

    def __init__(self, size: int, width: int, dtype: torch.dtype, device: torch.device) -> None:
        self.size = size
        self.piece = max(size, _PIECE)
        self.n_rows = 0
        self.merged = False
        self._rows = torch.zeros(size + self.piece, width, dtype=dtype, device=device)
        self._weight = torch.zeros(size + self.piece, dtype=torch.float64, device=device)

    @property
    def rows(self) -> Tensor:
        """The rows, of shape (n_rows, d)."""
        return self._rows[: self.n_rows]

    @property
    def weight(self) -> Tensor:
        """Their weights, of shape (n_rows,), float64."""
        return self._weight[: self.n_rows]

    def fits(self, n_new: int) -> bool:
        """Whether so many rows can be added without a merge."""
        return self.n_rows + n_new <= len(self._rows)

    def add(self, rows: Tensor, weight: Tensor) -> None:
        """Append rows; there must be room for them."""
        stop = self.n_rows + len(rows)
        self._rows[self.n_rows : stop] = rows
        self._weight[self.n_rows : stop] = weight
        self.n_rows = stop

    def forget(self, factor: float) -> None:
        """Multiply all weights."""
        self.weight.mul_(factor)

    def sort(self) -> None:
        """Order the rows by falling weight, as a merge needs them."""
        order = torch.argsort(self.weight, descending=True, stable=True)
        self._rows[: self.n_rows] = self.rows[order]
        self._weight[: self.n_rows] = self.weight[order]

    def merge(self, distances: Tensor) -> None:
        """Merge down to ``size`` rows; `merge_light_rows` says what the distances are."""
        self.merged = True
        kept = merge_light_rows(self.rows, self.weight, self.size, distances)
        self.n_rows = len(kept.rows)
        self._rows[: self.n_rows] = kept.rows
        self._weight[: self.n_rows] = kept.weight

    def shift(self, offset: Tensor) -> None:
        """Subtract an offset (d,) from all rows."""
        self.rows.sub_(offset)

    def scale(self, factor: float) -> None:
        """Multiply all rows."""
        self.rows.mul_(factor)


def summary_size(n_clusters: int, size: int | None) -> int:
    """Return the number of rows that stand for what has been seen.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    size : int or None
        The user's; None takes 10 a cluster, at least 100, and above 300 no more
        than 2 a cluster.

    Returns
    -------
    int
        The number.

    Examples
    --------
    >>> from sklearn_ddcl.engine import summary_size
    >>> summary_size(10, None), summary_size(50, None), summary_size(1_000, None)
    (100, 300, 2000)
    """
    if size is not None:
        return size
    return max(_FEWEST, min(_PER_CLUSTER * n_clusters, _MOST), 2 * n_clusters)


def thin(
    n_rows: int, weight: Tensor | None, n_before: float, generator: torch.Generator
) -> Tensor | None:
    """Choose the rows of a large batch that go into the summary.

    Parameters
    ----------
    n_rows : int
        Rows of the batch.
    weight : Tensor of shape (n_rows,) or None
        Their weights, float64 on the CPU; None weighs all equally.
    n_before : float
        Samples that the summary stands for.
    generator : torch.Generator
        Source of the first row.

    Returns
    -------
    Tensor of shape (m,) or None
        Rows, by systematic sampling in proportion to their weights: each stands
        for the same share of the batch. None takes all rows: of the first 1,000
        of a stream, and of small batches.
    """
    wanted = math.ceil(n_rows * _IN_FULL / (n_before + n_rows))
    count = max(wanted, _LEAST_ROWS, n_rows // 32)
    if count >= n_rows:
        return None
    first = torch.rand((), generator=generator, dtype=torch.float64)
    places = (torch.arange(count, dtype=torch.float64) + first) / count
    if weight is None:
        return (places * n_rows).long()
    cumulated = weight.cumsum(0)
    found = torch.searchsorted(cumulated, places * cumulated[-1], right=True)
    return found.clamp_max_(n_rows - 1)
