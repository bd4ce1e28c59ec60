"""Coordinates of a stream: an origin near its samples, a unit near their spread."""

import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._frame import power_of_two
from sklearn_ddcl.engine._moments import Moments

__all__ = ["StreamFrame"]

_FAR = 10.0  # units a feature from the origin, from which on distances lose digits


class StreamFrame:
    """Affine coordinates ``(x - origin) / unit``, standardised or not.

    Parameters
    ----------
    width : int
        Number of features.
    dtype : numpy.dtype
        Type of the features, float32 or float64.
    standardize : bool
        Whether distances are between features divided by their deviation.
    device : torch.device
        Where rows are computed with.

    Attributes
    ----------
    origin : ndarray of shape (d,) or None
        Mean of the first rows, float64; follows the stream where it goes far.
    unit : float
        Power of two near the largest deviation in the first rows; 1 until it is
        set.
    weight_unit : float
        Mean of the first weights, by which all are divided; 0 before.
    moments : Moments
        Running mean and deviation, in these coordinates.
    """

    def __init__(self, width: int, dtype: Any, standardize: bool, device: torch.device) -> None:
        self.dtype = np.dtype(dtype)
        self.standardize = standardize
        self.moments = Moments(width, device)
        self.origin: Any = None
        self.unit = 1.0
        self.weight_unit = 0.0

    @property
    def area(self) -> float:
        """Squared unit in which distances are computed, in squared units of the features."""
        return 1.0 if self.standardize else self.unit * self.unit

    @property
    def standardization(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and inverse deviation, each of shape (d,), of features as they come."""
        mean = self.moments.mean.cpu().numpy() * self.unit + self.origin
        return mean, self.moments.inverse_deviation().cpu().numpy() / self.unit

    def load(self, rows: np.ndarray, device: torch.device) -> Tensor:
        """Return rows less the origin; the first ones set it."""
        if self.origin is None:
            with np.errstate(over="ignore", invalid="ignore"):  # `check_range` says so
                self.origin = rows.mean(axis=0, dtype=np.float64)
        shifted = rows - self.origin.astype(self.dtype)
        return torch.from_numpy(shifted.astype(self.dtype, copy=False)).to(device)

    def load_weight(self, weight: np.ndarray, device: torch.device) -> Tensor:
        """Return weights in float64, 1 on the average of the first ones."""
        values = torch.from_numpy(weight.astype(np.float64)).to(device)
        if self.weight_unit == 0.0:
            self.weight_unit = float(values.mean())
        return values / self.weight_unit

    def set_unit(self, rows: Tensor) -> None:
        """Take the unit from rows less the origin."""
        self.unit = power_of_two(float((rows - rows.mean(dim=0)).abs().max()), rows.dtype)
        self.moments.scale(1.0 / self.unit)

    def check_range(self, x: Tensor, started: bool = True) -> None:
        """Refuse rows less the origin whose squares would overflow.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Rows.
        started : bool, default=True
            Whether the unit has been set; else it may still follow the rows.

        Raises
        ------
        ValueError
            If there are such rows.
        """
        size = float(torch.linalg.vector_norm(x, torch.inf))
        largest = size / self.unit
        if started and not largest * largest * x.shape[1] < 0.1 * torch.finfo(x.dtype).max:
            raise ValueError(
                "X has values so far from those seen before that squared distances overflow "
                f"{self.dtype}. The batch was not used."
            )
        if not size * size * x.shape[1] < 0.1 * sys.float_info.max:
            raise ValueError(
                "X has values whose squared distances overflow float64. Scale X first, for "
                "instance by a constant. The batch was not used."
            )

    def is_far(self, mean: Tensor) -> bool:
        """Tell whether a mean is so far from the origin that this should follow."""
        return bool(torch.linalg.vector_norm(mean) > _FAR * len(mean) ** 0.5)

    def follow(self, mean: Tensor) -> None:
        """Move the origin to a mean (d,) in these coordinates."""
        self.moments.shift(mean)
        self.origin = self.origin + mean.to(torch.float64).cpu().numpy() * self.unit

    def scaled(self, rows: Tensor) -> Tensor:
        """Return rows as distances are computed between them."""
        if not self.standardize:
            return rows
        return rows * self.moments.inverse_deviation().to(rows)

    def unscaled(self, rows: Tensor) -> Tensor:
        """Undo `scaled`."""
        if not self.standardize:
            return rows
        return rows / self.moments.inverse_deviation().to(rows)

    def to_features(self, rows: Tensor) -> np.ndarray:
        """Return rows as features are, standardised if these are."""
        values = rows.to(torch.float64).cpu().numpy() * self.unit + self.origin
        if self.standardize:
            mean, scale = self.standardization
            values = (values - mean) * scale
        features: np.ndarray = values.astype(self.dtype)
        return features
