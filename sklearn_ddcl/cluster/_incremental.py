"""IncrementalDDCL: clusters of a stream, batch by batch."""

import copy
import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.engine import (
    LearningStream,
    SoftmaxAssignment,
    StreamConfig,
    WidrowHoff,
    open_stream,
    resolve_assignment,
    resolve_encoder,
    resolve_temperature,
    stream_module,
    stream_temperature,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._build import TEMPERATURES
from sklearn_ddcl.engine._stream_options import STREAM_ASSIGNMENTS
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.utils import check_weights, is_table, iterate_batches, make_reporter
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class IncrementalDDCL(NestedOptions, PrototypeClusterer):
    r"""Deep Dual Competitive Learning of a stream, each sample seen once [1]_.

    Batches come through `partial_fit`. Prototypes move a step with each, by the
    soft quantization loss (Eq. 11) at a temperature that falls,
    :math:`T(t) = \max(T_0 e^{-t / \tau}, T_{\min})` (section 7.6), over the batch
    and a summary of all that came before: a few hundred means of samples that lay
    close together, with their weights. The samples themselves are not kept.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters k.
    assignment : {"softmax", "widrow_hoff"} or object, default="softmax"
        How samples are assigned in training: softmax of distances (Eq. 8), or one
        feature at a time with projection on the simplex (Algorithm 2); or a
        `SoftmaxAssignment` or `WidrowHoff` with options of its own.
    backbone : module, fitted estimator, {"mlp", "cnn"}, callable or None, default=None
        A fitted network or `DDCLClustering`, of which a copy encodes the samples,
        frozen. None clusters the samples as they are. Wrap an estimator in
        `sklearn.frozen.FrozenEstimator` where this one is cloned. With
        ``train_backbone=True`` as in `DDCLClustering`.
    train_backbone : bool, default=False
        Whether the backbone learns: when the number of samples has doubled, and
        later once for each `replay_size` of them, it is trained on the replay
        buffer, and the prototypes begin again there, numbered as before.
    replay_size : int, default=2048
        Samples that are held for that, a uniform sample of the stream. Without
        ``train_backbone`` none is.
    temperature : str or schedule, default="auto"
        As in `DDCLClustering`; a step of the schedule is 50 samples. "auto" falls
        from 0.9 to 0.1 times the critical temperature with a decay of 15 steps,
        twice as fast as the paper's.
    decay : float, default=0.0
        By what share of itself the weight of the past falls with each sample, in
        [0, 1): 0 forgets nothing, 0.001 half of the past in 693 samples.
    summary_size : int or None, default=None
        Weighted means that stand for the past. None takes 10 a cluster, at
        least 100, and fewer than that a cluster above 30 clusters. 0 keeps
        nothing of it: then the prototypes, which move by a gradient step, are all
        that is left of a batch, as in the paper.
    standardize : bool, default=False
        Whether to divide features by their running standard deviation.
    batch_size : int, default=1024
        Rows that `fit` takes at a time.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns.
    device : str, default="auto"
        "auto" takes CUDA, then MPS, then the CPU; or a torch device name.
    verbose : int, default=0
        1 writes a line for each batch.
    random_state : int, RandomState instance or None, default=None
        Seeds all that is drawn. Global random states are never touched.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_latent_features)
        Prototypes, in the space of the features (standardised if these are).
    labels_ : ndarray of shape (n_samples,)
        Cluster of each sample of the last batch, int32; after `fit` with a table,
        of all its samples.
    inertia_ : float
        Weighted sum of squared distances of the same samples to their prototype.
    temperature_ : float
        Present temperature, in squared units of the features.
    n_active_clusters_ : int
        Number of clusters in use.
    n_samples_seen_ : int
        Samples seen so far, those of weight 0 left out.
    n_batches_seen_ : int
        Batches seen so far.
    n_iter_ : int
        The same, under scikit-learn's name.
    history_ : list of dict
        One record a batch, before the prototypes moved: epoch (of batches),
        phase, n_samples, temperature, loss_quantization (Lq), loss_ols (L_OLS),
        variance (V), separation (S), concentration (K), force (I), drift (the
        loss against its mean over some 20 batches, less 1), n_active, n_revived
        (prototypes moved to where they do more good), seconds. Of long streams
        there is a record for every second, fourth ... batch, at most 512.
    module_ : torch.nn.Module
        The network so far, on the CPU.
    n_features_in_ : int
        Number of features seen in the first batch.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    DDCLClustering : Sees all samples at once, and learns features.
    sklearn.cluster.MiniBatchKMeans : Hard assignments, and no memory of the past.

    Notes
    -----
    Until k distinct samples have been seen these are buffered, and `predict`
    raises ``NotFittedError``. A batch that is refused leaves the state as it was.
    The estimator pickles between any two batches, and goes on to the same bits.
    The first 1,000 samples, and batches of up to 64, go into the summary in full;
    of a later batch of b samples a systematic sample of at least b / 16, in
    proportion to their weights. Sequences of batches of the same samples cut
    differently give results that are close, not equal.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning: A Differentiable
       End-to-End Framework for Unsupervised Prototype-Based Representation
       Learning", arXiv:2604.01740 (2026), sections 4.5 and 7.6, Algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl import IncrementalDDCL
    >>> stream = IncrementalDDCL(n_clusters=2, random_state=0)
    >>> for batch in ([[0.0], [0.5]], [[9.0], [9.5], [0.2]]):
    ...     _ = stream.partial_fit(batch)
    >>> stream.n_samples_seen_
    5
    >>> bool(np.ptp(stream.predict([[0.1], [9.3]])))
    True
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "assignment": [StrOptions(set(STREAM_ASSIGNMENTS)), SoftmaxAssignment, WidrowHoff],
        "backbone": [None, HasMethods(["get_params"]), StrOptions(set(BACKBONES)), callable],
        "train_backbone": ["boolean"],
        "replay_size": [Interval(Integral, 16, None, closed="left")],
        "temperature": [StrOptions(set(TEMPERATURES)), HasMethods(["__call__", "get_params"])],
        "decay": [Interval(Real, 0, 1, closed="left")],
        "summary_size": [None, Interval(Integral, 0, None, closed="left")],
        "standardize": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _option_makers = {  # noqa: RUF012  # a constant
        "assignment": lambda _, value: resolve_assignment(value),
        "temperature": lambda _, value: _schedule(value),
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        assignment="softmax",
        backbone=None,
        train_backbone=False,
        replay_size=2048,
        temperature="auto",
        decay=0.0,
        summary_size=None,
        standardize=False,
        batch_size=1024,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.assignment = assignment
        self.backbone = backbone
        self.train_backbone = train_backbone
        self.replay_size = replay_size
        self.temperature = temperature
        self.decay = decay
        self.summary_size = summary_size
        self.standardize = standardize
        self.batch_size = batch_size
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Begin anew, and take all samples in, in one pass and in their order.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or iterable of batches
            Samples, which may be memory-mapped and larger than memory; or an
            iterable, such as a generator or a loader, of batches of shape
            (n, n_features), of ``(batch, ...)`` pairs or of single samples.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; not with an iterable.

        Returns
        -------
        self : IncrementalDDCL
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid; the message names it, and the
            estimator is as it was.

        Warns
        -----
        CollapseWarning
            If there are fewer than ``n_clusters`` distinct samples.
        """
        before = dict(self.__dict__)
        try:
            self._begin()
            if is_table(X):
                self._fit_table(X, sample_weight)
            else:
                self._fit_source(X, sample_weight)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Take a batch in.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch, of any size; with a backbone also arrays of more
            dimensions. Never changed or kept.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all equally.

        Returns
        -------
        self : IncrementalDDCL
            The estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid, or parameters of the stream
            have changed since its first batch; the state is as it was.
        """
        before = None if hasattr(self, "_stream") else dict(self.__dict__)
        try:
            self._advance(X, sample_weight)
        except BaseException:
            if before is not None:
                self.__dict__ = before
            raise
        return self

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
        if not hasattr(X, "__iter__"):
            raise TypeError(
                f"X must be a table of samples or an iterable of batches. Got {X!r} instead."
            )
        for batch in iterate_batches(X, self.batch_size):
            self._advance(batch, None)
        self._settle()

    def _label(self, batch):
        """Return labels and squared distances."""
        X = self._check_new(batch)
        labels = self.predict(X)
        distances = self._distances(X)
        return labels, distances[np.arange(len(labels)), labels] ** 2

    def _advance(self, X, sample_weight):
        first = not hasattr(self, "_stream")
        if sparse.issparse(X):
            raise TypeError(
                "IncrementalDDCL takes dense X: sparse input is not supported. Pass X.toarray() "
                "batch by batch, or reduce it first, as with TruncatedSVD."
            )
        if first:
            X = check_training_input(self, X, 1, allow_nd=self.backbone is not None)
        else:
            self._check_settings()
            X = self._check_new(X)
        weights = check_weights(sample_weight, X)
        stream = self._make_stream(X) if first else self._stream
        stream.history.report = make_reporter(self.verbose, type(self).__name__)
        try:
            stream.advance(X, weights)
        finally:
            stream.history.report = None
        self._stream, self._whole = stream, None
        if first:
            backbone = {"backbone": self.backbone}  # a network is not copied to be compared
            self._settings = copy.deepcopy(self._current() | {"backbone": None}) | backbone

    def _make_stream(self, X):
        if self.train_backbone and self.backbone is None:
            raise ValueError(
                "The 'backbone' parameter of IncrementalDDCL must name or be a network where "
                "train_backbone=True, such as 'mlp'. Got None instead."
            )
        if self.summary_size and self.summary_size < self.n_clusters:
            raise ValueError(
                "The 'summary_size' parameter of IncrementalDDCL must be None, 0 or at least "
                f"n_clusters={self.n_clusters}. Got {self.summary_size} instead."
            )
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        config = StreamConfig(
            n_clusters=int(self.n_clusters),
            assignment=resolve_assignment(self.assignment),
            temperature=_schedule(self.temperature),
            decay=float(self.decay),
            summary_size=None if self.summary_size is None else int(self.summary_size),
            standardize=bool(self.standardize),
            device=self.device,
            seed=seed,
        )
        if self.train_backbone:
            return LearningStream(config, self.backbone, int(self.replay_size), X.dtype)
        return open_stream(config, resolve_encoder(self.backbone, X.dtype), X)

    def _current(self):
        names = (
            *("n_clusters", "assignment", "backbone", "train_backbone", "replay_size"),
            *("temperature", "decay", "summary_size", "standardize"),
        )
        return {name: getattr(self, name) for name in names}

    def _check_settings(self):
        for name, value in self._current().items():
            before = self._settings[name]
            if value is not before and (name == "backbone" or value != before):
                raise ValueError(
                    f"The {name!r} parameter of IncrementalDDCL was {self._settings[name]!r} at "
                    f"the first batch of this stream and is {value!r} now. Put it back, or begin "
                    "a new stream with fit or with a clone."
                )

    def _settle(self):
        """Take fewer clusters where a whole run had too few distinct samples."""
        if self._stream.ready:
            return
        self._stream.settle()
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
                f"This IncrementalDDCL instance {stream.waiting}. There are no clusters yet: call "
                "'partial_fit' with more."
            )
        super()._check_fitted()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _schedule(value):
    return stream_temperature() if value == "auto" else resolve_temperature(value)
