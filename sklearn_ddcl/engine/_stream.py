"""Prototypes of a stream: every batch is seen once, then only its summary is left."""

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device
from sklearn_ddcl.engine._stream_batch import choose_rows, describe_batch, load_batch, pieces
from sklearn_ddcl.engine._stream_config import BatchResult, StreamConfig
from sklearn_ddcl.engine._stream_encoding import encode_batch
from sklearn_ddcl.engine._stream_frame import StreamFrame
from sklearn_ddcl.engine._stream_history import StreamHistory
from sklearn_ddcl.engine._stream_search import SWAPS, StreamSearch
from sklearn_ddcl.engine._stream_steps import Rows, make_step
from sklearn_ddcl.engine._summary import Summary, summary_size
from sklearn_ddcl.nn.initialization import kmeans_plusplus
from sklearn_ddcl.nn.schedules import absolute_temperature

__all__ = ["Stream"]

_SAMPLES_A_STEP = 50  # block 6's batch: schedules do not depend on how a stream is cut
_COLDEST = 1e-30  # temperature in units of the frame, for constant data


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
        self.device = resolve_device(config.device, float_type(dtype))
        self.generator = make_generator(config.seed)
        size = summary_size(config.n_clusters, config.summary_size or None)
        self.summary = Summary(size, width, float_type(dtype), self.device)
        self.frame = StreamFrame(width, dtype, config.standardize, self.device)
        self.search = StreamSearch(self.summary, self.frame)
        self.step = make_step(config.assignment)
        self.history = StreamHistory()
        self.module: Any = None  # the network of this state, once it has been asked for
        self.prototypes: Tensor | None = None  # in the frame, not standardised
        self.mass = torch.zeros(config.n_clusters, dtype=torch.float64, device=self.device)
        self.weight_seen = 0.0
        self.n_samples = 0
        self.n_batches = 0
        self.n_distinct = 0
        self.last_rows: Any = None
        self._last_result: BatchResult | None = None
        self._seen: Tensor | None = None  # the prototypes as readers see them, once asked for
        self._clock = 0.0  # samples, piece by piece
        self._far: Tensor | None = None  # where the origin is to follow after the batch

    @property
    def ready(self) -> bool:
        """Whether there are prototypes: k distinct samples have been seen."""
        return self.prototypes is not None

    @property
    def dtype(self) -> Any:
        """Type of the features."""
        return self.frame.dtype

    @property
    def temperature(self) -> float:
        """The schedule's temperature, in squared units of the features."""
        return self._temperature() * self.frame.area

    @property
    def scaled_prototypes(self) -> Tensor:
        """Prototypes of shape (k, d) in the coordinates in which distances are computed."""
        return self.frame.scaled(self._required())

    @property
    def centers(self) -> np.ndarray:
        """Prototypes of shape (k, d) as features are, standardised if these are.

        They are those of the limit of temperature 0, where the step looks at the
        summary: the stream itself goes on from the soft ones.
        """
        return self.frame.to_features(self.frame.unscaled(self._read()))

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
        rows = encode_batch(self.encoder, rows, self.dtype, self.config.device)
        with torch.inference_mode():
            x, w = load_batch(rows, weight, self.frame, self.device)
            before = self.weight_seen
            whole, even = self._forgets_all, weight is None
            chosen, mass = (x, w) if whole else choose_rows(x, w, even, before, self.generator)
            self.frame.check_range(x if self.config.standardize else chosen, self.ready)
            n = x.shape[0]
            kept = (1.0 - self.config.decay) ** n
            self.weight_seen = before * kept + float(w.sum())
            if self.config.standardize:
                self.frame.moments.update(x / self.frame.unit, w, kept)
            self.n_samples += n
            self.n_batches += 1
            self.history.begin(self.n_batches)
            length = chosen.shape[0] if whole else self.summary.piece
            for piece, part in pieces(chosen, mass, length):
                # the first piece may set the unit
                self._take(piece / self.frame.unit, part, n * piece.shape[0] / chosen.shape[0])
            if n < rows.shape[0]:  # labels are those of all, weight 0 or not
                x, w = load_batch(rows, weight, self.frame, self.device, every=True)
            self.last_rows, self._last_result, self._seen, self.module = (x, w), None, None, None
            self._clock = float(self.n_samples)
            self._follow()
            if self.ready:
                self.history.end(self, time.perf_counter() - begin)

    def last_batch(self) -> BatchResult:
        """Return labels and inertia of the last batch.

        Returns
        -------
        BatchResult
            Computed once it is asked for.
        """
        if self._last_result is None:
            with torch.inference_mode():
                x, weight = self.last_rows
                self._last_result = describe_batch(x, weight, self.frame, self._read())
        return self._last_result

    @property
    def _forgets_all(self) -> bool:
        """Whether nothing is kept of the past but the prototypes."""
        return self.ready and self.config.summary_size == 0

    def _take(self, z: Tensor, weight: Tensor, n_samples: float) -> None:
        """Let a piece in, and move the prototypes."""
        kept = (1.0 - self.config.decay) ** n_samples
        self._clock += n_samples
        if self._forgets_all:
            self._move(Rows(self.frame.scaled(z), weight.to(z.dtype), z.shape[0]), kept)
            return
        if not self.summary.fits(z.shape[0]):
            self._tidy()
        if kept < 1.0:
            self.summary.forget(kept)
        self.summary.add(z, weight)
        if not self.ready and not self._start():
            return
        # a stream that forgets may be another one before the next merge
        now = self.config.decay > 0.0 or not self.summary.merged
        if now and self._clock >= self.search.next_at:
            self._search()
        seen, mass = self.frame.scaled(self.summary.rows), self.summary.weight.to(z.dtype)
        self._move(Rows(seen, mass, z.shape[0]), kept)

    def _move(self, rows: Rows, kept: float) -> None:
        p = self.scaled_prototypes
        if self.config.standardize:
            self.step.rescale(self.frame.moments.inverse_deviation())
        moved = self.step(rows, p, self._temperature(), kept)
        start = rows.z.shape[0] - rows.n_new
        mass = self.history.watch(rows.z[start:], rows.weight[start:], p, moved.assignments)
        self.mass.mul_(kept).add_(mass)
        self.prototypes = self.frame.unscaled(moved.prototypes)

    def _start(self) -> bool:
        """Choose the first prototypes once there are k distinct rows."""
        rows = self.summary.rows
        k = self.config.n_clusters
        self.n_distinct = len(torch.unique(rows, dim=0))
        if self.n_distinct < k:
            return False
        self.frame.set_unit(rows)
        self.summary.scale(1.0 / self.frame.unit)
        seeds = kmeans_plusplus(
            self.frame.scaled(self.summary.rows), k, self.generator, self.summary.weight
        )
        self.prototypes = self.summary.rows[seeds].clone()
        self.search.measure(self._clock, self.weight_seen)
        return True

    def _tidy(self) -> None:
        """Make room: a better place for a prototype, then fewer rows."""
        self.summary.sort()
        mean = self.search.mean()
        if self.ready and self._clock >= self.search.next_at:
            self._search()
        targets = min(2 * self.summary.size, self.summary.n_rows)
        self.summary.merge(self.search.distances(mean, targets))
        if self.ready and self.frame.is_far(mean):
            self._far = mean

    def _follow(self) -> None:
        """Move the origin to a stream that has gone far; the batch must be in."""
        if self._far is None:
            return
        offset, self._far = self._far, None
        self.step.shift(self.frame.scaled(offset))
        self.summary.shift(offset)
        self.prototypes = self._required() - offset
        self.last_rows = self.last_rows[0] - offset * self.frame.unit, self.last_rows[1]
        self.frame.follow(offset)

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
            z = encode_batch(self.encoder, rows, self.dtype, self.config.device)
            x, w = load_batch(z, None, self.frame, self.device)
            self.frame.set_unit(x)
            if self.config.standardize:
                self.frame.moments.update(x / self.frame.unit, w, 1.0)
            w.mul_(n_samples / len(rows))
            for piece, part in pieces(x, w, self.summary.piece):
                if not self.summary.fits(len(piece)):
                    self._tidy()
                self.summary.add(piece / self.frame.unit, part)
            p = (prototypes - self.frame.origin) / self.frame.unit
            self.prototypes = torch.from_numpy(p).to(x)
            self.n_samples, self.n_batches, self.weight_seen = n_samples, n_batches, n_samples
            self._clock = float(n_samples)
            self.search.measure(self._clock, self.weight_seen)
            self.last_rows, self._last_result = (x, w), None

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

    def _search(self) -> None:
        for _ in range(SWAPS):
            swap = self.search.swap(self.scaled_prototypes)
            if swap is None:
                break
            self._required()[swap.prototype] = self.frame.unscaled(swap.place)
            self.mass[swap.prototype] = 0.0
            self.history.n_revived += 1
        self.search.measure(self._clock, self.weight_seen)

    def _temperature(self) -> float:
        step = self._clock / _SAMPLES_A_STEP
        schedule = self.config.temperature
        value = absolute_temperature(schedule, step, self.search.critical)
        return max(value if schedule.relative else value / self.frame.area, _COLDEST)

    def _read(self) -> Tensor:
        """Return the prototypes that readers see, of shape (k, d), scaled."""
        if self._seen is None:
            with torch.inference_mode():
                p = self.scaled_prototypes
                summarised = self.step.sees_summary and self.config.summary_size != 0
                self._seen = self.search.settled(p) if summarised else p
        return self._seen

    def _required(self) -> Tensor:
        if self.prototypes is None:
            raise RuntimeError("The stream has no prototypes yet.")
        return self.prototypes

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["generator"] = self.generator.get_state()
        if self.ready:
            state["_last_result"] = self.last_batch()
        state["module"] = state["last_rows"] = state["_seen"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.generator = torch.Generator()
        self.generator.set_state(state["generator"])
