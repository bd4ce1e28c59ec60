"""Running mean and deviation of features."""

import torch
from torch import Tensor

__all__ = ["Moments"]

# a feature that has long been constant: its variance, forgotten, would go to 0
_FADED = 1e-10
_SLOWER = 0.1


class Moments:
    """Weighted mean and variance of all rows so far, with forgetting.

    Parameters
    ----------
    width : int
        Number of features.
    device : torch.device
        Where the sums are; they are float64 but on MPS.

    Examples
    --------
    >>> import torch
    >>> moments = Moments(1, torch.device("cpu"))
    >>> for row in (0.0, 2.0):
    ...     moments.update(torch.tensor([[row]]), torch.ones(1), 1.0)
    >>> moments.mean.item(), moments.inverse_deviation().item()
    (1.0, 1.0)
    """

    def __init__(self, width: int, device: torch.device) -> None:
        dtype = torch.float32 if device.type == "mps" else torch.float64
        self.weight = 0.0
        self.mean = torch.zeros(width, dtype=dtype, device=device)
        self.squares = torch.zeros(width, dtype=dtype, device=device)
        self.largest = torch.zeros(width, dtype=dtype, device=device)  # variance, slow to go

    def update(self, rows: Tensor, weight: Tensor, kept: float) -> None:
        """Add rows (b, d) of weights (b,), after the past's has fallen by a factor.

        Notes
        -----
        Sums of squared deviations are merged by the formula of Chan, Golub and
        LeVeque (1979).
        """
        rows, weight = rows.to(self.mean), weight.to(self.mean)
        new = float(weight.sum())
        mean = (weight / new) @ rows
        past = self.weight * kept
        share = new / (past + new)
        gap = mean - self.mean
        self.squares = (
            kept * self.squares + weight @ (rows - mean).square() + (past * share) * gap.square()
        )
        self.mean = self.mean + share * gap
        self.weight = past + new
        if kept < 1.0:
            variance = self.squares / self.weight
            self.largest = torch.maximum(self.largest * kept**_SLOWER, variance)

    def inverse_deviation(self) -> Tensor:
        """Return 1 / standard deviation (d,), and 1 for features that are constant by now."""
        if self.weight == 0.0:
            return torch.ones_like(self.mean)
        variance = self.squares / self.weight
        flat = variance <= torch.finfo(variance.dtype).eps * self.mean.square()
        flat |= variance < _FADED * self.largest
        return torch.where(flat | (variance <= 0), 1.0, variance.clamp_min(1e-300).rsqrt())

    def shift(self, offset: Tensor) -> None:
        """Subtract an offset (d,) from all rows seen."""
        self.mean = self.mean - offset.to(self.mean)

    def scale(self, factor: float) -> None:
        """Multiply all rows seen."""
        self.mean, self.squares = self.mean * factor, self.squares * factor**2
        self.largest = self.largest * factor**2
