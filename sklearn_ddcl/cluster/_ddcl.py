"""DDCLClustering: Deep Dual Competitive Learning as a clusterer."""

from numbers import Integral, Real

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.cluster._ddcl_fit import train, warn_of
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.engine import (
    JointTraining,
    ReducedFlow,
    Regularization,
    resolve_flow,
    resolve_joint,
    resolve_regularization,
    resolve_support,
    resolve_temperature,
    resolve_warm_up,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._build import DEEP_LOSSES, TEMPERATURES
from sklearn_ddcl.engine._deep_config import WARM_UPS
from sklearn_ddcl.engine._supports import PARTITION_SUPPORTS
from sklearn_ddcl.utils import check_weights, scale_weights
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class DDCLClustering(NestedOptions, PrototypeClusterer):
    r"""Deep Dual Competitive Learning.

    A backbone learns features, and prototypes, which are outputs of a dual
    layer, linear combinations of the features, learn with it by the soft
    quantization loss (Eq. 11 of [1]_)

    .. math:: L_q = \frac{1}{N} \sum_n \sum_j q_{nj} \|z_n - p_j\|^2,
              \qquad q_{nj} \propto e^{-\|z_n - p_j\|^2 / T},

    while the temperature T falls. There are more prototypes than clusters:
    those that win together [2]_ are joined, so that clusters need not be
    convex. With ``backbone=None`` the samples are the features, and the flow
    minimises the same sum of squares as `KMeans`.

    Parameters
    ----------
    n_clusters : int or None, default=8
        Number of clusters k. None takes the number, at most 25, of the widest
        gap in the prototypes' topology at which restarts agree: that of the
        largest ``log(cluster_gaps_[k]) * cluster_agreements_[k]``.
    backbone : {"mlp", "cnn"}, module, callable or None, default="mlp"
        The network that makes features from samples: "mlp" for tables and
        anything else, "cnn" for images; a `torch.nn.Module`, of which a copy
        is trained; or a class or function that makes a module from the number
        of features (for tables) or the shape of a sample. None clusters the
        samples as they are.
    warm_up : {"neighbors", "autoencoder", "simclr"}, object or None, default="neighbors"
        What the backbone learns first, and keeps as a regulariser: see
        :mod:`sklearn_ddcl.options`. A fitted object is reused. None is for
        modules that are trained already: the features of others have learned
        nothing when the joint phase begins, and nothing keeps it from drawing
        them onto a line. Not used with ``backbone=None``.
    prototypes_per_cluster : int or None, default=None
        Prototypes m / k, where k is taken for 10 if ``n_clusters`` is None.
        None takes 20 with a backbone or ``n_clusters=None`` (fewer where
        samples are few or clusters many), else 1. Where it is more than 1, sets
        of 0.6 to 1.4 times as many are tried; on given features ``loss``,
        ``temperature``, ``regularization`` and ``training`` must then keep
        their defaults, as there is no objective to train.
    loss : {"quantization", "ols", "cross_entropy"}, default="quantization"
        Lq (Eq. 11); the reconstruction error L_OLS alone (Eq. 16), the paper's
        ablation; or, with a backbone, the soft cross-entropy of a classifier
        (section 4.2).
    temperature : str or schedule, default="auto"
        "auto", "constant", "exponential", "geometric", "paper" (the paper's
        absolute schedule), or an object of :mod:`sklearn_ddcl.options`.
        Temperatures are multiples of the features' critical temperature unless
        the schedule is absolute. With a backbone "auto" leaves them to the
        phases of `JointTraining`; anything else takes their place, an epoch a
        step.
    regularization : Regularization, default=None
        Weights of the balance, entropy, separation and quadratic terms
        (Eq. 12). None adds none of them.
    partition_support : str, object or None, default=None
        What keeps prototypes in use while features are learned:
        "combination", "sinkhorn", "entropy" or "sum_of_squares", or an object,
        as in `OnlineDeepClustering`; for a backbone only. None leaves it to
        `JointTraining`, which has none by default.
    training : JointTraining or ReducedFlow, default=None
        Options of the joint phase with a backbone, or of the flow without.
        None takes the defaults.
    max_iter : int, default=300
        Bound on the passes over the data in each phase of the flow
        (``backbone=None``, one prototype a cluster); with a backbone,
        `JointTraining` has the epochs.
    tol : float, default=1e-4
        Squared shift of the prototypes, relative to the mean variance of the
        features, at which a phase of the flow has converged. The hard finish
        also ends once a pass lowers the inertia by no more than ``tol / 100``
        of itself. With a backbone, `JointTraining` says when to stop.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns.
    device : str, default="auto"
        "auto" takes CUDA, then MPS, then the CPU; or a torch device name.
        Fitted attributes live on the CPU in any case.
    verbose : int, default=0
        1 writes a line for each epoch, temperature and pass.
    random_state : int, RandomState instance or None, default=None
        Seeds all that is drawn; None draws the seed from NumPy's global state,
        and no other global state is touched.

    Attributes
    ----------
    prototypes_ : ndarray of shape (n_prototypes, n_latent_features)
        Prototypes in use.
    prototype_labels_ : ndarray of shape (n_prototypes,)
        Cluster of each prototype, int32.
    cluster_centers_ : ndarray of shape (n_active_clusters_, n_latent_features)
        Latent means of the clusters; the prototypes themselves where each
        cluster has one and features are given.
    labels_ : ndarray of shape (n_samples,)
        Cluster of each training sample, int32, consecutive from 0, the
        heaviest cluster first.
    inertia_ : float
        Weighted sum of squared latent distances to the nearest prototype.
    temperature_ : float
        Last temperature, in squared units of the features.
    n_active_clusters_ : int
        Number of clusters in use, less than ``n_clusters`` only with a
        `CollapseWarning`.
    n_iter_ : int
        Epochs of the joint phase; without a backbone, passes over the rows.
    agreement_ : float
        Mean adjusted Rand index between this partition and those of other
        restarts of the prototypes; low where the partition is a matter of
        chance. 1 where there is one prototype for each cluster. Of partitions
        within a standard error of the highest the most even was taken.
    cluster_gaps_ : dict of int to float
        For each number of clusters up to 25, how many times more information
        the next merge of prototypes would lose than the one before: the
        larger, the more that number stands out. Empty where there is one
        prototype for each cluster.
    cluster_agreements_ : dict of int to float
        `agreement_` by number of clusters: of each number considered if
        ``n_clusters`` is None, else of that one. Empty as `cluster_gaps_`.
    history_ : list of dict
        One record an epoch of the warm-up (epoch, phase, loss_pretext,
        seconds ...) and of the joint phase, or of each temperature and pass of
        the flow: epoch, phase, temperature, loss_quantization (Lq), loss_ols
        (L_OLS), variance (V), separation (S), concentration (K), force (I),
        n_active, seconds; the joint phase adds loss, loss_pretext,
        label_change (share of samples, against the epoch before),
        latent_variance, learning_rate, learning_rate_dual, rate_ratio,
        rate_bound (Corollary 5) and n_revived. Empty where prototypes of given
        features are joined.
    module_ : torch.nn.Module
        The fitted network on the CPU; maps a tensor of samples to a
        `sklearn_ddcl.nn.ClusterOutput`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    sklearn.cluster.KMeans : The limit of temperature 0 on given features.
    sklearn_ddcl.options.JointTraining : Options of the joint phase.
    sklearn_ddcl.options.NeighborContrast : The default warm-up.
    sklearn_ddcl.options.ReducedFlow : Options of the flow on given features.

    Notes
    -----
    With a backbone, training is in float32, fitted attributes and inference
    are in the dtype of ``X``. Without, the search runs on at most 20,000 rows
    (or 100 for each cluster) in float32 and the finish on all rows in the
    dtype of ``X``.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning: A Differentiable
       End-to-End Framework for Unsupervised Prototype-Based Representation
       Learning", arXiv:2604.01740 (2026).
    .. [2] T. Martinetz, "Competitive Hebbian learning rule forms perfectly
       topology preserving maps", ICANN (1993).

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_ddcl import DDCLClustering
    >>> X, _ = make_blobs(100, centers=[[0, 0], [9, 9]], random_state=0)
    >>> ddcl = DDCLClustering(n_clusters=2, random_state=0).fit(X)
    >>> ddcl.predict([[0, 0], [9, 9]]).tolist() in ([0, 1], [1, 0])
    True
    >>> ddcl.encode(X).shape
    (100, 10)
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "backbone": [None, StrOptions(set(BACKBONES)), callable],
        "warm_up": [None, StrOptions(set(WARM_UPS)), HasMethods(["make_task", "run"])],
        "prototypes_per_cluster": [None, Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions(set(DEEP_LOSSES))],
        "temperature": [StrOptions(set(TEMPERATURES)), HasMethods(["__call__", "get_params"])],
        "regularization": [None, Regularization],
        "partition_support": [
            None,
            StrOptions(set(PARTITION_SUPPORTS)),
            HasMethods(["targets", "penalty", "get_params"]),
        ],
        "training": [None, JointTraining, ReducedFlow],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _option_makers = {  # noqa: RUF012  # a constant
        "temperature": lambda _, value: resolve_temperature(value),
        "regularization": lambda _, value: resolve_regularization(value),
        "partition_support": lambda _, value: resolve_support(value),
        "training": lambda self, value: (
            resolve_flow(value) if self.backbone is None else resolve_joint(value, None)
        ),
        "warm_up": lambda _, value: resolve_warm_up(value),
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        backbone="mlp",
        warm_up="neighbors",
        prototypes_per_cluster=None,
        loss="quantization",
        temperature="auto",
        regularization=None,
        partition_support=None,
        training=None,
        max_iter=300,
        tol=1e-4,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.backbone = backbone
        self.warm_up = warm_up
        self.prototypes_per_cluster = prototypes_per_cluster
        self.loss = loss
        self.temperature = temperature
        self.regularization = regularization
        self.partition_support = partition_support
        self.training = training
        self.max_iter = max_iter
        self.tol = tol
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn features and prototypes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples; with a backbone also arrays of more dimensions,
            such as images (n_samples, height, width, channels). float32 and
            float64 are used as they are, other numbers become float64. Never
            changed.
        y : Ignored
            Not used, present for API consistency. Labels have no influence.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all samples equally.

        Returns
        -------
        self : DDCLClustering
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid; the message names it.

        Warns
        -----
        CollapseWarning
            If fewer than ``n_clusters`` clusters are left, or the joint phase
            has drawn the features of more than two clusters onto a line.
        ConvergenceWarning
            If the finish did not come to rest in ``max_iter`` passes.
        """
        deep = self.backbone is not None
        X = check_training_input(self, X, self.n_clusters, allow_nd=deep)
        weights, unit = scale_weights(check_weights(sample_weight, X))
        fitted = train(self, X, weights)
        self.prototypes_ = fitted.prototypes
        self.prototype_labels_ = fitted.groups
        self.cluster_centers_ = fitted.centers
        self.labels_ = fitted.labels
        self.inertia_ = fitted.inertia * unit
        self.temperature_ = fitted.temperature
        self.n_active_clusters_ = len(fitted.centers)
        self.n_iter_ = fitted.n_iter
        self.agreement_ = fitted.agreement
        self.cluster_gaps_ = fitted.gaps
        self.cluster_agreements_ = fitted.agreements
        self.history_ = fitted.history
        self.module_ = fitted.module
        warn_of(fitted, self.n_clusters, self.max_iter, deep)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        single = self.n_clusters is not None and self.prototypes_per_cluster in (None, 1)
        tags.input_tags.sparse = self.backbone is not None or single
        return tags
