"""IncrementalDDCL: clusters of a stream, batch by batch."""

from numbers import Integral, Real

from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.cluster._stream_base import StreamClusterer
from sklearn_ddcl.engine import (
    LearningStream,
    SoftmaxAssignment,
    StreamConfig,
    WidrowHoff,
    open_stream,
    resolve_assignment,
    resolve_encoder,
    resolve_temperature,
    stream_temperature,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._build import TEMPERATURES
from sklearn_ddcl.engine._stream_options import STREAM_ASSIGNMENTS
from sklearn_ddcl.utils import draw_seed
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class IncrementalDDCL(NestedOptions, StreamClusterer):
    r"""Deep Dual Competitive Learning of a stream, each sample seen once.

    Batches come through `partial_fit`. Prototypes move a step with each, by the
    soft quantization loss (Eq. 11) at a temperature that falls,
    :math:`T(t) = \max(T_0 e^{-t / \tau}, T_{\min})` (section 7.6 of [1]_), over the batch
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
        from 1 to 0.001 times the critical temperature with a decay of 20 steps,
        faster than the paper's.
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
        Seeds all that is drawn; None draws the seed from NumPy's global state,
        and no other global state is touched.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_latent_features)
        Prototypes, in the space of the features (standardised if these are).
    labels_ : ndarray of shape (n_samples,)
        Cluster of each sample of the last batch, int32, those of weight 0
        included; after `fit` with a table, of all its samples.
    inertia_ : float
        Weighted sum of squared distances of the same samples to their prototype.
    temperature_ : float
        Present temperature, in squared units of the features.
    n_active_clusters_ : int
        Number of prototypes, each a cluster: ``n_clusters``, or fewer where a
        `fit` had fewer distinct samples. Some may be nearest to no sample of
        ``labels_``, which keep their numbers through the stream.
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
    The first 1,000 samples, and batches of up to 50, go into the summary in full;
    of a later batch of b samples a systematic sample of at least b / 32, in
    proportion to their weights, the larger the less has been seen. The same
    samples cut into other batches give results that are close, not equal.

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

    _stream_parameters = (
        *("n_clusters", "assignment", "backbone", "train_backbone", "replay_size"),
        *("temperature", "decay", "summary_size", "standardize"),
    )

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
            (n, n_features), of ``(batch, ...)`` pairs or of single samples; a
            list is a table: pass ``iter(batches)``.
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
        return self._fit_anew(X, sample_weight)

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
        return self._fit_more(X, sample_weight)

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
        config = StreamConfig(
            n_clusters=int(self.n_clusters),
            assignment=resolve_assignment(self.assignment),
            temperature=_schedule(self.temperature),
            decay=float(self.decay),
            summary_size=None if self.summary_size is None else int(self.summary_size),
            standardize=bool(self.standardize),
            device=self.device,
            seed=draw_seed(self.random_state),
        )
        if self.train_backbone and self.replay_size < self.n_clusters:
            raise ValueError(
                "The 'replay_size' parameter of IncrementalDDCL must be at least "
                f"n_clusters={self.n_clusters}. Got {self.replay_size} instead."
            )
        if self.train_backbone:
            return LearningStream(config, self.backbone, int(self.replay_size), X.dtype)
        return open_stream(config, resolve_encoder(self.backbone, X.dtype), X)


def _schedule(value):
    return stream_temperature() if value == "auto" else resolve_temperature(value)
