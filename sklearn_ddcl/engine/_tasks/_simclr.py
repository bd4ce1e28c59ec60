"""SimCLR: features of two views of a sample close, with an autoencoder beside it."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn._augmentations import Augmentation
from sklearn_ddcl.nn.losses import nt_xent_loss

__all__ = ["SimCLRTask"]


class SimCLRTask(PretextTask):
    """Contrast of two random views, plus the weighted loss of another task.

    Parameters
    ----------
    augmentation : Augmentation
        Makes the views.
    projector : nn.Module
        Head on the features, used by the contrast alone.
    temperature : float
        Of the contrast, > 0.
    beside : PretextTask or None
        The other task, such as `AutoencoderTask`.
    weight : float
        Its weight.
    """

    def __init__(
        self,
        augmentation: Augmentation,
        projector: nn.Module,
        temperature: float,
        beside: PretextTask | None,
        weight: float,
    ) -> None:
        super().__init__()
        self.augmentation = augmentation
        self.projector = projector
        self.temperature = temperature
        self.beside = beside
        self.weight = weight

    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the contrast of two views of the batch, and the other task's loss."""
        views = [self.augmentation(x, generator) for _ in range(2)]
        first, second = self.projector(backbone(torch.cat(views))).chunk(2)
        contrast = nt_xent_loss(first, second, self.temperature)
        if self.beside is None:
            return contrast
        return contrast + self.weight * self.beside.loss(backbone, x, z, index, generator)
