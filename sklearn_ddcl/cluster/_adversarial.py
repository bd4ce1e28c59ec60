"""AdversarialDeepClustering: an encoder that deceives a discriminator, and its closed forms."""

from numbers import Integral, Real

import numpy as np

from sklearn_ddcl.cluster._adversarial_fit import fitted_module, make_config
from sklearn_ddcl.cluster._base import (
    PrototypeClusterer,
    check_training_input,
    refuse_overflow,
)
from sklearn_ddcl.cluster._lost_clusters import COINCIDING_FEATURES, warn_of_lost_clusters
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.engine import (
    Discriminator,
    Mixture,
    fit_adversarial,
    posterior,
    resolve_mixture,
    resolve_warm_up,
)
from sklearn_ddcl.engine._backbones import BACKBONES
from sklearn_ddcl.engine._deep_config import WARM_UPS
from sklearn_ddcl.engine._latent_terms import LATENT_TERMS
from sklearn_ddcl.engine._mixture import MIXTURES
from sklearn_ddcl.utils import check_weights, kept_on_error, scale_weights
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context


class AdversarialDeepClustering(NestedOptions, PrototypeClusterer):
    """Deep clustering by an adversarial net (DCAN), or by the losses it comes from.

    A warm-up makes features, and k-means describes them as a mixture: shares,
    means and variances of its components, found anew every few epochs. A
    discriminator learns to tell features drawn from the mixture from those of
    samples, and the encoder to make that hard. At the best discriminator this
    lowers the Jensen-Shannon divergence of the two, for which there is no
    closed form [1]_. The warm-up's task is kept, so that features stay apart.
    There are more components than clusters: those that win together are joined
    at the end, as in `DDCLClustering`, so that clusters need not be round.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters k.
    loss : {"adversarial", "euclidean", "kl"}, default="adversarial"
        What draws features to the mixture. "euclidean" is the squared distance
        to the nearest centre, that of autoencoder based clustering (ABC), and
        "kl" the divergence of a sample's Gaussian from its cluster's, which
        under unit variance is half of that.
    backbone : {"mlp", "cnn"}, module or callable, default="mlp"
        The network that makes features, as in `DDCLClustering`.
    warm_up : {"neighbors", "autoencoder", "simclr"}, object or None, default="neighbors"
        What the backbone learns first, as in `DDCLClustering`; the paper's is
        "autoencoder". A fitted object is reused.
    mixture : {"kmeans", "gaussian"} or LatentMixture, default="kmeans"
        What describes the features: clusters of k-means, or Gaussians found by
        EM, whose posterior then decides of a sample's cluster; an object also
        says how often, a `sklearn_ddcl.options.LatentMixture`.
    prototypes_per_cluster : int or None, default=None
        Components of the mixture for each cluster. None takes 20 (fewer where
        samples are few or clusters many), as `DDCLClustering` does, but 1 with
        Gaussians, which are not joined, and with ``loss="kl"``, which divides
        by variances that few samples don't tell.
    discriminator : Discriminator or None, default=None
        Its size, its rate and what keeps the game stable, a
        `sklearn_ddcl.options.Discriminator`. None takes the defaults.
    pretext_weight : float, default=3.0
        Weight >= 0 of the warm-up's task beside the loss.
    epochs : int, default=30
        Passes over the samples.
    batch_size : int, default=256
        Most samples a step.
    learning_rate : float, default=1e-3
        Adam's rate, of the encoder.
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
    prototypes_ : ndarray of shape (n_prototypes, n_latent_features)
        Means of the mixture's components in use.
    prototype_labels_ : ndarray of shape (n_prototypes,)
        Cluster of each, int32.
    cluster_centers_ : ndarray of shape (n_active_clusters_, n_latent_features)
        Latent means of the clusters; the prototypes themselves where each
        cluster has one.
    weights_ : ndarray of shape (n_active_clusters_,) or None
        Shares of the Gaussians; None with k-means.
    covariances_ : ndarray of shape (n_active_clusters_, n_latent_features) or None
        Variances of the Gaussians; None with k-means.
    labels_ : ndarray of shape (n_samples,)
        Cluster of each training sample, int32, consecutive from 0, the
        heaviest cluster first.
    inertia_ : float
        Weighted sum of squared distances of features to the nearest prototype.
    temperature_ : float
        Twice the variance of a feature around the nearest prototype. With it
        the soft assignments of `predict_proba` are the posterior of a mixture
        of Gaussians of equal shares and this one variance. With
        ``mixture="gaussian"`` they are that of the Gaussians instead, each with
        its own share and variances.
    n_active_clusters_ : int
        Number of clusters in use, less than ``n_clusters`` only with a
        `CollapseWarning`.
    n_iter_ : int
        Epochs.
    history_ : list of dict
        One record an epoch of the warm-up, then of the clustering: epoch,
        phase, temperature, loss_latent (of the encoder), loss_pretext,
        loss_discriminator, js_divergence (what the discriminator proves of it,
        in nats, between the mixture as it is drawn and the features),
        discriminator_accuracy (these three are nan without a discriminator),
        loss_quantization and n_active (components) of the last mixture, seconds.
    module_ : torch.nn.Module
        The fitted network on the CPU; maps a tensor of samples to a
        `sklearn_ddcl.nn.ClusterOutput`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    DDCLClustering : Prototypes learn with the features.
    DeepClusterBaseline : k-means and a classifier of its labels, in turns.

    References
    ----------
    .. [1] K.-L. Lim, "Deep clustering using adversarial net based clustering
       loss".

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_ddcl import AdversarialDeepClustering
    >>> X, _ = make_blobs(100, centers=[[0, 0], [9, 9]], random_state=0)
    >>> model = AdversarialDeepClustering(n_clusters=2, epochs=5, random_state=0).fit(X)
    >>> model.predict([[0, 0], [9, 9]]).shape
    (2,)
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions(set(LATENT_TERMS))],
        "backbone": [StrOptions(set(BACKBONES)), callable],
        "warm_up": [None, StrOptions(set(WARM_UPS)), HasMethods(["make_task", "run"])],
        "mixture": [StrOptions(set(MIXTURES)), HasMethods(["validate", "get_params"])],
        "prototypes_per_cluster": [None, Interval(Integral, 1, None, closed="left")],
        "discriminator": [None, HasMethods(["build", "validate"])],
        "pretext_weight": [Interval(Real, 0, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _option_makers = {  # noqa: RUF012
        "warm_up": lambda _, value: resolve_warm_up(value),
        "mixture": lambda _, value: resolve_mixture(value),
        "discriminator": lambda _, value: Discriminator(),
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        loss="adversarial",
        backbone="mlp",
        warm_up="neighbors",
        mixture="kmeans",
        prototypes_per_cluster=None,
        discriminator=None,
        pretext_weight=3.0,
        epochs=30,
        batch_size=256,
        learning_rate=1e-3,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.loss = loss
        self.backbone = backbone
        self.warm_up = warm_up
        self.mixture = mixture
        self.prototypes_per_cluster = prototypes_per_cluster
        self.discriminator = discriminator
        self.pretext_weight = pretext_weight
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn features and clusters.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples; also arrays of more dimensions, such as images
            (n_samples, height, width, channels). float32 and float64 are used
            as they are, other numbers become float64. Never changed.
        y : Ignored
            Not used, present for API consistency. Labels have no influence.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, of the mixture and of the loss; the warm-up's
            task takes all samples of positive weight alike. None weighs all
            samples equally.

        Returns
        -------
        self : AdversarialDeepClustering
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
            If fewer than ``n_clusters`` clusters are left.
        """
        with kept_on_error(self):
            X = check_training_input(self, X, self.n_clusters, allow_nd=True)
            weights, unit = scale_weights(check_weights(sample_weight, X))
            result = fit_adversarial(X, weights, make_config(self))
        clusters, mixture = result.clusters, result.mixture
        mass = X.shape[0] if weights is None else weights.sum(dtype=np.float64)
        self.prototypes_ = clusters.prototypes
        self.prototype_labels_ = clusters.groups
        self.cluster_centers_ = clusters.centers
        self.weights_ = None if mixture is None else mixture.weights
        self.covariances_ = None if mixture is None else mixture.variances
        self.labels_ = clusters.labels
        self.inertia_ = clusters.inertia * unit
        self.temperature_ = float(2.0 * clusters.inertia / mass / clusters.prototypes.shape[1])
        self.n_active_clusters_ = len(clusters.centers)
        self.n_iter_ = int(self.epochs)
        self.history_ = result.history
        self.module_ = fitted_module(result, self.temperature_)
        warn_of_lost_clusters(self, COINCIDING_FEATURES + "raise pretext_weight.")
        return self

    def predict(self, X):
        """Return the cluster of the nearest prototype, or the likeliest Gaussian.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, or an array of shape (n_samples, ...) as in training.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Cluster numbers, int32.
        """
        self._check_fitted()
        if self.covariances_ is None:
            return super().predict(X)
        return self._assignments(X).argmax(axis=1).astype(np.int32)

    def _assignments(self, X):
        if self.covariances_ is None:
            return super()._assignments(X)
        mixture = Mixture(self.weights_, self.cluster_centers_, self.covariances_, 0.0)
        return refuse_overflow(posterior(mixture, self._features(self._check_new(X))))
