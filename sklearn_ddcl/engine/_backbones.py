"""Backbones from what the user gives: a name, a class or function, or a module."""

import contextlib
import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._projection import Projection, principal_projection, project_rows
from sklearn_ddcl.engine._runtime import local_randomness
from sklearn_ddcl.nn.backbones import MLP, ConvNet, reset_parameters

__all__ = [
    "BACKBONES",
    "BEYOND_FLOAT32",
    "Prepared",
    "assemble",
    "prepare_backbone",
    "reuse_backbone",
]

BEYOND_FLOAT32 = (
    "X has values beyond the range of float32, in which backbones are trained. Scale X."
)
_ROUNDING = 8 * float(np.finfo(float).eps)  # relative deviation of equal values from their mean


class Prepared(NamedTuple):
    """A backbone in two parts, and the rows as its trained part takes them.

    Attributes
    ----------
    head : nn.Module or None
        Frozen first part in float64, applied once before training.
    body : nn.Module
        What is trained.
    inputs : Tensor of shape (n, ...)
        Rows after the head, float32.
    components : Tensor of shape (n, c) or None
        Principal components of the rows, float32, among which neighbours are
        searched; None where nobody will.
    """

    head: nn.Module | None
    body: nn.Module
    inputs: Tensor
    components: Tensor | None


