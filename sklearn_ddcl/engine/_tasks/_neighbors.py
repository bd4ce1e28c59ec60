"""Neighbour contrast: features of neighbours close, of all other rows apart."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn.losses import neighbor_contrast_loss

__all__ = ["NeighborTask"]


class NeighborTask(PretextTask):
    """Heavy-tailed contrast of each row with one of its neighbours.

    Parameters
    ----------
    inputs : Tensor of shape (n, ...)
        All rows, as the backbone takes them.
    graph : Tensor of shape (n, k), int64
        Their neighbours.

    Notes
    -----
    The other rows' neighbours in the batch are a row's negatives, and the other
    rows those of its neighbour. The similarity
    1 / (1 + r^2) repels far rows too weakly to tear clusters apart, which
    similarities on the sphere do.
    """

    inputs: Tensor
    graph: Tensor

    def __init__(self, inputs: Tensor, graph: Tensor) -> None:
        super().__init__()
        self.register_buffer("inputs", inputs, persistent=False)
        self.register_buffer("graph", graph, persistent=False)

    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the contrast of the batch with one drawn neighbour each."""
        drawn = torch.randint(self.graph.shape[1], (len(index),), generator=generator)
        positive = self.graph[index, drawn.to(index.device)]
        near = backbone(self.inputs[positive])
        return neighbor_contrast_loss(z, near, symmetric=True)
