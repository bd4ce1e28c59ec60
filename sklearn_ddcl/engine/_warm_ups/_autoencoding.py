"""Autoencoder as a warm-up."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.engine._backbones import Prepared
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._tasks import AutoencoderTask
from sklearn_ddcl.engine._warm_ups._base import WarmUp
from sklearn_ddcl.nn.backbones import make_decoder

__all__ = ["Autoencoding", "make_autoencoder", "spread"]


class Autoencoding(WarmUp):
    """Reconstruction of the samples ("autoencoder").

    Parameters
    ----------
    n_steps : int or None, default=None
        Steps; None as in `NeighborContrast`.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=1e-3
        Largest rate of Adam.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.options import Autoencoding
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> len(Autoencoding(n_steps=5).fit(X).history_)
    5
    """

    searches_neighbors = False

    def __init__(
        self, n_steps: int | None = None, batch_size: int = 256, learning_rate: float = 1e-3
    ) -> None:
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task with a fresh decoder."""
        return make_autoencoder(prepared, width, generator)


def make_autoencoder(
    prepared: Prepared, width: int, generator: torch.Generator
) -> AutoencoderTask:
    """Return the task with a fresh decoder.

    Parameters
    ----------
    prepared : Prepared
        Backbone and rows.
    width : int
        Number of features.
    generator : torch.Generator
        Source of the decoder's first weights.

    Returns
    -------
    AutoencoderTask
        The task.
    """
    values = math.prod(prepared.inputs.shape[1:])
    decoder = make_decoder(prepared.body, width, values, generator)
    return AutoencoderTask(decoder, spread(prepared.inputs) ** 2)


def spread(inputs: Tensor) -> float:
    """Return the root mean variance of the values of a sample; 1 where all are equal.

    Parameters
    ----------
    inputs : Tensor of shape (n, ...)
        Samples.

    Returns
    -------
    float
        A scale > 0.
    """
    return float(inputs.flatten(1).var(dim=0, correction=0).mean().sqrt()) or 1.0
