"""Warm-up of a backbone by a pretext task alone."""

from typing import Any

from torch import Tensor, nn

from sklearn_ddcl.engine._callbacks import PretextRecord, RateDecay
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_checks import prepare
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._precision import resolve_precision
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._runtime import make_generator
from sklearn_ddcl.nn._checks import check_count, check_real

__all__ = ["fit_pretext"]

_SETTINGS: dict[str, Any] = {
    "generator": None,
    "device": "auto",
    "report": None,
    "mixed_precision": False,
    "compile": False,
}


def fit_pretext(
    backbone: nn.Module,
    pretext: PretextTask,
    X: Tensor,
    *,
    steps: int,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Warm a backbone up by a pretext task alone.

    Parameters
    ----------
    backbone : nn.Module
        Features from inputs; trained in place, in the type of ``X``, and left
        on the CPU in evaluation mode.
    pretext : PretextTask
        The task; trained in place.
    X : Tensor of shape (n, ...)
        Rows, float32 or float64.
    steps : int
        Number of steps, >= 1.
    batch_size : int, default=256
        Largest number of rows a step.
    learning_rate : float, default=1e-3
        Adam's largest learning rate: it rises over the first steps and falls to
        zero at the last.
    **settings : dict
        ``generator`` (torch.Generator on the CPU; seed 0), ``device`` ("auto"),
        ``report`` (callable or None), ``mixed_precision`` and ``compile`` (as
        in :class:`JointTraining`).

    Returns
    -------
    list of dict
        History, one record an epoch.

    Raises
    ------
    ValueError
        If a number is out of its range, ``X`` is not fit to train on, or a
        setting is unknown.
    FloatingPointError
        If the loss is not finite.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.engine import PretextTask, fit_pretext
    >>> class Zero(PretextTask):
    ...     def loss(self, backbone, x, z, index, generator):
    ...         return z.square().mean()
    >>> len(fit_pretext(nn.Linear(3, 2), Zero(), torch.rand(40, 3), steps=5, batch_size=20))
    3
    """
    if unknown := settings.keys() - _SETTINGS:
        raise ValueError(f"settings must be among {sorted(_SETTINGS)}, got {sorted(unknown)}.")
    settings = _SETTINGS | settings
    check_count("steps", steps)
    check_count("batch_size", batch_size)
    check_real("learning_rate", learning_rate, above=0.0)
    device = prepare(X, settings["device"], backbone, pretext)
    generator = settings["generator"] or make_generator(0)
    precision = resolve_precision(settings["mixed_precision"], device, X.dtype)
    history = History(settings["report"])
    net = TrainingNet(
        JointModule(backbone, pretext=pretext, generator=generator, precision=precision),
        generator=generator,
        batch_size=batch_size,
        lr=learning_rate,
        max_epochs=-(-steps // -(-X.shape[0] // min(batch_size, X.shape[0]))),
        total_steps=steps,
        callbacks=[RateDecay(learning_rate, steps), PretextRecord(history)],
        compile=settings["compile"],
        device=device,
    ).fit(X)
    net.module_.cpu().eval()
    return history.records
