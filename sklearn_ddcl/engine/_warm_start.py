"""The backbone from which features are learned: new, warmed up, or that of a fitted warm-up."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_ddcl.engine._backbones import Prepared, prepare_backbone, reuse_backbone
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn.backbones import ConvNet

__all__ = ["trained_rows", "warm_start"]


def trained_rows(data: Any, weight: np.ndarray | None) -> tuple[Any, Any, np.ndarray | None]:
    """Leave out the rows that a network is not trained on.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Samples.
    weight : ndarray of shape (n,) or None
        Non-negative weights.

    Returns
    -------
    used : ndarray of shape (m,), int64, or slice
        Rows of positive weight in float32, in which is trained: there the
        smallest weights are 0.
    rows : ndarray or CSR array of shape (m, ...)
        These rows.
    share : ndarray of shape (m,) or None
        Their weights.
    """
    used = slice(None) if weight is None else np.flatnonzero(weight.astype(np.float32) > 0)
    return used, data[used], None if weight is None else weight[used]


def warm_start(
    rows: Any,
    share: np.ndarray | None,
    config: Any,
    generator: torch.Generator,
    prepare: Callable[..., Prepared] = prepare_backbone,
) -> tuple[Prepared, PretextTask | None, list[dict[str, Any]]]:
    """Train a new backbone, or take a copy of the one a fitted warm-up holds.

    Parameters
    ----------
    rows : ndarray or CSR array of shape (n, ...)
        Samples.
    share : ndarray of shape (n,) or None
        Their weights.
    config : DeepConfig or AlternatingConfig
        Its backbone, warm-up, number of clusters, device and report.
    generator : torch.Generator
        Source of randomness.
    prepare : callable, default=prepare_backbone
        Makes a new backbone, and brings the samples to it.

    Returns
    -------
    prepared : Prepared
        The backbone and its rows.
    task : PretextTask or None
        What it was trained on; None without a warm-up.
    history : list of dict
        Records of the training; none of a backbone that is reused.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import AlternatingConfig
    >>> config = AlternatingConfig(n_clusters=2, backbone="mlp", device="cpu")
    >>> prepared, task, history = warm_start(np.eye(5), None, config, torch.Generator())
    >>> prepared.inputs.shape, task, history
    (torch.Size([5, 5]), None, [])
    """
    warm_up = config.warm_up
    if warm_up is not None and warm_up.fitted:
        return (*_reuse(warm_up, rows, config, generator), [])
    neighbors = warm_up is not None and warm_up.searches_neighbors
    prepared = prepare(config.backbone, rows, share, generator, neighbors)
    if warm_up is None:
        return prepared, None, []
    fresh = type(warm_up)(**warm_up.get_params(deep=False))  # the user's object stays as it is
    history = fresh.run(prepared, config.n_clusters, generator, config.device, config.report)
    return prepared, fresh.task_, history


def _reuse(
    warm_up: Any, rows: Any, config: Any, generator: torch.Generator
) -> tuple[Prepared, PretextTask]:
    """Copy the fitted warm-up's backbone; its task too where the rows are the same."""
    held = warm_up.prepared_
    _check_backbone(config.backbone, held.body)
    prepared = reuse_backbone(held, rows, generator, warm_up.searches_neighbors)
    if prepared.inputs is held.inputs:
        return prepared, copy.deepcopy(warm_up.task_)
    width = encode(prepared.body, prepared.inputs[:2]).shape[1]
    return prepared, warm_up.make_task(prepared, width, config.n_clusters, generator)


def _check_backbone(asked: Any, held: nn.Module) -> None:
    """Refuse another backbone than a fitted warm-up holds, as far as can be told."""
    if isinstance(asked, str):
        fits = asked != "cnn" or isinstance(held, ConvNet)  # the default asks for nothing
    elif isinstance(asked, type):
        fits = isinstance(held, asked)
    else:
        fits = not isinstance(asked, nn.Module) or type(asked) is type(held)
    if not fits:
        raise ValueError(
            f"The fitted 'warm_up' holds a {type(held).__name__}, which is reused. Got "
            f"backbone={asked!r}: fit a warm-up with it, or leave the parameter at its default."
        )
