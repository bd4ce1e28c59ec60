"""Coordinates in which all passes compute."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Frame", "check_range", "distant_shift", "power_of_two"]


class Frame(NamedTuple):
    """Affine coordinates ``y = (x - origin) / unit`` in which all passes compute.

    Attributes
    ----------
    origin : Tensor of shape (d,)
        Weighted mean of the rows, float64.
    unit : float
        A power of two near the root mean squared distance to the mean, so
        that dividing by it rounds nothing.
    inertia : float
        Weighted sum of squared norms of ``y``.
    weight_sum : float
        Sum of the weights.
    trivial : bool
        Whether ``y`` is ``x`` itself (origin 0, unit 1), which saves the
        corrections.
    shift : Tensor of shape (d,) or None
        What blocks subtract from their rows, in the dtype of the data: near
        the origin where that is so far away that sums of rows would lose the
        digits in which they differ; else None.
    """

    origin: Tensor
    unit: float
    inertia: float
    weight_sum: float
    trivial: bool = False
    shift: Tensor | None = None

    @property
    def rest(self) -> Tensor:
        """The origin in the coordinates of the blocks, of shape (d,)."""
        return self.origin if self.shift is None else self.origin - self.shift.to(self.origin)

    def normalize(self, sums: Tensor, mass: Tensor) -> Tensor:
        """Turn weighted sums of ``x`` (k, d) with masses (k,) into sums of ``y``."""
        if self.trivial:
            return sums
        return (sums - mass[:, None] * self.rest) / self.unit

    def to_data(self, prototypes: Tensor) -> Tensor:
        """Map prototypes (k, d) from ``y`` back to the coordinates of ``x``."""
        return prototypes.to(self.origin) * self.unit + self.origin

    def from_data(self, prototypes: Tensor) -> Tensor:
        """Map prototypes (k, d) from ``x`` into the coordinates of ``y``."""
        return (prototypes.to(self.origin) - self.origin) / self.unit

    def from_block(self, rows: Tensor) -> Tensor:
        """Map rows (n, d) of a block into the coordinates of ``y``."""
        return (rows.to(self.origin) - self.rest) / self.unit


def distant_shift(origin: Tensor, unit: float, dtype: torch.dtype) -> Tensor | None:
    """Return the shift of a frame: the origin rounded to ``dtype``, or None if it is near.

    Parameters
    ----------
    origin : Tensor of shape (d,)
        Origin of the frame.
    unit : float
        Its unit.
    dtype : torch.dtype
        Type of the data.

    Returns
    -------
    Tensor of shape (d,) or None
        The shift.
    """
    far = 2.0**6 if dtype == torch.float32 else 2.0**20
    return origin.to(dtype) if float(origin.abs().max()) > far * unit else None


def power_of_two(size: float, dtype: torch.dtype) -> float:
    """Return the power of two nearest to a size, 1 for size 0.

    Bounded below so that neither its inverse nor its square leaves the range
    of the type.

    Parameters
    ----------
    size : float
        A length, >= 0 or infinite.
    dtype : torch.dtype
        Type of the data.

    Returns
    -------
    float
        The unit of a frame.
    """
    if not 0.0 < size < math.inf:
        return 1.0 if size == 0.0 else math.inf
    least = -110 if dtype == torch.float32 else -500
    return float(2.0 ** max(round(math.log2(size)), least))


def check_range(mean: Tensor, unit: float, dtype: torch.dtype) -> None:
    """Refuse values whose sums over a block would overflow.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        Mean of the rows.
    unit : float
        Their spread.
    dtype : torch.dtype
        Type of the data.

    Raises
    ------
    ValueError
        If X is too large for its type.
    """
    limit = 1e32 if dtype == torch.float32 else 1e150
    size = max(float(mean.abs().max()), unit)
    if not size <= limit:
        reach = f"near {size:.0e}" if math.isfinite(size) else "whose squares overflow"
        raise ValueError(
            f"X has values {reach}, too large for {str(dtype)[6:]} sums (allowed: up to "
            f"{limit:.0e}). Scale X first, for instance with sklearn.preprocessing.StandardScaler."
        )
