"""A stream whose encoder learns: lessons on a replay buffer, prototypes batch by batch."""

import copy
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from torch import nn

from sklearn_ddcl.engine._backbones import BEYOND_FLOAT32
from sklearn_ddcl.engine._config import Regularization
from sklearn_ddcl.engine._deep import DeepResult, fit_deep
from sklearn_ddcl.engine._deep_config import DeepConfig
from sklearn_ddcl.engine._inference import nearest
from sklearn_ddcl.engine._replay import Replay
from sklearn_ddcl.engine._stream import Stream
from sklearn_ddcl.engine._stream_batch import load_batch
from sklearn_ddcl.engine._stream_config import BatchResult, StreamConfig
from sklearn_ddcl.engine._stream_encoding import encode_batch
from sklearn_ddcl.engine._stream_history import StreamHistory
from sklearn_ddcl.engine._training_options import JointTraining
from sklearn_ddcl.engine._warm_ups import NeighborContrast

__all__ = ["LearningStream"]

_FIRST_LESSON = 256  # samples, or 20 a cluster
_PER_CLUSTER = 20
_LATER_STEPS = 300  # of the warm-up's task, for a backbone that has learned before
_LATER_EPOCHS = 5


class LearningStream:
    """End-to-end learning from a stream.

    A lesson trains the backbone on the replay buffer, as `DDCLClustering` does,
    from the weights it has; the prototypes then start from the buffer's clusters,
    numbered as before. Lessons come when the number of samples has doubled, until
    the buffer is full, and from then on once for as many samples as it holds.

    Parameters
    ----------
    config : StreamConfig
        Of the stream of features.
    backbone : str, nn.Module or callable
        As in `DDCLClustering`.
    replay_size : int
        Samples held.
    dtype : numpy.dtype
        Type of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     LearningStream, SoftmaxAssignment, StreamConfig, stream_temperature)
    >>> config = StreamConfig(2, SoftmaxAssignment(), stream_temperature())
    >>> LearningStream(config, "mlp", 100, np.dtype("float64")).ready
    False
    """

    def __init__(self, config: StreamConfig, backbone: Any, replay_size: int, dtype: Any) -> None:
        self.config = config
        self.dtype = np.dtype(dtype)
        self.backbone = backbone
        self.replay = Replay(replay_size, config.decay, config.seed)
        self.features: Stream | None = None
        self.history = StreamHistory()
        self.n_batches = 0
        self.n_lessons = 0
        self.module: Any = None
        first = max(_FIRST_LESSON, _PER_CLUSTER * config.n_clusters)
        self.lesson_at = min(first, replay_size)

    @property
    def ready(self) -> bool:
        """Whether there are prototypes: there has been a lesson."""
        return self.features is not None

    @property
    def encoder(self) -> nn.Module | None:
        """The backbone, once it has had a lesson."""
        return None if self.features is None else self.features.encoder

    @property
    def n_samples(self) -> int:
        """Samples seen."""
        return self.replay.n_seen

    @property
    def centers(self) -> np.ndarray:
        """Prototypes of shape (k, d), in the space of the features."""
        return self._required().centers

    @property
    def temperature(self) -> float:
        """Present temperature, in squared units of the features."""
        return self._required().temperature

    @property
    def waiting(self) -> str:
        """Why there are no clusters yet."""
        return (
            f"has seen {self.n_samples} samples so far, and its backbone has its first lesson at "
            f"{self.lesson_at}"
        )

    def advance(self, X: np.ndarray, weight: np.ndarray | None = None) -> None:
        """Take a batch in.

        Parameters
        ----------
        X : ndarray of shape (b, ...)
            Finite samples, float32 or float64.
        weight : ndarray of shape (b,), optional
            Non-negative weights, not all zero: of the prototypes' steps; lessons
            weigh equally what the buffer holds.

        Raises
        ------
        ValueError
            If a value leaves the range of float32; all is as it was.
        """
        if float(np.abs(X).max(initial=0.0)) > float(np.finfo(np.float32).max):
            raise ValueError(BEYOND_FLOAT32)
        before = self.__dict__.copy()
        undo = self.replay.add(X if weight is None else X[weight > 0])
        try:
            self._take_in(X, weight)
        except BaseException:
            undo()
            self.__dict__.update(before)
            raise

    def _take_in(self, X: np.ndarray, weight: np.ndarray | None) -> None:
        self.n_batches += 1
        self.module = None
        if self.n_samples >= self.lesson_at:
            self._lesson()
            twice = self.n_samples if self.replay.n_held < self.replay.size else self.replay.size
            self.lesson_at = self.n_samples + twice
            self._show(X, weight)
        elif self.features is not None:
            self.features.advance(X, weight)

    def last_batch(self) -> BatchResult:
        """Return labels and inertia of the last batch; of the buffer if a lesson ended all.

        Returns
        -------
        BatchResult
            Computed once it is asked for.
        """
        return self._required().last_batch()

    def settle(self) -> None:
        """Have the lesson now: no more samples will come."""
        if not self.ready:
            self._lesson()

    def _show(self, X: np.ndarray, weight: np.ndarray | None) -> None:
        """Make a batch the last one: a lesson has left the buffer there."""
        to = self._required()
        z = encode_batch(to.encoder, X, self.dtype, self.config.device)
        to.last_rows = load_batch(z, weight, to.frame, to.device, every=True)

    def _lesson(self) -> None:
        rows = self.replay.samples
        before = None if self.features is None else self._labels(rows)
        result = fit_deep(rows, None, self._lesson_config())
        self.n_lessons += 1
        centers = _renumbered(result, before, self.config.n_clusters)
        self.config = self.config._replace(n_clusters=len(centers))
        encoder = result.backbone.requires_grad_(False)
        self.features = Stream(self.config, centers.shape[1], self.dtype, encoder)
        self.features.history = self.history
        self.features.adopt(rows, self.n_samples, centers, self.n_batches)

    def _lesson_config(self) -> DeepConfig:
        known = self.encoder
        backbone = self.backbone
        if known is not None:
            backbone = copy.deepcopy(known).float().requires_grad_(True)
        return DeepConfig(
            n_clusters=self.config.n_clusters,
            prototypes_per_cluster=None,
            backbone=backbone,
            warm_up=NeighborContrast(n_steps=None if known is None else _LATER_STEPS),
            training=JointTraining(epochs=None if known is None else _LATER_EPOCHS),
            loss="quantization",
            regularization=Regularization(),
            device=self.config.device,
            seed=self.config.seed + self.n_lessons,
        )

    def _labels(self, rows: np.ndarray) -> np.ndarray:
        stream = self._required()
        z = encode_batch(stream.encoder, rows, self.dtype, self.config.device)
        return nearest(z, stream.centers, self.config.device)

    def _required(self) -> Stream:
        if self.features is None:
            raise RuntimeError("The stream has no prototypes yet.")
        return self.features


def _renumbered(result: DeepResult, before: np.ndarray | None, k: int) -> np.ndarray:
    """Return the clusters' means, in the order in which they agree best with labels before."""
    centers: np.ndarray = result.clusters.centers
    labels = result.clusters.labels
    if before is None or len(centers) != k:
        return centers
    shared = np.zeros((k, k))
    np.add.at(shared, (before, labels), 1.0)
    ordered: np.ndarray = centers[linear_sum_assignment(shared, maximize=True)[1]]
    return ordered
