"""Prototypes of a stream: every batch is seen once, then only its summary is left."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._frame import power_of_two
from sklearn_ddcl.engine._moments import Moments
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device
from sklearn_ddcl.engine._stream_history import StreamHistory
from sklearn_ddcl.engine._stream_options import SoftmaxAssignment, WidrowHoff
from sklearn_ddcl.engine._stream_steps import Rows, make_step, scores_by_prototype
from sklearn_ddcl.engine._summary import Summary, summary_size, thin
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.initialization import kmeans_plusplus
from sklearn_ddcl.nn.numerics import leading_eigenvalue
from sklearn_ddcl.nn.schedules import absolute_temperature
from sklearn_ddcl.nn.summaries import best_swap

__all__ = ["BatchResult", "Stream", "StreamConfig", "open_stream"]

_SAMPLES_A_STEP = 50  # block 6's batch: schedules do not depend on how a stream is cut
# by how much more must have been seen before prototypes are searched a better place again
_GROWTH, _FIRST_GROWTH = 0.1, 0.5
_COLDEST = 1e-30  # temperature in units of the frame, for constant data
_FAR = 10.0  # deviations of the summary from the origin, from which digits would suffer


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


class Stream:
    """The state of a stream: prototypes, summary, counters; pickles at any time.

    Parameters
    ----------
    config : StreamConfig
        Validated options.
    width : int
        Number of features.
    dtype : numpy.dtype
        Type of the rows, float32 or float64.
    encoder : nn.Module, optional
        Frozen network that makes features from rows of any shape, in evaluation
        mode, on the CPU. None takes rows as features.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import SoftmaxAssignment, Stream, StreamConfig, stream_temperature
    >>> stream = Stream(
    ...     StreamConfig(2, SoftmaxAssignment(), stream_temperature()), 1, np.dtype("float64"))
    >>> stream.advance(np.array([[0.0], [0.0], [9.0]]))
    >>> stream.advance(np.array([[0.0], [9.0]]))
    >>> sorted(stream.last_batch().labels.tolist())
    [0, 1]
    """

    def __init__(
        self, config: StreamConfig, width: int, dtype: Any, encoder: nn.Module | None = None
    ) -> None:
        self.config = config
        self.encoder = encoder
        self.dtype = np.dtype(dtype)
        self.device = resolve_device(config.device, float_type(dtype))
        self.generator = make_generator(config.seed)
        size = summary_size(config.n_clusters, config.summary_size or None)
        self.summary = Summary(size, width, float_type(dtype), self.device)
        self.moments = Moments(width, self.device)
        self.step = make_step(config.assignment)
        self.history = StreamHistory()
        self.module: Any = None  # the network of this state, once it has been asked for
        self.origin: Any = None  # ndarray of shape (d,), float64, from the first batch on
        self.unit = 1.0
        self.prototypes: Tensor | None = None  # in the frame, not standardised
        self.mass = torch.zeros(config.n_clusters, dtype=torch.float64, device=self.device)
        self.critical = 0.0
        self.leading: Tensor | None = None
        self.weight_seen = 0.0
        self.n_samples = 0
        self.n_batches = 0
        self.n_distinct = 0
        self._last: Any = None
        self._last_result: BatchResult | None = None
        self._search_at = 0.0
        self._clock = 0.0  # samples, piece by piece

    @property
    def ready(self) -> bool:
        """Whether there are prototypes: k distinct samples have been seen."""
        return self.prototypes is not None

    @property
    def area(self) -> float:
        """Squared unit in which distances are computed, in squared units of the features."""
        return 1.0 if self.config.standardize else self.unit**2

    @property
    def temperature(self) -> float:
        """The schedule's temperature, in squared units of the features."""
        return self._temperature() * self.area

    @property
    def scaled_prototypes(self) -> Tensor:
        """Prototypes of shape (k, d) in the coordinates in which distances are computed."""
        return self._scaled(self._required())

    @property
    def centers(self) -> np.ndarray:
        """Prototypes of shape (k, d) as features are, standardised if these are."""
        p = self._required().to(torch.float64).cpu().numpy() * self.unit
        if not self.config.standardize:
            return (p + self.origin).astype(self.dtype)
        mean, scale = self.standardization
        return ((p + self.origin - mean) * scale).astype(self.dtype)

    @property
    def standardization(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and inverse deviation, each of shape (d,), of features as they come."""
        mean = self.moments.mean.cpu().numpy() * self.unit + self.origin
        return mean, self.moments.inverse_deviation().cpu().numpy() / self.unit

    def advance(self, rows: np.ndarray, weight: np.ndarray | None = None) -> None:
        """Take a batch in.

        Parameters
        ----------
        rows : ndarray of shape (b, d), or (b, ...) with an encoder
            Finite rows, float32 or float64; never changed. Until the next batch
            a copy of the features is kept.
        weight : ndarray of shape (b,), optional
            Non-negative weights, not all zero.

        Raises
        ------
        ValueError
            If the encoder does not take the rows, or squared distances from them
            to what was seen before overflow; the stream is as it was before.
        """
        begin = time.perf_counter()
        rows = self.encode(rows)
        with torch.inference_mode():
            x, w = self._load(rows, weight)
            before = self.weight_seen
            chosen, mass = self._choose(x, w, before, weight is None)
            self._check_range(x if self.config.standardize else chosen)
            n = x.shape[0]
            kept = (1.0 - self.config.decay) ** n
            self.weight_seen = before * kept + float(w.sum())
            if self.config.standardize:
                self.moments.update(x / self.unit, w, kept)
            self.n_samples += n
            self.n_batches += 1
            self.history.begin(self.n_batches)
            length = chosen.shape[0] if self._forgets_all else self.summary.piece
            for piece, part in _pieces(chosen, mass, length):
                # the first piece may set the unit
                self._take(piece / self.unit, part, n * piece.shape[0] / chosen.shape[0])
            self._last, self._last_result, self.module = (x, w), None, None
            self._clock = float(self.n_samples)
            if self.ready:
                self.history.end(self, time.perf_counter() - begin)

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return the features of rows, in the stream's type.

        Parameters
        ----------
        rows : ndarray of shape (b, ...)
            Rows.

        Returns
        -------
        ndarray of shape (b, d)
            Features, not standardised.

        Raises
        ------
        ValueError
            If the encoder does not take them.
        """
        return (
            rows
            if self.encoder is None
            else _encoded(self.encoder, rows, self.dtype, self.config.device)
        )

    def last_batch(self) -> BatchResult:
        """Return labels and inertia of the last batch.

        Returns
        -------
        BatchResult
            Computed once it is asked for.
        """
        if self._last_result is None:
            with torch.inference_mode():
                x, weight = self._last
                self._last_result = self._describe(x / self.unit, weight)
        return self._last_result

    @property
    def _forgets_all(self) -> bool:
        """Whether nothing is kept of the past but the prototypes."""
        return self.ready and self.config.summary_size == 0

    def _choose(self, x: Tensor, w: Tensor, before: float, even: bool) -> tuple[Tensor, Tensor]:
        n = x.shape[0]
        index = None
        if not self._forgets_all:
            index = thin(n, None if even else w.cpu(), before, self.generator)
        if index is None:
            return x, w
        share = w.sum() / index.shape[0]
        return x[index.to(x.device)], share.expand(index.shape[0])

    def _load(self, rows: np.ndarray, weight: np.ndarray | None) -> tuple[Tensor, Tensor]:
        """Return rows of positive weight less the origin."""
        if weight is not None:
            used = weight > 0
            rows, weight = rows[used], weight[used]
        if self.origin is None:
            self.origin = rows.mean(axis=0, dtype=np.float64)
        origin = self.origin.astype(self.dtype)
        x = torch.from_numpy((rows - origin).astype(self.dtype, copy=False))
        x = x.to(self.device)
        w = (
            torch.ones(x.shape[0], dtype=torch.float64)
            if weight is None
            else torch.from_numpy(weight.astype(np.float64))
        )
        return x, w.to(self.device)

    def _check_range(self, x: Tensor) -> None:
        if not self.ready and not self.config.standardize:
            return  # there is no unit yet
        largest = float(torch.linalg.vector_norm(x, torch.inf)) / self.unit
        if not largest * largest * x.shape[1] < 0.1 * torch.finfo(x.dtype).max:
            raise ValueError(
                "X has values so far from those seen before that squared distances overflow "
                f"{self.dtype}. The batch was not used."
            )

    def _take(self, z: Tensor, weight: Tensor, n_samples: float) -> None:
        """Let a piece in, and move the prototypes."""
        kept = (1.0 - self.config.decay) ** n_samples
        self._clock += n_samples
        if self._forgets_all:
            self._move(Rows(self._scaled(z), weight.to(z.dtype), z.shape[0]), kept)
            return
        if not self.summary.fits(z.shape[0]):
            self._tidy()
        if kept < 1.0:
            self.summary.forget(kept)
        self.summary.add(z, weight)
        if not self.ready and not self._start():
            return
        if not self.summary.merged and self._clock >= self._search_at:
            self._search(self._distances(self._mean()))
        rows = Rows(self._scaled(self.summary.rows), self.summary.weight.to(z.dtype), z.shape[0])
        self._move(rows, kept)

    def _move(self, rows: Rows, kept: float) -> None:
        p = self.scaled_prototypes
        moved = self.step(rows, p, self._temperature(), kept)
        start = rows.z.shape[0] - rows.n_new
        mass = self.history.watch(rows.z[start:], rows.weight[start:], p, moved.assignments)
        self.mass.mul_(kept).add_(mass)
        self.prototypes = self._unscaled(moved.prototypes)

    def _start(self) -> bool:
        """Choose the first prototypes once there are k distinct rows."""
        rows = self.summary.rows
        k = self.config.n_clusters
        self.n_distinct = len(torch.unique(rows, dim=0))
        if self.n_distinct < k:
            return False
        self.unit = power_of_two(float((rows - rows.mean(dim=0)).abs().max()), rows.dtype)
        self.summary.scale(1.0 / self.unit)
        self.moments.scale(1.0 / self.unit)
        seeds = kmeans_plusplus(
            self._scaled(self.summary.rows), k, self.generator, self.summary.weight
        )
        self.prototypes = self.summary.rows[seeds].clone()
        self._measure()
        return True

    def _tidy(self) -> None:
        """Make room: a better place for a prototype, then fewer rows."""
        self.summary.sort()
        mean = self._mean()
        distances = self._distances(mean)
        if self.ready and self._clock >= self._search_at:
            self._search(distances)
        self.summary.merge(distances)
        if self.ready and float(torch.linalg.vector_norm(mean)) > _FAR * len(mean) ** 0.5:
            self._recentre(mean)

    def _recentre(self, mean: Tensor) -> None:
        """Follow a stream that has moved far from the frame's origin."""
        self.summary.shift(mean)
        self.moments.shift(mean)
        self.prototypes = self._required() - mean
        self.origin = self.origin + mean.to(torch.float64).cpu().numpy() * self.unit

    def adopt(
        self, rows: np.ndarray, n_samples: int, prototypes: np.ndarray, n_batches: int
    ) -> None:
        """Begin with a sample of what was seen, and prototypes that fit it.

        Parameters
        ----------
        rows : ndarray of shape (n, d), or (n, ...) with an encoder
            Sample.
        n_samples : int
            How many samples it stands for.
        prototypes : ndarray of shape (k, d)
            Prototypes.
        n_batches : int
            Batches so far.
        """
        with torch.inference_mode():
            x, w = self._load(self.encode(rows), None)
            self.unit = power_of_two(float(x.abs().max()), x.dtype)
            if self.config.standardize:
                self.moments.update(x / self.unit, w, 1.0)
            w.mul_(n_samples / len(rows))
            for piece, part in _pieces(x, w, self.summary.piece):
                if not self.summary.fits(len(piece)):
                    self._tidy()
                self.summary.add(piece / self.unit, part)
            p = (prototypes - self.origin) / self.unit
            self.prototypes = torch.from_numpy(p).to(x)
            self.n_samples, self.n_batches, self.weight_seen = n_samples, n_batches, n_samples
            self._clock = float(n_samples)
            self._measure()
            self._last, self._last_result = (x, w), None

    @property
    def waiting(self) -> str:
        """Why there are no clusters yet."""
        return (
            f"has seen {self.n_distinct} distinct samples so far, fewer than "
            f"n_clusters={self.config.n_clusters}: they are buffered"
        )

    def settle(self) -> None:
        """Start with as many clusters as distinct rows have been seen: no more will come."""
        if self.ready:
            return
        k = self.n_distinct
        self.config = self.config._replace(n_clusters=k)
        self.mass = self.mass[:k].clone()
        with torch.inference_mode():
            self._start()

    def _mean(self) -> Tensor:
        weight = self.summary.weight
        return (weight / weight.sum()).to(self.summary.rows) @ self.summary.rows

    def _distances(self, mean: Tensor) -> Tensor:
        """Return squared distances between the rows of the summary, in float32."""
        rows = self._scaled(self.summary.rows - mean).to(torch.float32)
        return squared_distances(rows, rows)

    def _search(self, distances: Tensor) -> None:
        """Move the prototype that does most good elsewhere; measure the temperature's scale."""
        rows = self._scaled(self.summary.rows)
        swap = best_swap(rows, self.summary.weight, self.scaled_prototypes, distances)
        if swap is not None:
            self._required()[swap.prototype] = self.summary.rows[swap.row]
            self.mass[swap.prototype] = 0.0
            self.history.n_revived += 1
        self._measure()

    def _measure(self) -> None:
        """Follow the critical temperature, twice the leading eigenvalue of the covariance."""
        rows = self._scaled(self.summary.rows - self._mean())
        weight = (self.summary.weight / self.summary.weight.sum()).to(rows)
        start = rows.new_ones(rows.shape[1]) if self.leading is None else self.leading

        def product(v: Tensor) -> Tensor:
            return rows.T @ (weight * (rows @ v))

        found = leading_eigenvalue(product, start=start, tolerance=1e-2, max_iter=50)
        self.critical, self.leading = 2.0 * found.value, found.vector
        growth = _GROWTH if self.summary.merged else _FIRST_GROWTH
        self._search_at = self._clock + growth * self.weight_seen

    def _temperature(self) -> float:
        step = self._clock / _SAMPLES_A_STEP
        schedule = self.config.temperature
        value = absolute_temperature(schedule, step, self.critical)
        return max(value if schedule.relative else value / self.area, _COLDEST)

    def _describe(self, x: Tensor, weight: Tensor) -> BatchResult:
        x, p = self._scaled(x), self.scaled_prototypes
        best, labels = scores_by_prototype(x, p).min(dim=0)
        squares = (best + x.square().sum(dim=1)).clamp_min_(0.0)
        inertia = float(weight.to(squares) @ squares)
        return BatchResult(labels.to(torch.int32).cpu().numpy(), inertia * self.area)

    def _scaled(self, rows: Tensor) -> Tensor:
        if not self.config.standardize:
            return rows
        return rows * self.moments.inverse_deviation().to(rows)

    def _unscaled(self, rows: Tensor) -> Tensor:
        if not self.config.standardize:
            return rows
        return rows / self.moments.inverse_deviation().to(rows)

    def _required(self) -> Tensor:
        if self.prototypes is None:
            raise RuntimeError("The stream has no prototypes yet.")
        return self.prototypes

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["generator"] = self.generator.get_state()
        if self.ready:
            state["_last_result"] = self.last_batch()
        state["module"] = state["_last"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.generator = torch.Generator()
        self.generator.set_state(state["generator"])


def open_stream(config: StreamConfig, encoder: nn.Module | None, X: np.ndarray) -> Stream:
    """Return a new stream for samples such as these.

    Parameters
    ----------
    config : StreamConfig
        Validated options.
    encoder : nn.Module or None
        As in `Stream`.
    X : ndarray of shape (b, ...)
        Samples, of which the first one is encoded.

    Returns
    -------
    Stream
        One that has seen nothing.

    Raises
    ------
    ValueError
        If the encoder does not take the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     SoftmaxAssignment, StreamConfig, open_stream, stream_temperature)
    >>> config = StreamConfig(2, SoftmaxAssignment(), stream_temperature())
    >>> open_stream(config, None, np.zeros((1, 3))).ready
    False
    """
    if encoder is None:
        return Stream(config, X.shape[1], X.dtype)
    width = _encoded(encoder, X[:1], X.dtype, config.device).shape[1]
    return Stream(config, width, X.dtype, encoder)


def _encoded(encoder: nn.Module, rows: np.ndarray, dtype: Any, device: str) -> np.ndarray:
    try:
        return encode_rows(encoder, rows, dtype, device)
    except RuntimeError as error:
        raise ValueError(
            f"The 'backbone' does not take samples of shape {rows.shape[1:]}: {error}"
        ) from error


def _pieces(rows: Tensor, weight: Tensor, length: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, rows.shape[0], length):
        yield rows[start : start + length], weight[start : start + length]
