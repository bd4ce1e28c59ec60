"""What a stream is told, and what it tells of a batch."""

from typing import Any, NamedTuple

import numpy as np

from sklearn_ddcl.engine._stream_options import SoftmaxAssignment, WidrowHoff

__all__ = ["BatchResult", "StreamConfig"]


class StreamConfig(NamedTuple):
    """What a stream needs to know.

    Attributes
    ----------
    n_clusters : int
        Number of prototypes k.
    assignment : SoftmaxAssignment or WidrowHoff
        Validated options.
    temperature : TemperatureSchedule
        Called with the number of samples seen, in units of 50.
    decay : float
        By what share of itself the weight of the past falls a sample.
    summary_size : int or None
        Rows that stand for the past; 0 keeps none of it.
    standardize : bool
        Whether features are divided by their running standard deviation.
    device : str
        Device name or "auto".
    seed : int
        Seed of the stream's own generator.
    """

    n_clusters: int
    assignment: SoftmaxAssignment | WidrowHoff
    temperature: Any
    decay: float = 0.0
    summary_size: int | None = None
    standardize: bool = False
    device: str = "auto"
    seed: int = 0


class BatchResult(NamedTuple):
    """What the last batch is, seen from the prototypes after it.

    Attributes
    ----------
    labels : ndarray of shape (b,), int32
        Nearest prototype of each row.
    inertia : float
        Weighted sum of squared distances to them, in units of the rows.
    """

    labels: np.ndarray
    inertia: float
