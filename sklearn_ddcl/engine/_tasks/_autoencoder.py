"""Autoencoder: features from which the samples can be made again."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn.losses import reconstruction_loss

__all__ = ["AutoencoderTask"]


class AutoencoderTask(PretextTask):
    """Reconstruction of the samples.

    Parameters
    ----------
    decoder : nn.Module
        Samples, flattened, from features.
    scale : float
        Mean variance > 0 of a value of the samples: the loss is 1 for
        features that say nothing.
    """

    def __init__(self, decoder: nn.Module, scale: float) -> None:
        super().__init__()
        self.decoder = decoder
        self.scale = scale

    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the mean squared error of the batch, relative to its variance."""
        return reconstruction_loss(x.flatten(1), self.decoder(z)) / self.scale
