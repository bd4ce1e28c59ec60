"""Online deep clustering: encoder and prototypes trained together, batch by batch."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import Prepared, assemble, prepare_backbone, reuse_backbone
from sklearn_ddcl.engine._callbacks import MarginalRecord
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._inference import nearest_sets
from sklearn_ddcl.engine._labelling import Labelled, label_rows
from sklearn_ddcl.engine._online_net import OnlineModule, OnlineNet
from sklearn_ddcl.engine._online_state import OnlineConfig, OnlineResult, OnlineState
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._warm_start import trained_rows
from sklearn_ddcl.nn.prototypes import VanillaPrototypes

__all__ = ["begin_online", "learn_online", "observe_online", "settle_online"]

_MOST = 512  # records


@torch_defaults()
def begin_online(data: Any, weight: np.ndarray | None, config: OnlineConfig) -> OnlineState:
    """Make a backbone for the data and draw prototypes from the standard normal distribution.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Finite samples, float32 or float64, which set the scale of the inputs.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    config : OnlineConfig
        Validated options.

    Returns
    -------
    OnlineState
        A state that has seen nothing.

    Raises
    ------
    ValueError
        If the data do not fit the backbone.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import OnlineConfig, begin_online, resolve_support
    >>> config = OnlineConfig(2, resolve_support("combination"))
    >>> begin_online(np.eye(5), None, config).prototypes.shape
    torch.Size([2, 10])
    """
    generator = make_generator(config.seed)
    _, rows, share = trained_rows(data, weight)
    prepared = prepare_backbone(config.backbone, rows, share, generator, neighbors=False)
    width = encode(prepared.body, prepared.inputs[:2]).shape[1]
    layer = VanillaPrototypes(config.n_clusters, width, generator)
    return OnlineState(
        prepared=_lightened(prepared),
        prototypes=layer.weight.detach(),
        moments=None,
        randomness=generator.get_state(),
        temperature=0.0,
        seen=0,
        nearest_at=torch.zeros(config.n_clusters, dtype=torch.int64),
        epochs=0,
        records=(),
    )


@torch_defaults()
def learn_online(
    state: OnlineState,
    data: Any,
    weight: np.ndarray | None,
    config: OnlineConfig,
    epochs: int = 1,
) -> OnlineState:
    """Train on samples, in batches of random rows (`TrainOnBatch` of Algorithm 1).

    Parameters
    ----------
    state : OnlineState
        Where to go on; left as it is.
    data : ndarray or CSR array of shape (n, ...)
        Finite samples of the shape of the first ones.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero; rows of weight 0 are not trained on.
    config : OnlineConfig
        Validated options.
    epochs : int, default=1
        Passes over the samples.

    Returns
    -------
    OnlineState
        The new state.

    Raises
    ------
    ValueError
        If the data leave the range of float32.
    FloatingPointError
        If the loss is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import OnlineConfig, begin_online, learn_online, resolve_support
    >>> config = OnlineConfig(2, resolve_support("combination"))
    >>> learn_online(begin_online(np.eye(5), None, config), np.eye(5), None, config).seen
    5
    """
    generator = torch.Generator()
    generator.set_state(state.randomness)
    _, rows, share = trained_rows(data, weight)
    prepared = reuse_backbone(state.prepared, rows, generator, neighbors=False)
    history = History(config.report, before=state.epochs)
    net = OnlineNet(
        OnlineModule(prepared.body, _layer(state), config.support, config.temperature),
        generator=generator,
        batch_size=config.batch_size,
        lr=config.learning_rate,
        max_epochs=epochs,
        sample_weight=None if share is None else torch.from_numpy(share).float(),
        callbacks=[MarginalRecord(history)],
        device=resolve_device(config.device, torch.float32),
    )
    net.resume(state.moments).partial_fit(prepared.inputs)
    seen, used = state.seen + epochs * len(prepared.inputs), net.sums_.counts.cpu() > 0
    module = net.module_.cpu()
    return state._replace(
        prepared=_lightened(prepared),
        prototypes=module.layer.weight.detach(),
        moments=net.moments,
        randomness=generator.get_state(),
        temperature=module.temperature,
        seen=seen,
        nearest_at=torch.where(used, seen, state.nearest_at),
        epochs=state.epochs + epochs,
        records=_joined(state.records, history.records),
    )


def _layer(state: OnlineState) -> VanillaPrototypes:
    layer = VanillaPrototypes(*state.prototypes.shape)
    with torch.no_grad():
        layer.weight.copy_(state.prototypes)
    return layer


@torch_defaults()
def settle_online(
    state: OnlineState, data: Any, weight: np.ndarray | None, config: OnlineConfig
) -> OnlineResult:
    """Label all samples of a fit, and number the clusters by falling weight.

    Parameters
    ----------
    state : OnlineState
        After training.
    data : ndarray or CSR array of shape (n, ...)
        The samples.
    weight : ndarray of shape (n,) or None
        Their weights.
    config : OnlineConfig
        Options.

    Returns
    -------
    OnlineResult
        The prototypes in use, and the state with these first, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     OnlineConfig, begin_online, learn_online, resolve_support, settle_online)
    >>> X, config = np.eye(6), OnlineConfig(2, resolve_support("combination"))
    >>> state = learn_online(begin_online(X, None, config), X, None, config, epochs=2)
    >>> settle_online(state, X, None, config).clusters.labels.shape
    (6,)
    """
    network, z, prototypes = _encoded(state, data, config)
    clusters = label_rows(z, weight, prototypes, config.device)
    equal = (clusters.prototypes[:, None] == prototypes[None]).all(axis=2)
    kept = [int(row.argmax()) for row in equal]
    rest = [number for number in range(len(prototypes)) if number not in kept]
    order = torch.tensor([*kept, *rest])
    unused = torch.arange(len(order)) >= len(kept)
    state = state._replace(
        prototypes=state.prototypes[order],
        moments=_reordered(state.moments, order),
        nearest_at=torch.where(unused, state.nearest_at[order], state.seen),
    )
    return OnlineResult(state, network, clusters)


@torch_defaults()
def observe_online(
    state: OnlineState, data: Any, weight: np.ndarray | None, config: OnlineConfig
) -> OnlineResult:
    """Label a batch by all prototypes, in the order that they have.

    Parameters
    ----------
    state : OnlineState
        After training.
    data : ndarray or CSR array of shape (n, ...)
        The batch.
    weight : ndarray of shape (n,) or None
        Its weights.
    config : OnlineConfig
        Options.

    Returns
    -------
    OnlineResult
        The model, and the batch's labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     OnlineConfig, begin_online, observe_online, resolve_support)
    >>> X, config = np.eye(6), OnlineConfig(2, resolve_support("combination"))
    >>> observe_online(begin_online(X, None, config), X, None, config).clusters.prototypes.shape
    (2, 10)
    """
    network, z, prototypes = _encoded(state, data, config)
    found = nearest_sets(z, prototypes, weight, config.device)
    return OnlineResult(state, network, Labelled(prototypes, found.labels, found.inertia))


def _encoded(
    state: OnlineState, data: Any, config: OnlineConfig
) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """Return network, features and prototypes in the dtype of the data."""
    network = assemble(state.prepared, float_type(data.dtype))
    z = encode_rows(network, data, data.dtype, config.device)
    return network, z, state.prototypes.numpy().astype(data.dtype)


def _lightened(prepared: Prepared) -> Prepared:
    """Keep one row of the data, for its shape."""
    return prepared._replace(inputs=prepared.inputs[:1].clone(), components=None)


def _joined(
    before: tuple[dict[str, Any], ...], new: list[dict[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Return all records of a call, and so many before that memory does not grow forever."""
    return (*before, *new)[-max(_MOST, len(new)) :]


def _reordered(moments: dict[str, Any] | None, order: Tensor) -> dict[str, Any] | None:
    """Return the optimiser's state with the prototypes, its last parameter, in a new order."""
    if moments is None:
        return None
    moments = copy.deepcopy(moments)
    own = moments["state"][max(moments["state"])]
    for name in ("exp_avg", "exp_avg_sq"):
        own[name] = own[name][order.to(own[name].device)]
    return moments
