"""From the parameters of AdversarialDeepClustering to the engine, and back to a module."""

import copy

from sklearn_ddcl.engine import (
    AdversarialConfig,
    Discriminator,
    make_mixture_module,
    make_module,
    resolve_mixture,
    resolve_warm_up,
)
from sklearn_ddcl.utils import draw_seed, make_reporter

__all__ = ["fitted_module", "make_config"]


def make_config(estimator):
    """Return what the engine needs of an estimator's parameters.

    Parameters
    ----------
    estimator : AdversarialDeepClustering
        With validated parameters.

    Returns
    -------
    AdversarialConfig
        The options.

    Raises
    ------
    ValueError
        If a member of an option is not allowed, or several prototypes a cluster
        are asked for with Gaussians.
    TypeError
        If the discriminator's options are a class.
    """
    mixture, per_cluster = resolve_mixture(estimator.mixture), estimator.prototypes_per_cluster
    if mixture.kind == "gaussian" and (per_cluster or 1) > 1:
        raise ValueError(
            f"The 'prototypes_per_cluster' parameter of {type(estimator).__name__} must be None "
            f"or 1 with a mixture of Gaussians, which are not joined. Got {per_cluster!r} "
            "instead: mixture='kmeans' takes it."
        )
    if isinstance(estimator.discriminator, type):
        raise TypeError(
            "The 'discriminator' parameter must be None or an object such as Discriminator(). Got "
            f"{estimator.discriminator!r} instead."
        )
    options = copy.deepcopy(estimator.discriminator or Discriminator())
    options.validate()
    return AdversarialConfig(
        n_clusters=int(estimator.n_clusters),
        loss=estimator.loss,
        backbone=estimator.backbone,
        warm_up=resolve_warm_up(estimator.warm_up),
        discriminator=options,
        pretext_weight=float(estimator.pretext_weight),
        epochs=int(estimator.epochs),
        mixture=mixture,
        prototypes_per_cluster=None if per_cluster is None else int(per_cluster),
        batch_size=int(estimator.batch_size),
        learning_rate=float(estimator.learning_rate),
        device=estimator.device,
        seed=draw_seed(estimator.random_state),
        report=make_reporter(estimator.verbose, type(estimator).__name__),
    )


def fitted_module(result, temperature):
    """Return the network of a fit.

    Parameters
    ----------
    result : AdversarialResult
        What the engine has found.
    temperature : float
        Temperature of the soft assignments.

    Returns
    -------
    torch.nn.Module
        Backbone and prototypes, or the Gaussians, on the CPU.
    """
    if result.mixture is not None:
        return make_mixture_module(result.mixture, temperature, result.backbone)
    clusters = result.clusters
    return make_module(
        clusters.prototypes, temperature, backbone=result.backbone, groups=clusters.groups
    )
