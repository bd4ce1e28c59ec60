"""Pseudo-labels: a linear classifier on the features learns numbers that clusters gave."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn.backbones import MLP, reset_parameters

__all__ = ["PseudoLabelTask"]


class PseudoLabelTask(PretextTask):
    """Cross-entropy of a linear classifier against each row's present label.

    Parameters
    ----------
    n_rows, n_features, n_clusters : int
        Sizes n, d and k.
    generator : torch.Generator
        Source of the classifier's weights.

    Attributes
    ----------
    labels : Tensor of shape (n,), int64
        The labels.
    chance : Tensor of shape (n,), float64, on the CPU
        Chances by which rows should be drawn: equal sums for all clusters.
    """

    labels: Tensor

    def __init__(
        self, n_rows: int, n_features: int, n_clusters: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.head = MLP(n_features, n_clusters, hidden=(), generator=generator)
        self.chance = torch.ones(n_rows, dtype=torch.float64)
        labels = torch.zeros(n_rows, dtype=torch.int64)
        self.register_buffer("labels", labels, persistent=False)

    def relabel(self, labels: Tensor, weight: Tensor | None, generator: torch.Generator) -> None:
        """Take new labels, and forget what the classifier knew of the old numbers.

        Parameters
        ----------
        labels : Tensor of shape (n,), int64, on the CPU
            New labels.
        weight : Tensor of shape (n,) or None
            Positive weights, by which rows of one cluster are drawn.
        generator : torch.Generator
            Source of the classifier's new weights.
        """
        mass = torch.bincount(labels, weight)
        share = torch.ones(len(labels)) if weight is None else weight
        self.chance.copy_(share.double() / mass.double()[labels])
        self.labels.copy_(labels)
        reset_parameters(self.head, generator)

    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the mean cross-entropy of the batch, in nats."""
        return nn.functional.cross_entropy(self.head(z), self.labels[index])
