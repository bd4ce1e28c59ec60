"""The parts of the joint phase that a configuration names: layer, objective, callbacks."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._callbacks import (
    DecompositionCheck,
    EpochRecord,
    LabelStop,
    PhaseSetting,
    RateBound,
    Revival,
)
from sklearn_ddcl.engine._classifier import CrossEntropyTerm
from sklearn_ddcl.engine._config import Regularization
from sklearn_ddcl.engine._dual_start import starting_dual_weights
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_config import JointConfig
from sklearn_ddcl.engine._joint_module import JointModule, latent_scale
from sklearn_ddcl.engine._precision import resolve_precision
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._training_options import JointTraining
from sklearn_ddcl.nn.losses import Objective, ols_term, quantization_term
from sklearn_ddcl.nn.prototypes import DualMemoryBank, VanillaPrototypes

__all__ = ["make_callbacks", "make_layer", "make_objective", "make_training_module"]

_DENSE = 50_000  # elements of W up to which a dense gradient is the faster one


def make_training_module(
    config: JointConfig,
    backbone: nn.Module,
    pretext: PretextTask | None,
    start: tuple[Tensor, Tensor],
    generator: torch.Generator,
) -> JointModule:
    """Put backbone, layer, objective and pretext task together.

    Parameters
    ----------
    config : JointConfig
        Options.
    backbone : nn.Module
        The backbone.
    pretext : PretextTask or None
        The pretext task.
    start : tuple of Tensors of shapes (n, d) and (k, d)
        First features and prototypes.
    generator : torch.Generator
        The run's generator.

    Returns
    -------
    JointModule
        Module whose prototypes are the given ones, and whose scale is the
        variance of the features.
    """
    z, prototypes = start
    module = JointModule(
        backbone,
        make_layer(config.layer, z, prototypes),
        make_objective(config, z, prototypes.shape[0], generator),
        pretext,
        config.training.objective_weight,
        config.training.pretext_weight,
        generator,
        resolve_precision(config.training.mixed_precision, z.device, z.dtype),
        support=config.training.support(),
    )
    variance = float(z.var(dim=0, correction=0).sum())
    norm = float(torch.linalg.vector_norm(prototypes))
    module.scale = latent_scale(variance, norm, z.dtype)
    return module


def make_layer(name: str, z: Tensor, prototypes: Tensor) -> nn.Module:
    """Return a layer whose first prototypes are the given ones.

    Parameters
    ----------
    name : {"dual", "vanilla"}
        Kind of layer.
    z : Tensor of shape (n, d)
        First features.
    prototypes : Tensor of shape (k, d)
        First prototypes.

    Returns
    -------
    nn.Module
        The layer.

    Raises
    ------
    ValueError
        If the name is unknown, or no dual weights reach the prototypes.
    """
    layer: Any
    if name == "vanilla":
        layer = VanillaPrototypes(prototypes.shape[0], prototypes.shape[1], dtype=z.dtype)
        first = prototypes
    elif name == "dual":
        # sparse gradients cost nothing that grows with n; MPS has none
        sparse = z.device.type != "mps" and z.shape[0] * prototypes.shape[0] > _DENSE
        # the batches are slices of a permutation, valid by construction
        layer = DualMemoryBank(z, prototypes.shape[0], sparse=sparse, checked=False)
        first = starting_dual_weights(z, prototypes)
    else:
        raise ValueError(f"layer must be 'dual' or 'vanilla', got {name!r}.")
    with torch.no_grad():
        layer.weight.copy_(first)
    if name == "dual":
        layer.refresh()
    module: nn.Module = layer
    return module


def make_objective(
    config: JointConfig, z: Tensor, n_prototypes: int, generator: torch.Generator
) -> Objective:
    """Return the objective that a configuration asks for.

    Parameters
    ----------
    config : JointConfig
        Options.
    z : Tensor of shape (n, d)
        First features.
    n_prototypes : int
        Number of prototypes k.
    generator : torch.Generator
        For the classifier's first weights.

    Returns
    -------
    Objective
        The objective.

    Raises
    ------
    ValueError
        If the loss is unknown or a weight is not allowed.
    """
    base: Any = {"quantization": quantization_term, "ols": ols_term}.get(config.loss)
    if config.loss == "cross_entropy":
        base = CrossEntropyTerm(n_prototypes, z.shape[1], generator, z.dtype)
    if base is None:
        raise ValueError(
            f"loss must be 'quantization', 'ols' or 'cross_entropy', got {config.loss!r}."
        )
    weights = Regularization() if config.regularization is None else config.regularization
    weights.validate()
    return Objective(
        base,
        weights.balance,
        weights.entropy,
        weights.separation,
        weights.quadratic_for(n_prototypes),
    )


def make_callbacks(options: JointTraining, critical: float, history: History) -> list[Any]:
    """Return the joint phase's callbacks, in their order.

    Parameters
    ----------
    options : JointTraining
        Options.
    critical : float
        Critical temperature of the first features.
    history : History
        Where records go.

    Returns
    -------
    list of skorch.callbacks.Callback
        The callbacks.
    """
    callbacks = [PhaseSetting(options, critical), DecompositionCheck(), RateBound()]
    callbacks += [Revival()] if options.revive else []
    callbacks.append(EpochRecord(history))
    if options.patience is not None:
        callbacks.append(LabelStop(options.patience, options.min_label_change))
    return callbacks
