"""OnlineDeepClustering: encoder and prototypes learn together, batch by batch."""

from numbers import Integral, Real

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.cluster._lost_clusters import warn_of_lost_clusters
from sklearn_ddcl.cluster._online_fit import COLLAPSE_CAUSES, check_unchanged, make_config
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.engine import (
    begin_online,
    learn_online,
    make_module,
    observe_online,
    resolve_support,
    settle_online,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._supports import PARTITION_SUPPORTS
from sklearn_ddcl.utils import check_weights, kept_on_error, scale_weights
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class OnlineDeepClustering(NestedOptions, PrototypeClusterer):
    r"""Online deep clustering that does not collapse.

    Encoder and prototypes are trained together, batch by batch and without
    augmentation or reconstruction, to minimise the squared distances of samples
    to the prototypes they are assigned to (Eq. 1 of [1]_). Left to themselves, all
    samples go to one prototype. A partition support prevents that in training:
    combination assignment labels a batch under a prior on how often each cluster
    occurs in it, which is Eq. 4,

    .. math:: \min_k \sum_i \|z_i - \mu_{k_i}\|^2 + 2 \sigma \sum_j \log n_j!

    solved greedily (Algorithm 1). `predict` takes the nearest prototype.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters k.
    partition_support : str, object or None, default="combination"
        What keeps clusters in use: "combination" (assignment); "sinkhorn", which
        shares batches out equally; "entropy" or "sum_of_squares", a penalty on
        that of a batch's mean soft assignment; an object of
        :mod:`sklearn_ddcl.options` with options of these; or None, which collapses.
    sigma : float or None, default=None
        Variance of all clusters, for combination assignment: the larger, the
        more even a batch. A multiple of the mean of all squared distances between
        a batch's samples and the prototypes. None takes 0.5, or what the object has.
    temperature : float, default=0.1
        Temperature of soft assignments, a multiple of the same mean: of
        `predict_proba`, of the penalties and in ``history_``.
    backbone : {"mlp", "cnn"}, module or callable, default="mlp"
        The network that makes features, as in `DDCLClustering`.
    epochs : int or None, default=None
        Passes over the samples in `fit`. None takes as many as make 1,000 steps,
        but at least 10 and at most 200.
    batch_size : int, default=256
        Most samples a step.
    learning_rate : float, default=1e-3
        Adam's rate, of backbone and prototypes.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns.
    device : str, default="auto"
        "auto" takes CUDA, then MPS, then the CPU; or a torch device name. Fitted
        attributes live on the CPU in any case.
    verbose : int, default=0
        1 writes a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds all that is drawn; None draws the seed from NumPy's global state,
        and no other global state is touched.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_in_use, n_latent_features)
        Prototypes: after `fit` those in use, the heaviest cluster first; after
        `partial_fit` all of them, in an order that stays.
    labels_ : ndarray of shape (n_samples,)
        Cluster of each training sample, int32; after `partial_fit`, of the last
        batch.
    inertia_ : float
        Weighted sum of squared latent distances of the same samples to the
        nearest prototype.
    temperature_ : float
        Last temperature, in squared units of the features.
    n_active_clusters_ : int
        Number of clusters in use; after `partial_fit` those that were nearest to
        one of the last 50 samples a cluster. Less than ``n_clusters`` only with a
        `CollapseWarning`.
    n_iter_ : int
        Epochs so far, each call of `partial_fit` being one.
    n_samples_seen_ : int
        Samples trained on so far, counted in each epoch.
    history_ : list of dict
        One record an epoch: epoch, phase, temperature, loss, loss_quantization
        (of the soft assignments), quantization_error (mean squared distance to
        the nearest prototype), cluster_size_variance (CVar) and hard_entropy of
        the nearest prototypes, soft_size_variance and soft_entropy of the soft
        assignments (entropies in bits), n_active, label_change, latent_variance,
        seconds. Each sample counts as it was at its own step. Of more than 512
        calls of `partial_fit` the last 512 are kept.
    module_ : torch.nn.Module
        The fitted network on the CPU; maps a tensor of samples to a
        `sklearn_ddcl.nn.ClusterOutput`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    DDCLClustering : Learns features first; more accurate where all samples are at hand.
    IncrementalDDCL : Streams on given features.

    Notes
    -----
    Training is in float32; fitted attributes and inference are in the dtype of
    ``X``. As in the authors' experiments prototypes start from the standard
    normal distribution, far from the features of a new network, which then move
    out to them; Adam has betas of 0.9 and 0.99.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_ddcl import OnlineDeepClustering
    >>> X, _ = make_blobs(100, centers=[[0, 0], [9, 9]], random_state=0)
    >>> online = OnlineDeepClustering(n_clusters=2, random_state=0).fit(X)
    >>> online.predict([[0, 0], [9, 9]]).tolist() in ([0, 1], [1, 0])
    True
    >>> online.partial_fit(X + 0.1).n_iter_ == len(online.history_)
    True
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "partition_support": [
            None,
            StrOptions(set(PARTITION_SUPPORTS)),
            HasMethods(["targets", "penalty", "get_params"]),
        ],
        "sigma": [None, Interval(Real, 0, None, closed="neither")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "backbone": [StrOptions(set(BACKBONES)), callable],
        "epochs": [None, Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _option_makers = {  # noqa: RUF012  # a constant
        "partition_support": lambda _, value: resolve_support(value)
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        partition_support="combination",
        sigma=None,
        temperature=0.1,
        backbone="mlp",
        epochs=None,
        batch_size=256,
        learning_rate=1e-3,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.partition_support = partition_support
        self.sigma = sigma
        self.temperature = temperature
        self.backbone = backbone
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn features and clusters from the beginning.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples; also arrays of more dimensions, such as images
            (n_samples, height, width, channels). float32 and float64 are used
            as they are, other numbers become float64. Never changed.
        y : Ignored
            Not used, present for API consistency. Labels have no influence.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the loss, and of what a sample adds to its
            cluster's count; None weighs all samples equally.

        Returns
        -------
        self : OnlineDeepClustering
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid; the message names it.
        FloatingPointError
            If the training diverges.

        Warns
        -----
        CollapseWarning
            If fewer than ``n_clusters`` clusters are in use.
        """
        with kept_on_error(self):
            X = check_training_input(self, X, self.n_clusters, allow_nd=True)
            weights, unit = scale_weights(check_weights(sample_weight, X))
            config = make_config(self)
            state = begin_online(X, weights, config)
            state = learn_online(state, X, weights, config, config.epochs_for(X.shape[0]))
            result = settle_online(state, X, weights, config)
            self._take(result, unit, len(result.clusters.prototypes))
        warn_of_lost_clusters(self, COLLAPSE_CAUSES)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on learning from a batch, seen once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The batch, or an array of shape (n_samples, ...). More than
            ``batch_size`` samples are taken in several steps, in random order.
            The first batch sets the scale of the inputs, and must have
            ``n_clusters`` samples.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, as in `fit`.

        Returns
        -------
        self : OnlineDeepClustering
            The estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid, or ``n_clusters`` or
            ``backbone`` has changed; the state is as it was.
        FloatingPointError
            If the training diverges; the state is as it was.

        Warns
        -----
        CollapseWarning
            If fewer than ``n_clusters`` clusters were nearest to one of the last
            50 samples a cluster.
        """
        with kept_on_error(self):
            first = not hasattr(self, "_state")
            if first:
                X = check_training_input(self, X, self.n_clusters, allow_nd=True)
            else:
                check_unchanged(self, self._begun_with)
                X = self._check_new(X)
            weights, unit = scale_weights(check_weights(sample_weight, X))
            config = make_config(self)
            state = begin_online(X, weights, config) if first else self._state
            state = learn_online(state, X, weights, config)
            self._take(observe_online(state, X, weights, config), unit, state.n_recent)
        warn_of_lost_clusters(self, COLLAPSE_CAUSES)
        return self

    def _take(self, result, unit, n_active):
        """Set the fitted attributes."""
        clusters, state = result.clusters, result.state
        self.cluster_centers_ = clusters.prototypes
        self.labels_ = clusters.labels
        self.inertia_ = clusters.inertia * unit
        self.temperature_ = state.temperature
        self.n_active_clusters_ = n_active
        self.n_iter_ = state.epochs
        self.n_samples_seen_ = state.seen
        self.history_ = list(state.records)
        self.module_ = make_module(
            clusters.prototypes, self.temperature_, backbone=result.backbone
        )
        self._state = state
        self._begun_with = {"n_clusters": self.n_clusters, "backbone": self.backbone}
