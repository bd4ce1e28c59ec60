"""CompetitiveClustering: prototypes on a graph whose components are the clusters."""

from numbers import Integral, Real

import numpy as np

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.engine import CompetitiveConfig, fit_competitive, make_module
from sklearn_ddcl.engine._competitive import INITS, TOPOLOGIES
from sklearn_ddcl.engine._competitive_layers import LAYERS
from sklearn_ddcl.utils import (
    check_weights,
    draw_seed,
    kept_on_error,
    make_reporter,
    scale_weights,
)
from sklearn_ddcl.utils._validation import Interval, StrOptions, fit_context


class CompetitiveClustering(PrototypeClusterer):
    r"""Gradient-based competitive learning, where the topology finds the clusters.

    The methods of [1]_ and [2]_. The prototype nearest to a sample is its
    winner. Two prototypes are joined by an edge when they are the first and the
    second winner of a sample. They move along the gradient of the quantisation
    error Q, the mean squared distance to the winner, and of the complexity of
    the graph E:

    .. math:: L = Q + \lambda Q_0 \|E\|_F^2 \min(1, 60 / \|E_0\|_F^2)

    where :math:`Q_0` is the present value of Q and :math:`E_0` the graph at the
    start, both constants to the gradient. Prototypes that win no sample are
    pruned, and connected components of the others are the clusters, of any
    shape: ``n_prototypes`` is an upper bound, and the number of clusters is
    found. Eq. 21 of [1]_ has :math:`Q + \lambda \|E\|^2`: see ``topology``.

    Parameters
    ----------
    n_prototypes : int, default=30
        Most prototypes. A cluster takes at least two, as no prototype is left
        without an edge, and a long or large one takes more. Too many for the
        samples (fewer than about ten samples each) leave gaps within clusters.
    layer : {"dual", "vanilla", "deep_dual"}, default="dual"
        What makes prototypes. "vanilla": they are the weights. "dual": they
        are linear combinations of the samples, :math:`W^\top X`. "deep_dual":
        a tanh network on the transposed samples makes them. On whitened
        samples the first two are the same [1]_; with more features than
        samples the dual layers keep to the span of the samples.
    topology_weight : float, default=0.01
        :math:`\lambda`, for each of about 30 edges; where there are more, they
        share its sum. 0 leaves the graph out of the loss.
    topology : {"soft", "literal"}, default="soft"
        "soft": E has a gradient, by which samples with a rare pair of winners
        change to a frequent one, so that the graph becomes sparse. "literal":
        E counts pairs of winners, and the loss is Eq. 21 for features of
        variance 1; that term is a constant and moves no prototype.
    hidden : tuple of int, default=(10, 10)
        Units of the hidden layers of "deep_dual"; the other layers have none.
    init : {"k-means++", "random"}, default="k-means++"
        First prototypes: means of the samples nearest to seeds that lie far
        from each other, or what the layer makes of random weights, as in the
        papers.
    min_edge_share : float, default=0.02
        Edges of fewer samples than this share of the mean number of samples a
        prototype wins are dropped in the end; 0 keeps all. A prototype's
        heaviest edge always stays. At 0.02, it makes no difference below 50
        samples a prototype.
    epochs : int or "auto", default="auto"
        Passes over the samples; "auto" takes as many as make 400 steps, and at
        least 5.
    batch_size : int or "auto", default="auto"
        Samples a step; "auto" takes all of them up to 4,096.
    learning_rate : float, default=0.5
        Length of a prototype's first steps, in root mean squared distances of
        the samples to the means of k-means++ sets; it falls to 0 as half a
        cosine. A unit of the data, so that their scale does not matter.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns; the embedding of given features is a copy.
    device : str, default="auto"
        "auto" takes CUDA, then MPS, then the CPU; or a torch device name.
        Fitted attributes are on the CPU.
    verbose : int, default=0
        1 writes a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds all that is drawn; None draws the seed from NumPy's global state,
        and no other global state is touched.

    Attributes
    ----------
    prototypes_ : ndarray of shape (n_active_clusters_, n_features)
        Prototypes that win at least one sample, by falling weight.
    edges_ : ndarray of shape (n_edges, 2), int64
        Joined prototypes, the lower number first.
    adjacency_ : csr_array of shape (n_active_clusters_, n_active_clusters_)
        Symmetric; the weight of the samples whose two winners an edge joins.
    n_active_clusters_ : int
        Number of valid prototypes.
    n_components_ : int
        Number of connected components: of clusters found.
    component_labels_ : ndarray of shape (n_active_clusters_,), int32
        Cluster of each prototype.
    labels_ : ndarray of shape (n_samples,), int32
        Cluster of each sample: the component of its winner; the heaviest
        cluster is 0.
    prototype_labels_ : ndarray of shape (n_samples,), int32
        Winner of each sample.
    cluster_centers_ : ndarray of shape (n_components_, n_features)
        Means of the clusters' samples.
    inertia_ : float
        Weighted sum of squared distances to the nearest prototype.
    temperature_ : float
        Temperature of `predict_proba`: the mean squared distance to the
        nearest prototype.
    n_iter_ : int
        Epochs.
    history_ : list of dict
        One record an epoch: epoch, phase, temperature, loss, loss_quantization
        (Q), loss_topology (the squared norm of the graph), n_active (prototypes
        that won a sample), n_edges, learning_rate, seconds.
    module_ : torch.nn.Module
        The prototypes as a torch module on the CPU.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    DDCLClustering : Learns features, and joins prototypes into a given number
        of clusters.
    sklearn_ddcl.metrics.topographic_error : Whether the edges follow the data.

    Notes
    -----
    Scale the features first, as for KMeans. A dual layer has a weight for each
    sample, but only its product with the samples enters the loss; it is trained
    in that form, with one second moment of Adam for each prototype, so that no
    array of samples times prototypes is kept and mini-batches lose nothing. A
    step costs what a pass of k-means over its batch does, and there are 400.
    With more than 2,048 features, the combinations are of at most 2,048 samples
    drawn at random, and of at most 2^25 values.

    References
    ----------
    .. [1] G. Cirrincione, P. Barbiero, G. Ciravegna and V. Randazzo,
       "Gradient-based competitive learning: theory", arXiv:2009.02799.
    .. [2] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological gradient-based competitive learning", arXiv:2008.09477.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn_ddcl import CompetitiveClustering
    >>> X, y = make_moons(500, noise=0.05, random_state=0)
    >>> model = CompetitiveClustering(random_state=0).fit(X)
    >>> model.n_components_
    2
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "layer": [StrOptions(set(LAYERS))],
        "topology_weight": [Interval(Real, 0, None, closed="left")],
        "topology": [StrOptions(set(TOPOLOGIES))],
        "hidden": ["array-like"],
        "init": [StrOptions(set(INITS))],
        "min_edge_share": [Interval(Real, 0, 1, closed="both")],
        "epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_prototypes=30,
        *,
        layer="dual",
        topology_weight=0.01,
        topology="soft",
        hidden=(10, 10),
        init="k-means++",
        min_edge_share=0.02,
        epochs="auto",
        batch_size="auto",
        learning_rate=0.5,
        output="distances",
        device="auto",
        verbose=0,
        random_state=None,
    ):
        self.n_prototypes = n_prototypes
        self.layer = layer
        self.topology_weight = topology_weight
        self.topology = topology
        self.hidden = hidden
        self.init = init
        self.min_edge_share = min_edge_share
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn prototypes and their graph.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. float32 and float64 are used as they are, other numbers
            become float64. Never changed.
        y : Ignored
            Not used, present for API consistency. Labels have no influence.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the error and of edges; None weighs all
            samples equally.

        Returns
        -------
        self : CompetitiveClustering
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is invalid; the message names it.
        FloatingPointError
            If the training diverges.
        """
        with kept_on_error(self):
            hidden = self._checked_hidden()
            X = check_training_input(self, X, None)
            weights, unit = scale_weights(check_weights(sample_weight, X))
            result = fit_competitive(X, weights, self._config(hidden))
        clusters = result.clusters
        mass = X.shape[0] if weights is None else weights.sum(dtype=np.float64)
        upper = result.adjacency.tocoo()
        pairs = np.stack([upper.row, upper.col], axis=1).astype(np.int64)
        self.prototypes_ = clusters.prototypes
        self.component_labels_ = clusters.groups
        self.cluster_centers_ = clusters.centers
        self.labels_ = clusters.labels
        self.prototype_labels_ = result.winners
        self.adjacency_ = result.adjacency * unit
        self.edges_ = pairs[pairs[:, 0] < pairs[:, 1]]
        self.n_active_clusters_ = len(clusters.prototypes)
        self.n_components_ = len(clusters.centers)
        self.inertia_ = clusters.inertia * unit
        self.temperature_ = float(clusters.inertia / mass)
        self.n_iter_ = result.n_epochs
        self.history_ = result.history
        self.module_ = make_module(
            clusters.prototypes, self.temperature_, groups=self.component_labels_
        )
        return self

    def _checked_hidden(self):
        units = list(self.hidden)
        if not units or not all(isinstance(u, Integral) and u > 0 for u in units):
            raise ValueError(
                "The 'hidden' parameter of CompetitiveClustering must be a tuple of at least one "
                f"positive integer. Got {self.hidden!r} instead."
            )
        return tuple(int(u) for u in units)

    def _codebook(self):
        return self.prototypes_, self.component_labels_

    def _config(self, hidden):
        return CompetitiveConfig(
            n_prototypes=int(self.n_prototypes),
            layer=self.layer,
            hidden=hidden,
            init=self.init,
            topology=self.topology,
            topology_weight=float(self.topology_weight),
            least_edge=float(self.min_edge_share),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=float(self.learning_rate),
            device=self.device,
            seed=draw_seed(self.random_state),
            report=make_reporter(self.verbose, type(self).__name__),
        )