class Standardize(nn.Module):
    """Frozen common shift and scale of all values.

    Parameters
    ----------
    mean : float
        Mean of all values.
    scale : float
        Standard deviation of all values, > 0.
    """

    def __init__(self, mean: float, scale: float) -> None:
        super().__init__()
        self.mean, self.scale = mean, scale

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(x - mean) / scale``."""
        return (x - self.mean) / self.scale


def prepare_backbone(
    backbone: Any,
    data: Any,
    weight: np.ndarray | None,
    generator: torch.Generator,
    neighbors: bool = True,
) -> Prepared:
    """Make the backbone for the data and bring the data to it.

    Parameters
    ----------
    backbone : {"mlp", "cnn"}, nn.Module, or callable
        A name; a module, of which a copy is trained; or a class or function
        that makes a module from the shape of a sample: the number of features
        for tables, else the trailing dimensions of ``data``.
    data : ndarray or CSR array of shape (n, ...)
        Samples.
    weight : ndarray of shape (n,) or None
        Sample weights.
    generator : torch.Generator
        Source of the first weights of named backbones and of classes.
    neighbors : bool, default=True
        Whether neighbours will be searched, for which principal components are
        needed.

    Returns
    -------
    Prepared
        Head, body and rows.

    Raises
    ------
    ValueError
        If images are asked for and the data are none, samples leave the range
        of float32, or a module does not take samples of this shape.
    TypeError
        If a callable makes no module.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine import prepare_backbone
    >>> data = np.arange(12.0).reshape(6, 2)
    >>> prepare_backbone("mlp", data, None, torch.Generator()).inputs.shape
    torch.Size([6, 2])
    """
    if not (callable(backbone) or (isinstance(backbone, str) and backbone in BACKBONES)):
        raise ValueError(
            f"The 'backbone' parameter must be one of {sorted(BACKBONES)}, a module, or a class "
            f"or function that makes one. Got {backbone!r} instead."
        )
    projection = components = None
    if neighbors or backbone in _ON_COMPONENTS:
        projection = principal_projection(data, generator, weight)
        components = project_rows(data, projection, torch.float32)
    if isinstance(backbone, str):
        return BACKBONES[backbone](data, projection, components, generator)
    inputs = _inputs(None, data)
    return Prepared(None, _own_module(backbone, data, inputs, generator), inputs, components)


def reuse_backbone(
    held: Prepared, data: Any, generator: torch.Generator, neighbors: bool = True
) -> Prepared:
    """Bring data to a backbone that has been trained.

    Parameters
    ----------
    held : Prepared
        What was made for the data of the training; left as it is.
    data : ndarray or CSR array of shape (n, ...)
        Samples.
    generator : torch.Generator
        Source of the sketch of wide samples.
    neighbors : bool, default=True
        Whether neighbours will be searched.

    Returns
    -------
    Prepared
        The same head, a copy of the body, and the new rows; the very rows of
        the training if these are the same.

    Raises
    ------
    ValueError
        If the samples do not have the shape of those of the training.
    """
    try:
        inputs = _inputs(held.head, data)
    except RuntimeError as error:
        raise _other_shape(data) from error
    if inputs.shape[1:] != held.inputs.shape[1:]:
        raise _other_shape(data)
    fresh = held._replace(body=copy.deepcopy(held.body))
    if len(inputs) == len(held.inputs) and torch.allclose(inputs, held.inputs, atol=1e-4):
        return fresh
    components = None
    if neighbors:
        components = project_rows(data, principal_projection(data, generator), torch.float32)
    return fresh._replace(inputs=inputs, components=components)


def _other_shape(data: Any) -> ValueError:
    return ValueError(
        "A fitted 'warm_up' takes samples of the shape that it was fitted with. Got X of shape "
        f"{data.shape}: fit it again, or pass one that is not fitted."
    )


def assemble(prepared: Prepared, dtype: torch.dtype) -> nn.Module:
    """Put the parts together.

    Parameters
    ----------
    prepared : Prepared
        Head and trained body.
    dtype : torch.dtype
        Type in which features will be computed.

    Returns
    -------
    nn.Module
        Samples to features, in evaluation mode, on the CPU; a copy, so that the
        parts keep their types and can be reused.
    """
    # copies: what a warm-up keeps for other fits must stay in the type of its rows
    parts = [copy.deepcopy(p) for p in (prepared.head, prepared.body) if p is not None]
    whole = parts[0] if len(parts) == 1 else nn.Sequential(*parts)
    return whole.cpu().to(dtype).eval()


def _mlp(data: Any, projection: Projection, components: Tensor, generator: Any) -> Prepared:
    body = MLP(
        components.shape[1], hidden=(256, 128), normalization=nn.LayerNorm, generator=generator
    )
    return Prepared(projection, body, components, components)


def _cnn(data: Any, projection: Any, components: Tensor | None, generator: Any) -> Prepared:
    shape = data.shape[1:]
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        if side * side != shape[0]:
            raise ValueError(
                f"backbone='cnn' takes flat samples for square images of one channel, and "
                f"{shape[0]} features are none: pass X of shape (n, height, width, channels), or "
                "backbone=ConvNet(image_shape) of sklearn_ddcl.nn."
            )
        shape = (side, side)
    raw = _dense(data)
    unit = float(np.abs(raw).max()) or 1.0  # squares of 1e200 leave the range of float64
    spread = float(np.std(raw / unit, dtype=np.float64))
    head = Standardize(
        unit * float(np.mean(raw / unit, dtype=np.float64)),
        unit * spread if spread > _ROUNDING else 1.0,
    )
    return Prepared(head, ConvNet(shape, generator=generator), _inputs(head, data), components)


BACKBONES: dict[str, Callable[..., Prepared]] = {"cnn": _cnn, "mlp": _mlp}
_ON_COMPONENTS = ("mlp",)


def _own_module(backbone: Any, data: Any, inputs: Tensor, generator: torch.Generator) -> nn.Module:
    if isinstance(backbone, nn.Module):
        module = copy.deepcopy(backbone)
    else:
        module = _make_module(backbone, data.shape[1:])
    module.to(inputs.dtype)
    _try_module(module, inputs[:2], generator)
    if not isinstance(backbone, nn.Module):
        reset_parameters(module, generator)
    return module


def _make_module(backbone: Callable[[Any], Any], shape: tuple[int, ...]) -> nn.Module:
    argument = shape[0] if len(shape) == 1 else tuple(shape)
    try:
        with torch.random.fork_rng(devices=[]):
            module = backbone(argument)
    except TypeError as error:
        raise TypeError(
            f"The 'backbone' parameter must make a module from {argument!r}, the shape of a "
            f"sample. It failed: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise TypeError(f"The 'backbone' parameter made {module!r}, which is no torch.nn.Module.")
    return module


def _try_module(module: nn.Module, inputs: Tensor, generator: torch.Generator) -> None:
    """Pass two samples through, from which lazy layers learn their shapes."""
    lazy = any(is_lazy(parameter) for parameter in module.parameters())
    try:
        with local_randomness(generator, inputs.device) if lazy else contextlib.nullcontext():
            encode(module, inputs)
    except RuntimeError as error:
        raise ValueError(
            f"The 'backbone' failed on samples of shape {tuple(inputs.shape[1:])}, which it gets "
            f"in batches (n, ...) of {str(inputs.dtype)[6:]}: {error}"
        ) from error


def _dense(data: Any) -> np.ndarray:
    dense: np.ndarray = data.toarray() if issparse(data) else np.asarray(data)
    return dense


def _inputs(head: nn.Module | None, data: Any) -> Tensor:
    """Return the rows after the head, in float32: offsets are taken off before their digits."""
    if isinstance(head, Projection):
        return project_rows(data, head, torch.float32)
    rows = torch.from_numpy(np.array(_dense(data)))
    inputs = (rows if head is None else head(rows)).to(torch.float32)
    if not bool(torch.isfinite(inputs).all()):
        raise ValueError(BEYOND_FLOAT32)
    return inputs
