"""The three ways in which DDCLClustering trains: features given, given and joined, learned."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_ddcl.engine import (
    DeepConfig,
    JointTraining,
    ReducedConfig,
    ReducedFlow,
    fit_deep,
    fit_joined,
    fit_reduced,
    make_module,
    prototype_count,
    resolve_flow,
    resolve_joint,
    resolve_regularization,
    resolve_temperature,
    resolve_warm_up,
)
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.utils import draw_seed, make_reporter

__all__ = ["Fitted", "train", "warn_of"]

# Why clusters are lost, by whether features are learned.
_COINCIDING = {
    False: "prototypes coincide because the last temperature is high. Lower n_clusters or the "
    "schedule's minimum, or set hard_finish=True in ReducedFlow.",
    True: "the backbone gives different samples the same features. Lower n_clusters, or change "
    "what it learns: its layers, the warm_up (None leaves it as it is), or objective_weight in "
    "JointTraining.",
}


# Parameters that say what is trained: their defaults, and what values stand for.
_OBJECTIVE = {
    "loss": ("quantization", str),
    "temperature": ("auto", resolve_temperature),
    "regularization": (None, resolve_regularization),
    "training": (None, resolve_flow),
}


class Fitted(NamedTuple):
    """What a fit leaves behind.

    Attributes
    ----------
    prototypes : ndarray of shape (m, d)
        Prototypes in use.
    groups : ndarray of shape (m,), int32
        Cluster of each.
    centers : ndarray of shape (k, d)
        Latent means of the clusters.
    labels : ndarray of shape (n,), int32
        Cluster of each sample.
    inertia : float
        Weighted sum of squared distances to the nearest prototype.
    temperature : float
        Last temperature.
    module : torch.nn.Module
        The fitted network.
    n_iter : int
        Passes or epochs.
    converged : bool
        Whether the last phase came to rest.
    history : list of dict
        Records.
    agreement : float
        Of the restarts on the partition.
    gaps : dict of int to float
        How much each number of clusters stands out.
    flattened : bool
        Whether learned features were drawn onto a line.
    """

    prototypes: np.ndarray
    groups: np.ndarray
    centers: np.ndarray
    labels: np.ndarray
    inertia: float
    temperature: float
    module: Any
    n_iter: int
    converged: bool
    history: list
    agreement: float = 1.0
    gaps: dict = {}  # noqa: RUF012  # a NamedTuple's default, never changed
    agreements: dict = {}  # noqa: RUF012  # likewise
    flattened: bool = False


def train(estimator, X, weights):
    """Train as an estimator's parameters say.

    Parameters
    ----------
    estimator : DDCLClustering
        With validated parameters.
    X : ndarray or CSR array
        Validated samples.
    weights : ndarray of shape (n,) or None
        Scaled sample weights.

    Returns
    -------
    Fitted
        The fitted state.

    Raises
    ------
    ValueError
        If parameters do not go together.
    """
    seed = draw_seed(estimator.random_state)
    if estimator.backbone is not None:
        return _learn(estimator, X, weights, seed)
    _require(estimator, "training", ReducedFlow, "None")
    if estimator.partition_support is not None:
        raise ValueError(
            f"The 'partition_support' parameter of {type(estimator).__name__} must be None with "
            "backbone=None: a support keeps clusters in use while features are learned. Got "
            f"{estimator.partition_support!r} instead."
        )
    if estimator.loss == "cross_entropy":
        raise ValueError(
            "loss='cross_entropy' trains a classifier on learned features, and backbone=None "
            "learns none: choose a backbone, or loss='quantization' or 'ols'."
        )
    if estimator.n_clusters is None or (estimator.prototypes_per_cluster or 1) > 1:
        _refuse_unused(estimator)
        return _join(estimator, X, weights, seed)
    return _reduce(estimator, X, weights, seed)


def _learn(estimator, X, weights, seed):
    _require(estimator, "training", JointTraining, "'mlp'")
    named = isinstance(estimator.temperature, str) and estimator.temperature == "auto"
    temperature = None if named else resolve_temperature(estimator.temperature)
    result = fit_deep(
        X,
        weights,
        DeepConfig(
            n_clusters=_count(estimator.n_clusters),
            prototypes_per_cluster=_count(estimator.prototypes_per_cluster),
            backbone=estimator.backbone,
            warm_up=resolve_warm_up(estimator.warm_up),
            training=resolve_joint(estimator.training, temperature, estimator.partition_support),
            loss=estimator.loss,
            regularization=resolve_regularization(estimator.regularization),
            device=estimator.device,
            seed=seed,
            report=make_reporter(estimator.verbose, type(estimator).__name__),
        ),
    )
    fitted = _grouped(
        result.clusters,
        result.joined,
        temperature=result.temperature,
        backbone=result.backbone,
        n_iter=result.n_iter,
        history=result.history,
    )
    return fitted._replace(flattened=result.flattened)


def _join(estimator, X, weights, seed):
    if sparse.issparse(X):
        raise ValueError(
            "Several prototypes for each cluster on given features take dense X: pass "
            "X.toarray(), or choose backbone='mlp', which takes sparse X."
        )
    k = _count(estimator.n_clusters)
    m = prototype_count(k, _count(estimator.prototypes_per_cluster), X.shape[0])
    found = fit_joined(X, weights, k, m, estimator.device, seed)
    return _grouped(found.clusters, found.joined, temperature=0.0, backbone=None, n_iter=1)


def _grouped(clusters, joined, *, temperature, backbone, n_iter, history=()):
    return Fitted(
        prototypes=clusters.prototypes,
        groups=clusters.groups,
        centers=clusters.centers,
        labels=clusters.labels,
        inertia=clusters.inertia,
        temperature=temperature,
        module=make_module(
            clusters.prototypes, temperature, backbone=backbone, groups=clusters.groups
        ),
        n_iter=n_iter,
        converged=True,
        history=list(history),
        agreement=joined.agreement,
        gaps=joined.gaps,
        agreements=joined.agreements,
    )


def _reduce(estimator, X, weights, seed):
    result = fit_reduced(
        X,
        weights,
        ReducedConfig(
            n_clusters=int(estimator.n_clusters),
            loss=estimator.loss,
            temperature=resolve_temperature(estimator.temperature),
            regularization=resolve_regularization(estimator.regularization),
            flow=resolve_flow(estimator.training),
            max_iter=int(estimator.max_iter),
            tol=float(estimator.tol),
            device=estimator.device,
            seed=seed,
            report=make_reporter(estimator.verbose, type(estimator).__name__),
        ),
    )
    return Fitted(
        prototypes=result.prototypes,
        groups=np.arange(len(result.prototypes), dtype=np.int32),
        centers=result.prototypes,
        labels=result.labels,
        inertia=result.inertia,
        temperature=result.temperature,
        module=make_module(result.prototypes, result.temperature),
        n_iter=result.n_iter,
        converged=result.converged,
        history=result.history,
    )


def _require(estimator, name, kind, backbone):
    value = getattr(estimator, name)
    if value is not None and not isinstance(value, kind):
        raise ValueError(
            f"The {name!r} parameter of {type(estimator).__name__} must be None or "
            f"{kind.__name__}() with backbone={backbone}. Got {value!r} instead."
        )


def _refuse_unused(estimator):
    """Refuse what says how to train where given features are joined and nothing is trained."""
    for name, (default, resolve) in _OBJECTIVE.items():
        value = getattr(estimator, name)
        if resolve(value) != resolve(default):
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {default!r} with "
                "backbone=None and several prototypes a cluster (prototypes_per_cluster > 1, or "
                f"n_clusters=None): these are joined, and no objective is trained. Got {value!r} "
                "instead."
            )


def _count(value):
    return None if value is None else int(value)


def warn_of(fitted, n_clusters, max_iter, deep):
    """Warn of what went wrong in a fit, from within ``fit``.

    Parameters
    ----------
    fitted : Fitted
        Its state.
    n_clusters : int or None
        Clusters asked for.
    max_iter : int
        Bound on passes.
    deep : bool
        Whether features were learned.

    Warns
    -----
    CollapseWarning
        If clusters were lost, or the features of more than two fell on a line.
    ConvergenceWarning
        If the finish did not come to rest.
    """
    in_use = len(fitted.centers)
    if in_use < (n_clusters or 1):
        _warn(
            f"{in_use} of n_clusters={n_clusters} clusters are in use: X may have fewer distinct "
            f"samples than that (as far as its dtype tells them apart), or {_COINCIDING[deep]}",
            CollapseWarning,
        )
    if fitted.flattened and in_use > 2:
        _warn(
            "The joint phase has drawn the features onto a line: 99 % of their variance lies in "
            "one direction. With warm_up=None or pretext_weight=0 nothing prevents that: choose a "
            "warm_up, or for a trained backbone less objective_weight or fewer epochs in "
            "JointTraining.",
            CollapseWarning,
        )
    if not fitted.converged:
        _warn(
            f"The fit did not converge in max_iter={max_iter} passes of its last phase. Raise "
            "max_iter or tol, or scale the data.",
            ConvergenceWarning,
        )


def _warn(message, category):
    warnings.warn(message, category, stacklevel=5)  # through fit and its validating wrapper
