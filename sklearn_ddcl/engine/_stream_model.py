"""A stream as a fitted network: its encoder, its features' scale, its prototypes."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._module import PrototypeModel, make_module
from sklearn_ddcl.engine._runtime import float_type
from sklearn_ddcl.engine._stream import Stream
from sklearn_ddcl.engine._stream_config import StreamConfig
from sklearn_ddcl.engine._stream_encoding import encode_batch

__all__ = ["FeatureScaling", "open_stream", "resolve_encoder", "stream_module"]


class FeatureScaling(nn.Module):
    """Frozen shift and scale of each feature.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        What is subtracted.
    scale : Tensor of shape (d,)
        What the differences are multiplied by.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, z: Tensor) -> Tensor:
        """Return ``(z - mean) * scale``."""
        return (z - self.mean) * self.scale


def resolve_encoder(value: Any, dtype: Any) -> nn.Module | None:
    """Return a frozen copy of a fitted backbone.

    Parameters
    ----------
    value : None, nn.Module, or fitted estimator
        None stands for given features; an estimator has ``module_``, whose
        backbone is taken.
    dtype : numpy.dtype
        Type in which features will be computed.

    Returns
    -------
    nn.Module or None
        In evaluation mode, on the CPU; None for given features.

    Raises
    ------
    ValueError
        If ``value`` is an estimator that is not fitted.
    TypeError
        If it is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from sklearn_ddcl.engine import resolve_encoder
    >>> resolve_encoder(nn.Linear(3, 2), np.dtype("float64")).training
    False
    """
    if value is None:
        return None
    if not isinstance(value, nn.Module):
        if not hasattr(value, "get_params"):
            raise TypeError(
                "The 'backbone' parameter must be None, a torch.nn.Module or a fitted estimator "
                f"with module_; a name needs train_backbone=True. Got {value!r} instead."
            )
        if not hasattr(value, "module_"):
            raise ValueError(
                f"The 'backbone' parameter is {value!r}, which is not fitted, or learns no "
                "network: it has no module_. Fit it first; where the estimator is cloned, as in "
                "a search, wrap it: "
                "backbone=sklearn.frozen.FrozenEstimator(fitted), or pass fitted.module_.backbone."
            )
        value = value.module_.backbone
    if type(value) is nn.Identity:
        return None
    encoder: nn.Module = copy.deepcopy(value).cpu().to(float_type(dtype)).eval()
    return encoder.requires_grad_(False)


def stream_module(stream: Stream, encoder: nn.Module | None) -> PrototypeModel:
    """Return the network that a stream has come to so far.

    Parameters
    ----------
    stream : Stream
        With prototypes.
    encoder : nn.Module or None
        Frozen encoder.

    Returns
    -------
    PrototypeModel
        Encoder, scale of the features, prototypes; on the CPU.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     SoftmaxAssignment, StreamConfig, open_stream, stream_module, stream_temperature)
    >>> X = np.array([[0.0], [0.0], [9.0]])
    >>> stream = open_stream(StreamConfig(2, SoftmaxAssignment(), stream_temperature()), None, X)
    >>> stream.advance(X)
    >>> stream_module(stream, None).prototypes.shape
    torch.Size([2, 1])
    """
    parts = [] if encoder is None else [encoder]
    if stream.config.standardize:
        kind = float_type(stream.dtype)
        mean, scale = (
            torch.from_numpy(np.array(v)).to(kind) for v in stream.frame.standardization
        )
        parts.append(FeatureScaling(mean, scale))
    backbone = nn.Sequential(*parts) if len(parts) > 1 else (parts[0] if parts else None)
    return make_module(stream.centers, stream.temperature, backbone=backbone)


def open_stream(config: StreamConfig, encoder: nn.Module | None, X: np.ndarray) -> Stream:
    """Return a new stream for samples such as these.

    Parameters
    ----------
    config : StreamConfig
        Validated options.
    encoder : nn.Module or None
        As in `Stream`.
    X : ndarray of shape (b, ...)
        Samples, of which the first one is encoded.

    Returns
    -------
    Stream
        One that has seen nothing.

    Raises
    ------
    ValueError
        If the encoder does not take the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     SoftmaxAssignment, StreamConfig, open_stream, stream_temperature)
    >>> config = StreamConfig(2, SoftmaxAssignment(), stream_temperature())
    >>> open_stream(config, None, np.zeros((1, 3))).ready
    False
    """
    if encoder is None:
        return Stream(config, X.shape[1], X.dtype)
    width = encode_batch(encoder, X[:1], X.dtype, config.device).shape[1]
    return Stream(config, width, X.dtype, encoder)
