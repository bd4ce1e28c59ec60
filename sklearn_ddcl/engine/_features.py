"""Features of new samples: numpy in, numpy out, the fitted backbone left as it is."""

import contextlib
import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor, nn

from sklearn_ddcl.engine._encoding import check_features
from sklearn_ddcl.engine._runtime import float_type, resolve_device

__all__ = ["encode_rows"]

_MOST_ROWS = 4096
# Input values of a block: a network's layers hold tens of times as many.
_CPU_VALUES, _DEVICE_VALUES = 2**20, 2**22


def encode_rows(backbone: nn.Module, data: Any, dtype: Any, device: str = "auto") -> np.ndarray:
    """Return the features of all rows, block by block, in evaluation mode.

    Parameters
    ----------
    backbone : nn.Module
        Features (rows, d) from inputs (rows, ...), with weights of ``dtype``.
        Another device gets a copy; the module itself is left as it is.
    data : ndarray of shape (n, ...) or CSR array of shape (n, n_features)
        Finite rows, float32 or float64; the backbone sees copies, sparse rows
        made dense.
    dtype : dtype
        The model's type, in which is computed whatever the type of ``data``.
    device : str, default="auto"
        Device name or "auto".

    Returns
    -------
    ndarray of shape (n, d)
        Finite features of type ``dtype``. They are the same in every call,
        and do not depend on the other rows beyond rounding, unless the
        backbone draws or mixes rows even in evaluation mode. Global
        generators are not seeded for it: threads may predict at once.

    Raises
    ------
    ValueError
        If the backbone does not return one feature vector a row, or a value
        leaves the range of ``dtype``.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> encode_rows(nn.Flatten(), np.ones((5, 2, 2)), np.float64).shape
    (5, 4)
    """
    kind = np.dtype(dtype)
    tensor_type = float_type(kind)
    place = resolve_device(device, tensor_type)
    n_rows, width = data.shape[0], math.prod(data.shape[1:])
    values = _CPU_VALUES if place.type == "cpu" else _DEVICE_VALUES
    step = max(1, min(_MOST_ROWS, values // max(width, 1)))
    features: np.ndarray | None = None
    with _evaluating(backbone, place) as network:
        for start in range(0, n_rows, step):
            rows = slice(start, min(start + step, n_rows))
            x = _tensor(data[rows], tensor_type, rows).to(place)
            z = check_features(network(x), x.shape[0])
            if not bool(torch.isfinite(z).all()):
                raise ValueError(
                    f"The features of rows {start} to {rows.stop - 1} are not finite: X has "
                    "values too large for the backbone, or its weights are not finite. Scale X "
                    "as the training data were."
                )
            if features is None:
                features = np.empty((n_rows, z.shape[1]), dtype=kind)
            if z.shape[1] != features.shape[1]:
                raise ValueError(
                    f"backbone must return as many features for all rows, got {z.shape[1]} for "
                    f"rows {start} to {rows.stop - 1} after {features.shape[1]}."
                )
            features[rows] = z.to(tensor_type).cpu().numpy()
    if features is None:
        raise ValueError("X must have at least one row, got none.")
    return features


@contextlib.contextmanager
def _evaluating(backbone: nn.Module, device: torch.device) -> Iterator[nn.Module]:
    """Lend the backbone, or a copy on another device, in evaluation mode."""
    tensors = [*backbone.parameters(), *backbone.buffers()]
    if any(tensor.device != device for tensor in tensors):
        # the comparison fails for "cuda" against "cuda:0" only, and then costs a copy
        backbone = copy.deepcopy(backbone).to(device)
    training = [module for module in backbone.modules() if module.training]
    for module in training:
        module.training = False
    try:
        with torch.inference_mode(), _exact_products(device):
            yield backbone
    finally:
        for module in training:
            module.training = True


def _exact_products(device: torch.device) -> Any:
    """Keep cuDNN from rounding float32 to ten bits and from choosing algorithms by a race."""
    if device.type != "cuda":
        return contextlib.nullcontext()
    return torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )


def _tensor(part: Any, dtype: torch.dtype, rows: slice) -> Tensor:
    """Copy rows: the first layer may work in place, and torch has no read-only tensors."""
    dense = part.toarray() if issparse(part) else np.array(part, order="C")
    x = torch.from_numpy(dense)
    if x.dtype == dtype:
        return x
    x = x.to(dtype)
    if not bool(torch.isfinite(x).all()):
        raise ValueError(
            f"X has values in rows {rows.start} to {rows.stop - 1} beyond the range of "
            f"{str(dtype)[6:]}, the type of the fitted model. Scale X as the training data were."
        )
    return x
