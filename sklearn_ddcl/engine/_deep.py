"""A deep fit from samples to clusters: warm-up, joint training, joining."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import assemble
from sklearn_ddcl.engine._deep_config import DeepConfig, prototype_count
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._grouping import Grouped, group_rows
from sklearn_ddcl.engine._joining import (
    RESTARTS,
    JoinedPrototypes,
    join_prototypes,
    seed_prototypes,
)
from sklearn_ddcl.engine._joint import fit_joint
from sklearn_ddcl.engine._joint_config import JointConfig
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._warm_start import trained_rows, warm_start
from sklearn_ddcl.nn.assignments import critical_temperature

__all__ = ["DeepResult", "fit_deep"]

_LINE = 0.99


class DeepResult(NamedTuple):
    """A fitted deep model, as numpy arrays and a module on the CPU.

    Attributes
    ----------
    backbone : nn.Module
        Samples to features, in the dtype of the samples.
    clusters : Grouped
        Prototypes, clusters and labels, in the space of the features.
    joined : JoinedPrototypes
        Where the clusters come from: agreement and gaps.
    temperature : float
        Last temperature of the joint phase.
    n_iter : int
        Epochs of the joint phase.
    history : list of dict
        Records of the warm-up and of the joint phase.
    flattened : bool
        Whether the joint phase, without a task to hold them apart, drew features
        that were none onto a line.
    """

    backbone: nn.Module
    clusters: Grouped
    joined: JoinedPrototypes
    temperature: float
    n_iter: int
    history: list[dict[str, Any]]
    flattened: bool = False


@torch_defaults()
def fit_deep(data: Any, weight: np.ndarray | None, config: DeepConfig) -> DeepResult:
    """Learn features and prototypes, and join the prototypes into clusters.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Finite samples, float32 or float64.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero; rows of weight 0 are not trained on.
    config : DeepConfig
        Validated options.

    Returns
    -------
    DeepResult
        The fitted model.

    Raises
    ------
    ValueError
        If a partition support expects shares of another number of prototypes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import DeepConfig, fit_deep
    >>> from sklearn_ddcl.options import JointTraining, NeighborContrast, Regularization
    >>> X = np.r_[np.zeros((20, 2)), np.ones((20, 2))] + np.linspace(0, 0.1, 40)[:, None]
    >>> config = DeepConfig(
    ...     2, 3, "mlp", NeighborContrast(n_steps=40), JointTraining(epochs=2), "quantization",
    ...     Regularization(), "cpu", seed=0)
    >>> fit_deep(X, None, config).clusters.centers.shape
    (2, 10)
    """
    generator = make_generator(config.seed)
    _, rows, share = trained_rows(data, weight)
    count = prototype_count(config.n_clusters, config.prototypes_per_cluster, rows.shape[0])
    _check_prior(config, count)
    prepared, task, history = warm_start(rows, share, config, generator)
    device = resolve_device(config.device, torch.float32)
    prepared.body.to(device)
    z = encode(prepared.body, prepared.inputs, device)
    first = seed_prototypes(z.cpu().numpy(), share, count, generator)
    joint = fit_joint(
        prepared.body,
        task,
        prepared.inputs,
        torch.from_numpy(first),
        _joint_config(config, len(history)),
        None if share is None else torch.from_numpy(share.astype(np.float32)),
        z,
    )
    history += [_numbered(record, len(history)) for record in joint.history]
    joined = _join(joint.features.numpy(), share, joint.prototypes.numpy(), config, generator)
    backbone = assemble(prepared._replace(body=joint.backbone), float_type(data.dtype))
    features = encode_rows(backbone, data, data.dtype, config.device)
    clusters = group_rows(features, weight, joined, config.device)
    held = task is not None and config.training.pretext_weight > 0
    flattened = not held and _is_line(joint.features) and not _is_line(z)
    return DeepResult(
        backbone, clusters, joined, joint.temperature, len(joint.history), history, flattened
    )


def _check_prior(config: DeepConfig, n_prototypes: int) -> None:
    """Require expected shares, if any, for the prototypes before they are trained."""
    prior = getattr(config.training.support(), "prior", None)
    if prior is not None and len(prior) != n_prototypes:
        raise ValueError(
            f"prior of the partition_support must have one number for each of the {n_prototypes} "
            f"prototypes, got {len(prior)}. Prototypes are joined into clusters after training; "
            "with prototypes_per_cluster=1 each is a cluster."
        )


def _is_line(z: Tensor) -> bool:
    """Tell whether all but a hundredth of the variance lies in one direction."""
    variance = float(z.var(dim=0, correction=0).sum())
    return 0.0 < _LINE * variance < 0.5 * critical_temperature(z)


def _numbered(record: dict[str, Any], before: int) -> dict[str, Any]:
    """Count the epochs of the warm-up in."""
    return {**record, "epoch": before + record["epoch"]}


def _joint_config(config: DeepConfig, before: int) -> JointConfig:
    """Return the joint phase's part; it reports records as they will be stored."""
    report = config.report
    return JointConfig(
        training=config.training,
        loss=config.loss,
        regularization=config.regularization,
        device=config.device,
        seed=config.seed,
        report=report and (lambda record: report(_numbered(record, before))),
    )


def _join(
    z: np.ndarray,
    share: np.ndarray | None,
    first: np.ndarray,
    config: DeepConfig,
    generator: torch.Generator,
) -> JoinedPrototypes:
    if len(first) == config.n_clusters:
        return JoinedPrototypes(first, np.arange(len(first)), 1.0, {}, {})
    device = torch.device("cpu")
    return join_prototypes(z, share, config.n_clusters, first, RESTARTS, device, generator)
