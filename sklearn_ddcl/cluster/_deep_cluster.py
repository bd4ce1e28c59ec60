"""DeepClusterBaseline: k-means and a classifier of its labels, in turns."""

from numbers import Integral, Real

import numpy as np

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.cluster._lost_clusters import COINCIDING_FEATURES, warn_of_lost_clusters
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.engine import (
    AlternatingConfig,
    fit_alternating,
    make_module,
    resolve_warm_up,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._deep_config import WARM_UPS
from sklearn_ddcl.engine._kmeans import KMEANS
from sklearn_ddcl.utils import (
    check_weights,
    draw_seed,
    kept_on_error,
    make_reporter,
    scale_weights,
)
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class DeepClusterBaseline(NestedOptions, PrototypeClusterer):
    """DeepCluster, with which deep clustering compares itself.

    The method of [1]_. Each epoch clusters the features of all samples, whitened
    and on the unit sphere, by k-means, and then trains the backbone with a new linear
    classifier to predict the clusters' numbers. Samples are drawn so that all
    clusters are seen equally often, and no cluster is left empty. k-means
    stands outside of the gradient, which is what `DDCLClustering` changes.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters k.
    backbone : {"mlp", "cnn"}, module or callable, default="mlp"
        The network that makes features: "mlp" has three layers, of 256, 128
        and 32 outputs, with batch normalization, on the principal components
        of the samples; the others are those of `DDCLClustering`.
    warm_up : {"neighbors", "autoencoder", "simclr"}, object or None, default=None
        What the backbone learns first, as in `DDCLClustering`; unlike there it
        is not kept as a regulariser. A fitted object is reused. None is the
        original method, in which the features begin at random weights.
    epochs : int, default=50
        Turns of k-means and classifier.
    n_init : int, default=20
        Starts of k-means in each epoch.
    kmeans : {"auto", "faiss", "sklearn"}, default="auto"
        Whose k-means. faiss (the extra ``faiss``) was 3 to 8 times as fast in
        ``benchmarks/kmeans_methods.py`` with 100 clusters and 20,000 samples or
        more, with sums of squares within 0.2 % but for one case of 12 %, and
        slower with 10 clusters. "auto" takes it, where it is installed, from
        these numbers on; below, results do not depend on what is installed.
    n_components : int, "auto" or None, default="auto"
        Number of components that whitened features have. "auto" takes 2 for
        each cluster: k clusters lie in k - 1 dimensions, and whitening makes
        the others, which are mostly noise, as large. None takes all, but at
        most 256, and at most one for every 5 samples.
    batch_size : int, default=256
        Most samples a step.
    learning_rate : float, default=1e-3
        Adam's rate, of backbone and classifier.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns.
    device : str, default="auto"
        Where networks compute: "auto" takes CUDA, then MPS, then the CPU; or a
        torch device name. k-means is on the CPU, and so are fitted attributes.
    verbose : int, default=0
        1 writes a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds all that is drawn; None draws the seed from NumPy's global state,
        and no other global state is touched.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_active_clusters_, n_components)
        Centres of the last k-means, in the space of whitened features.
    labels_ : ndarray of shape (n_samples,)
        Cluster of each training sample, int32, consecutive from 0, the
        heaviest cluster first.
    inertia_ : float
        Weighted sum of squared distances, of whitened features on the unit
        sphere, to the nearest centre.
    temperature_ : float
        Temperature of `predict_proba`: the method has none of its own, and the
        mean squared distance to the nearest centre takes its place.
    n_active_clusters_ : int
        Number of clusters in use, less than ``n_clusters`` only with a
        `CollapseWarning`.
    n_iter_ : int
        Epochs.
    history_ : list of dict
        One record an epoch of the warm-up, then of the alternation, then one of
        the last k-means: epoch, phase, temperature (nan), loss_cross_entropy,
        nmi_previous (normalised mutual information with the assignments of the
        epoch before), label_change (share of samples in another cluster than
        before, with clusters matched one to one), n_active, n_reassigned
        (clusters that k-means had left empty), inertia, seconds.
    module_ : torch.nn.Module
        The fitted network on the CPU, which ends in whitening and division by
        the norm; maps a tensor of samples to a
        `sklearn_ddcl.nn.ClusterOutput`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    DDCLClustering : Prototypes learn with the features.

    References
    ----------
    .. [1] M. Caron, P. Bojanowski, A. Joulin and M. Douze, "Deep clustering for
       unsupervised learning of visual features", ECCV (2018).

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_ddcl import DeepClusterBaseline
    >>> X, _ = make_blobs(100, centers=[[0, 0], [9, 9]], random_state=0)
    >>> baseline = DeepClusterBaseline(n_clusters=2, epochs=5, random_state=0).fit(X)
    >>> baseline.predict([[0, 0], [9, 9]]).shape
    (2,)
    >>> sorted(baseline.history_[0])[:4]
    ['epoch', 'inertia', 'label_change', 'loss_cross_entropy']
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "backbone": [StrOptions(set(BACKBONES)), callable],
        "warm_up": [None, StrOptions(set(WARM_UPS)), HasMethods(["make_task", "run"])],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "kmeans": [StrOptions(set(KMEANS))],
        "n_components": [None, StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _option_makers = {"warm_up": lambda _, value: resolve_warm_up(value)}  # noqa: RUF012

    def __init__(
        self,
        n_clusters=8,
        *,
        backbone="mlp",
        warm_up=None,
        epochs=50,
        n_init=20,
        kmeans="auto",
        n_components="auto",
        batch_size=256,
        learning_rate=1e-3,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.backbone = backbone
        self.warm_up = warm_up
        self.epochs = epochs
        self.n_init = n_init
        self.kmeans = kmeans
        self.n_components = n_components
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn features and clusters in turns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples; also arrays of more dimensions, such as images
            (n_samples, height, width, channels). float32 and float64 are used
            as they are, other numbers become float64. Never changed.
        y : Ignored
            Not used, present for API consistency. Labels have no influence.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of whitening, of k-means, and by which samples
            are drawn from their cluster; None weighs all samples equally.

        Returns
        -------
        self : DeepClusterBaseline
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid; the message names it.
        FloatingPointError
            If the training diverges.
        ImportError
            If ``kmeans="faiss"`` and faiss is not installed.

        Warns
        -----
        CollapseWarning
            If fewer than ``n_clusters`` clusters are left.
        """
        with kept_on_error(self):
            X = check_training_input(self, X, self.n_clusters, allow_nd=True)
            weights, unit = scale_weights(check_weights(sample_weight, X))
            result = fit_alternating(X, weights, self._config())
        clusters = result.clusters
        mass = X.shape[0] if weights is None else weights.sum(dtype=np.float64)
        self.cluster_centers_ = clusters.prototypes
        self.labels_ = clusters.labels
        self.inertia_ = clusters.inertia * unit
        self.temperature_ = float(clusters.inertia / mass)
        self.n_active_clusters_ = len(clusters.prototypes)
        self.n_iter_ = int(self.epochs)
        self.history_ = result.history
        self.module_ = make_module(
            clusters.prototypes, self.temperature_, backbone=result.backbone
        )
        warn_of_lost_clusters(self, COINCIDING_FEATURES + "choose a warm_up.")
        return self

    def _config(self):
        return AlternatingConfig(
            n_clusters=int(self.n_clusters),
            backbone=self.backbone,
            warm_up=resolve_warm_up(self.warm_up),
            epochs=int(self.epochs),
            n_init=int(self.n_init),
            kmeans=self.kmeans,
            n_components=self.n_components,
            batch_size=int(self.batch_size),
            learning_rate=float(self.learning_rate),
            device=self.device,
            seed=draw_seed(self.random_state),
            report=make_reporter(self.verbose, type(self).__name__),
        )
