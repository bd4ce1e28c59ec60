"""DDCLClustering: Deep Dual Competitive Learning as a clusterer."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.engine import (
    ReducedConfig,
    ReducedFlow,
    Regularization,
    fit_reduced,
    make_module,
    resolve_flow,
    resolve_regularization,
    resolve_temperature,
)
from sklearn_ddcl.engine._build import LOSSES, TEMPERATURES
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.utils import check_weights, make_reporter, scale_weights
from sklearn_ddcl.utils._validation import HasMethods, Interval, StrOptions, fit_context

# What stands behind None or a name, for parameters of parameters.
_RESOLVERS = {
    "temperature": resolve_temperature,
    "regularization": resolve_regularization,
    "training": resolve_flow,
}


class DDCLClustering(PrototypeClusterer):
    r"""Deep Dual Competitive Learning [1]_.

    Prototypes are outputs of a dual layer, linear combinations of the features,
    and learn by the soft quantization loss (Eq. 11)

    .. math:: L_q = \frac{1}{N} \sum_n \sum_j q_{nj} \|z_n - p_j\|^2,
              \qquad q_{nj} \propto e^{-\|z_n - p_j\|^2 / T},

    while the temperature T falls. On given features (``backbone=None``, the
    only choice in this version) the closed-form flow anneals from above the
    temperature at which all prototypes coincide, moves prototypes from where
    they are useless to where they are missed, and finishes with hard
    assignments: it minimises the same sum of squares as `KMeans`.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters k.
    backbone : None, default=None
        The network that makes features from samples. None clusters the
        samples as they are.
    loss : {"quantization", "ols"}, default="quantization"
        Lq (Eq. 11), or the reconstruction error L_OLS alone (Eq. 16), the
        paper's ablation.
    temperature : str or schedule, default="auto"
        "auto", "constant", "exponential", "geometric", "paper" (the paper's
        absolute schedule), or an object of :mod:`sklearn_ddcl.options`.
        Temperatures are multiples of the data's critical temperature unless
        the schedule is absolute.
    regularization : Regularization, default=None
        Weights of the balance, entropy, separation and quadratic terms
        (Eq. 12). None adds none of them.
    training : ReducedFlow, default=None
        Options of the flow on given features. None takes its defaults.
    max_iter : int, default=300
        Bound on the passes over the data in each phase.
    tol : float, default=1e-4
        Squared shift of the prototypes, relative to the mean variance of the
        features, at which a phase has converged. The hard finish also ends
        once a pass lowers the inertia by no more than ``tol / 100`` of itself.
    output : {"distances", "embedding", "assignments"}, default="distances"
        What `transform` returns.
    device : str, default="auto"
        "auto" takes CUDA, then MPS, then the CPU; or a torch device name.
        Fitted attributes live on the CPU in any case.
    verbose : int, default=0
        1 writes a line for each temperature and each pass of the finish.
    random_state : int, RandomState instance or None, default=None
        Seeds the search. Global random states are never touched.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_active_clusters_, n_features)
        Prototypes in use, in the dtype of the training data.
    labels_ : ndarray of shape (n_samples,)
        Cluster of each training sample, int32, consecutive from 0.
    inertia_ : float
        Weighted sum of squared distances to the nearest prototype.
    temperature_ : float
        Last temperature of the annealing, in squared units of the features.
    n_active_clusters_ : int
        Number of clusters in use, less than ``n_clusters`` only with a
        `CollapseWarning`.
    n_iter_ : int
        Passes over the rows: of the search's sample in all starts, then of all.
    history_ : list of dict
        One record for each temperature and each pass of the finish: epoch,
        phase, temperature, loss_quantization (Lq), loss_ols (L_OLS), variance
        (V), separation (S), concentration (K), force (I), n_active, seconds.
        Losses are means over the rows of the phase; annealing records are
        those of the first start.
    module_ : torch.nn.Module
        The fitted network on the CPU; maps a tensor of samples to a
        `sklearn_ddcl.nn.ClusterOutput`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had string column names.

    See Also
    --------
    sklearn.cluster.KMeans : The limit of temperature 0 from several seeds.
    sklearn_ddcl.options.ReducedFlow : Options of the flow.

    Notes
    -----
    The search runs on at most 20,000 rows (or 100 for each cluster) in
    float32; the finish runs on all rows in the dtype of ``X``. Cost is linear
    in the number of rows; besides ``X``, memory is bounded by the sample.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning: A Differentiable
       End-to-End Framework for Unsupervised Prototype-Based Representation
       Learning", arXiv:2604.01740 (2026).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl import DDCLClustering
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> ddcl = DDCLClustering(n_clusters=2, random_state=0).fit(X)
    >>> ddcl.labels_[0] == ddcl.labels_[1] != ddcl.labels_[3]
    np.True_
    >>> sorted(ddcl.cluster_centers_.tolist())
    [[1.0, 2.0], [10.0, 2.0]]
    """

    _parameter_constraints = {  # noqa: RUF012  # scikit-learn's convention
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "backbone": [None],
        "loss": [StrOptions(set(LOSSES))],
        "temperature": [StrOptions(set(TEMPERATURES)), HasMethods(["__call__", "get_params"])],
        "regularization": [None, Regularization],
        "training": [None, ReducedFlow],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "output": [StrOptions({"distances", "embedding", "assignments"})],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        backbone=None,
        loss="quantization",
        temperature="auto",
        regularization=None,
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
        self.loss = loss
        self.temperature = temperature
        self.regularization = regularization
        self.training = training
        self.max_iter = max_iter
        self.tol = tol
        self.output = output
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Find the prototypes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training samples; float32 and float64 are used as they are, other
            numbers become float64. Never changed.
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
            If fewer than ``n_clusters`` clusters are left.
        ConvergenceWarning
            If the finish did not come to rest in ``max_iter`` passes.
        """
        X = check_training_input(self, X, self.n_clusters)
        weights, unit = scale_weights(check_weights(sample_weight, X))
        result = fit_reduced(X, weights, self._config())
        self.cluster_centers_ = result.prototypes
        self.labels_ = result.labels
        self.inertia_ = result.inertia * unit
        self.temperature_ = result.temperature
        self.n_active_clusters_ = len(result.prototypes)
        self.n_iter_ = result.n_iter
        self.history_ = result.history
        self.module_ = make_module(result.prototypes, result.temperature)
        self._warn(result.converged)
        return self

    def set_params(self, **params):
        """Set the parameters of this estimator.

        Parameters of option objects are reached as ``name__member``. Where the
        present value is None or a name, its object takes its place first, so that
        a search over ``temperature__minimum`` needs no preparation.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        self : DDCLClustering
            The estimator itself.

        Raises
        ------
        ValueError
            If a name is unknown, or a value has no such member.
        """
        super().set_params(**{key: value for key, value in params.items() if "__" not in key})
        members = {key: value for key, value in params.items() if "__" in key}
        for name in {key.partition("__")[0] for key in members}:
            value = getattr(self, name, None)
            if name in _RESOLVERS and (
                value is None or (isinstance(value, str) and value in TEMPERATURES)
            ):
                setattr(self, name, _RESOLVERS[name](value))
            elif not hasattr(value, "set_params"):
                raise ValueError(
                    f"Invalid parameter in {sorted(members)}: {name!r} of "
                    f"{type(self).__name__} is {value!r}, which has no parameters of its own."
                )
        return super().set_params(**members)

    def _config(self):
        """Turn the parameters into the engine's configuration."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        return ReducedConfig(
            n_clusters=int(self.n_clusters),
            loss=self.loss,
            temperature=resolve_temperature(self.temperature),
            regularization=resolve_regularization(self.regularization),
            flow=resolve_flow(self.training),
            max_iter=int(self.max_iter),
            tol=float(self.tol),
            device=self.device,
            seed=int(seed),
            report=make_reporter(self.verbose, type(self).__name__),
        )

    def _warn(self, converged):
        if self.n_active_clusters_ < self.n_clusters:
            warnings.warn(
                f"{self.n_active_clusters_} of n_clusters={self.n_clusters} clusters are in use: "
                "X may have fewer distinct samples than that (as far as its dtype tells them "
                "apart), or prototypes coincide because the last temperature is high. Lower "
                "n_clusters or the schedule's minimum, or set hard_finish=True in ReducedFlow.",
                CollapseWarning,
                stacklevel=4,  # through fit and its validating wrapper
            )
        if not converged:
            warnings.warn(
                f"The fit did not converge in max_iter={self.max_iter} passes of its last phase. "
                "Raise max_iter or tol, or scale the data.",
                ConvergenceWarning,
                stacklevel=4,  # through fit and its validating wrapper
            )
