"""A batch of a stream: brought in, thinned, cut into pieces, described."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._stream_config import BatchResult
from sklearn_ddcl.engine._stream_frame import StreamFrame
from sklearn_ddcl.engine._stream_steps import scores_by_prototype
from sklearn_ddcl.engine._summary import thin

__all__ = ["choose_rows", "describe_batch", "load_batch", "pieces"]


def load_batch(
    rows: np.ndarray,
    weight: np.ndarray | None,
    frame: StreamFrame,
    device: torch.device,
    every: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return rows of positive weight, less the frame's origin, and their weights.

    Parameters
    ----------
    rows : ndarray of shape (b, d)
        Features.
    weight : ndarray of shape (b,) or None
        Weights; None stands for 1.
    frame : StreamFrame
        Coordinates; the first batch sets their origin.
    device : torch.device
        Where they go.
    every : bool, default=False
        Whether rows of weight 0 come too.

    Returns
    -------
    x : Tensor of shape (n, d)
        Rows, a copy.
    weight : Tensor of shape (n,)
        Weights, float64.
    """
    if weight is not None and not every:
        used = weight > 0
        rows, weight = rows[used], weight[used]
    x = frame.load(rows, device)
    if weight is None:
        weight = np.ones(x.shape[0])
    return x, frame.load_weight(weight, device)


def choose_rows(
    x: Tensor, weight: Tensor, even: bool, n_before: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return the rows of a batch that go into the summary, with the weight of all.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows.
    weight : Tensor of shape (n,)
        Weights.
    even : bool
        Whether all weights are 1.
    n_before : float
        Samples that the summary stands for.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    x : Tensor of shape (m, d)
        Rows.
    weight : Tensor of shape (m,)
        Weights of the same sum.
    """
    index = thin(x.shape[0], None if even else weight.cpu(), n_before, generator)
    if index is None:
        return x, weight
    share = weight.sum() / index.shape[0]
    return x[index.to(x.device)], share.expand(index.shape[0])


def describe_batch(
    x: Tensor, weight: Tensor, frame: StreamFrame, prototypes: Tensor
) -> BatchResult:
    """Return the nearest prototype of each row, and the inertia.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows less the frame's origin.
    weight : Tensor of shape (n,)
        Weights.
    frame : StreamFrame
        Coordinates.
    prototypes : Tensor of shape (k, d)
        Prototypes as distances are computed.

    Returns
    -------
    BatchResult
        Labels and inertia.
    """
    z = frame.scaled(x / frame.unit)
    best, labels = scores_by_prototype(z, prototypes).min(dim=0)
    squares = (best + z.square().sum(dim=1)).clamp_min_(0.0)
    inertia = float(weight.to(squares) @ squares) * frame.area * frame.weight_unit
    return BatchResult(labels.to(torch.int32).cpu().numpy(), inertia)


def pieces(rows: Tensor, weight: Tensor, length: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pieces of at most ``length`` rows, with their weights."""
    for start in range(0, rows.shape[0], length):
        yield rows[start : start + length], weight[start : start + length]
