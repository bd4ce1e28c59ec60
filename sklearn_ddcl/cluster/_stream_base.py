"""What estimators of streams share: state, batches, and sources of batches."""

import copy
import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.engine import stream_module
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.utils import (
    check_weights,
    is_table,
    iterate_batches,
    kept_on_error,
    make_reporter,
    release_pages,
)


class StreamClusterer(PrototypeClusterer):
    """Base of estimators that learn batch by batch.

    A subclass has the parameters ``n_clusters``, ``batch_size``, ``backbone`` and
    ``verbose``, names in ``_stream_parameters`` those that must not change within
    a stream, and makes the engine's stream for a first batch in ``_make_stream``.
    What the stream has come to is read from it when it is asked for.
    """

    _stream_parameters = ()

    @property
    def cluster_centers_(self):
        """Prototypes."""
        return self._state("cluster_centers_").centers

    @property
    def labels_(self):
        """Clusters of the last batch, or of the table that was fitted."""
        stream = self._state("labels_")
        return stream.last_batch().labels if self._whole is None else self._whole[0]

    @property
    def inertia_(self):
        """Sum of squared distances of the same samples."""
        stream = self._state("inertia_")
        return stream.last_batch().inertia if self._whole is None else self._whole[1]

    @property
    def temperature_(self):
        """Present temperature."""
        return self._state("temperature_").temperature

    @property
    def n_active_clusters_(self):
        """Number of clusters in use."""
        return self._state("n_active_clusters_").config.n_clusters

    @property
    def module_(self):
        """The network so far."""
        stream = self._state("module_")
        if stream.module is None:
            stream.module = stream_module(stream, stream.encoder)
        return stream.module

    @property
    def n_samples_seen_(self):
        """Samples seen so far."""
        return self._state("n_samples_seen_", ready=False).n_samples

    @property
    def n_batches_seen_(self):
        """Batches seen so far."""
        return self._state("n_batches_seen_", ready=False).n_batches

    @property
    def n_iter_(self):
        """Batches seen so far."""
        return self._state("n_iter_", ready=False).n_batches

    @property
    def history_(self):
        """Records of the batches."""
        return self._state("history_", ready=False).history.records

    def _fit_anew(self, X, sample_weight):
        with kept_on_error(self):
            self._begin()
            if is_table(X):
                self._fit_table(X, sample_weight)
            else:
                self._fit_source(X, sample_weight)
        return self

    def _fit_more(self, X, sample_weight):
        with kept_on_error(self):
            self._advance(X, sample_weight)
        return self

    def _begin(self):
        for name in ("_stream", "_settings", "_whole", "input_shape_"):
            self.__dict__.pop(name, None)

    def _fit_table(self, X, sample_weight):
        X = X if hasattr(X, "shape") else np.asarray(X)
        if not X.shape or X.shape[0] < self.n_clusters:  # says what is wrong
            check_training_input(self, X, self.n_clusters, allow_nd=self.backbone is not None)
        weights = check_weights(sample_weight, np.empty((X.shape[0], 0)))
        start = 0
        for batch in iterate_batches(X, self.batch_size):
            stop = start + batch.shape[0]
            part = None if weights is None else weights[start:stop]
            if part is None or part.any():
                self._advance(batch, part)
            start = stop
        self._settle()
        found = [self._label(batch) for batch in iterate_batches(X, self.batch_size)]
        labels, squares = (np.concatenate(parts) for parts in zip(*found, strict=True))
        self._whole = labels, float(squares.sum() if weights is None else squares @ weights)

    def _fit_source(self, X, sample_weight):
        if sample_weight is not None:
            raise ValueError(
                "sample_weight must be None where X is an iterable of batches: pass the weights "
                "of each batch to partial_fit."
            )
        for batch in iterate_batches(X, self.batch_size):
            self._advance(batch, None)
        self._settle()

    def _label(self, batch):
        """Return labels and squared distances."""
        labels = self.predict(batch)
        nearest = self._distances(batch)[np.arange(len(labels)), labels]
        squares = nearest.astype(np.float64) ** 2
        release_pages(batch)
        return labels, squares

    def _advance(self, batch, sample_weight):
        first = not hasattr(self, "_stream")
        if sparse.issparse(batch):
            raise TypeError(
                f"{type(self).__name__} takes dense X: sparse input is not supported. Pass "
                "X.toarray() batch by batch, or reduce it first, as with TruncatedSVD."
            )
        if first:
            X = check_training_input(self, batch, 1, allow_nd=self.backbone is not None)
        else:
            self._check_settings()
            X = self._check_new(batch)
        weights = check_weights(sample_weight, X)
        stream = self._make_stream(X) if first else self._stream
        stream.history.report = make_reporter(self.verbose, type(self).__name__)
        try:
            stream.advance(X, weights)
        finally:
            stream.history.report = None
        release_pages(batch)
        self._stream, self._whole = stream, None
        if first:
            backbone = {"backbone": self.backbone}  # a network is not copied to be compared
            self._settings = copy.deepcopy(self._current() | {"backbone": None}) | backbone

    def _current(self):
        return {name: getattr(self, name) for name in self._stream_parameters}

    def _check_settings(self):
        for name, value in self._current().items():
            before = self._settings[name]
            if value is not before and (name == "backbone" or value != before):
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} was {before!r} at the "
                    f"first batch of this stream and is {value!r} now. Put it back, or begin "
                    "a new stream with fit or with a clone."
                )

    def _settle(self):
        """Take fewer clusters where a whole run had too few distinct samples."""
        if not self._stream.ready:
            self._stream.settle()
        if self.n_active_clusters_ == self.n_clusters:
            return
        warnings.warn(
            f"{self.n_active_clusters_} of n_clusters={self.n_clusters} clusters are in use: X "
            "has no more distinct samples (as far as its dtype tells them apart). Lower "
            "n_clusters.",
            CollapseWarning,
            stacklevel=5,  # through fit and its validating wrapper
        )

    def _state(self, name, ready=True):
        """Return the stream, or say that there is no such attribute yet."""
        stream = self.__dict__.get("_stream")
        if stream is None or (ready and not stream.ready):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r} yet.")
        return stream

    def __sklearn_is_fitted__(self):
        stream = self.__dict__.get("_stream")
        return stream is not None and stream.ready

    def _check_fitted(self):
        stream = self.__dict__.get("_stream")
        if stream is not None and not stream.ready:
            raise NotFittedError(
                f"This {type(self).__name__} instance {stream.waiting}. There are no clusters "
                "yet: call 'partial_fit' with more."
            )
        super()._check_fitted()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
