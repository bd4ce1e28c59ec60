"""The joint phase: a warm backbone and prototypes in, both trained together out."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._distances import nearest_prototypes
from sklearn_ddcl.engine._encoding import check_features, encode
from sklearn_ddcl.engine._epoch_sums import EpochSums
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_build import make_callbacks, make_training_module
from sklearn_ddcl.engine._joint_checks import check_finite, check_sample_weight, prepare
from sklearn_ddcl.engine._joint_config import JointConfig
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._runtime import make_generator
from sklearn_ddcl.nn._checks import check_columns
from sklearn_ddcl.nn.assignments import critical_temperature

__all__ = ["JointResult", "fit_joint"]


class JointResult(NamedTuple):
    """What the joint phase returns, on the CPU.

    Attributes
    ----------
    backbone : nn.Module
        The backbone that was passed, trained, in evaluation mode.
    prototypes : Tensor of shape (k, d)
        Prototypes.
    labels : Tensor of shape (n,), int64
        Nearest prototype of each row.
    features : Tensor of shape (n, d)
        Features of each row.
    temperature : float
        Last absolute temperature.
    history : list of dict
        One record an epoch.
    """

    backbone: nn.Module
    prototypes: Tensor
    labels: Tensor
    features: Tensor
    temperature: float
    history: list[dict[str, Any]]


def fit_joint(
    backbone: nn.Module,
    pretext: PretextTask | None,
    X: Tensor,
    prototypes: Tensor,
    config: JointConfig,
    sample_weight: Tensor | None = None,
    features: Tensor | None = None,
) -> JointResult:
    """Train features and prototypes together (Algorithm 1, section 8.4).

    Parameters
    ----------
    backbone : nn.Module
        Warm backbone; trained in place, in the type of ``X``.
    pretext : PretextTask or None
        The warm-up's task, to keep the warm start; trained in place.
    X : Tensor of shape (n, ...)
        Rows, float32 or float64.
    prototypes : Tensor of shape (k, d)
        Where to start, in the space of the backbone's features.
    config : JointConfig
        Options.
    sample_weight : Tensor of shape (n,), optional
        Sample weights > 0 of the clustering objective.
    features : Tensor of shape (n, d), optional
        What the backbone makes of ``X``, where that is known.

    Returns
    -------
    JointResult
        Backbone, prototypes, labels and history.

    Raises
    ------
    ValueError
        If shapes, options or weights are not allowed, or the prototypes lie
        outside the span of the features.
    FloatingPointError
        If the loss is not finite or Theorem 1 is broken.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.engine import JointConfig, fit_joint
    >>> from sklearn_ddcl.options import JointTraining
    >>> x = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    >>> config = JointConfig(JointTraining(epochs=3), device="cpu")
    >>> fit_joint(nn.Identity(), None, x, x[[0, 3]], config).labels
    tensor([0, 0, 1, 1])
    """
    options = config.training
    options.validate()
    epochs = options.epochs_for(X.shape[0])
    device = prepare(X, config.device, backbone, *([] if pretext is None else [pretext]))
    check_sample_weight(sample_weight, X.shape[0])
    generator, history = make_generator(config.seed), History(config.report)
    z = encode(backbone, X, device) if features is None else features.to(device, X.dtype)
    check_features(z, X.shape[0])
    start = prototypes.to(z)
    check_columns("prototypes", start, "features", z)
    check_finite("features of the backbone", z)
    check_finite("prototypes", start)
    net = TrainingNet(
        make_training_module(config, backbone, pretext, (z, start), generator),
        generator=generator,
        batch_size=options.batch_size,
        lr=options.learning_rate,
        max_epochs=epochs,
        gradient_clip=options.gradient_clip,
        sample_weight=None if sample_weight is None else sample_weight.to(z),
        callbacks=make_callbacks(options, critical_temperature(z), history),
        compile=options.compile,
        device=device,
    )
    net.sums_ = EpochSums(X.shape[0], device, z.dtype)
    net.sums_.labels.copy_(nearest_prototypes(z, start))
    net.fit(X)
    return finish(net.module_, X, device, history)


def finish(module: JointModule, X: Tensor, device: torch.device, history: History) -> JointResult:
    """Read prototypes and labels off the trained module, in evaluation mode.

    Parameters
    ----------
    module : JointModule
        Trained module.
    X : Tensor of shape (n, ...)
        All rows.
    device : torch.device
        Where the module is.
    history : History
        Records of the run.

    Returns
    -------
    JointResult
        The result, on the CPU.
    """
    layer: Any = module.layer
    z = encode(module.backbone, X, device)
    p = (layer.weight.T @ z if module.has_bank else layer.weight).detach()
    check_finite("features of the trained backbone", z)
    labels = nearest_prototypes(z, p).cpu()
    module.cpu().eval()
    return JointResult(
        module.backbone, p.cpu(), labels, z.cpu(), module.temperature, history.records
    )
