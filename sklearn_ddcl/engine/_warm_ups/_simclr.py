"""SimCLR, with an autoencoder beside it, as a warm-up."""

import torch

from sklearn_ddcl.engine._backbones import Prepared
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._tasks import SimCLRTask
from sklearn_ddcl.engine._warm_ups._autoencoding import make_autoencoder, spread
from sklearn_ddcl.engine._warm_ups._base import WarmUp
from sklearn_ddcl.nn._augmentations import Augmentation, GaussianNoise
from sklearn_ddcl.nn._checks import check_real
from sklearn_ddcl.nn.backbones import MLP

__all__ = ["SimCLR"]


class SimCLR(WarmUp):
    """Contrast of two views of each sample, with an autoencoder beside it ("simclr").

    The warm-up of the DDCL paper's Block 5; the contrast is that of [1]_.

    Parameters
    ----------
    augmentation : Augmentation or None, default=None
        Makes the views, of the principal components with ``backbone="mlp"`` and
        of the samples else; None adds normal noise of half a standard deviation.
    temperature : float, default=0.5
        Of the contrast, > 0.
    autoencoder_weight : float, default=1.0
        Weight of the autoencoder, >= 0; 0 leaves it out.
    n_steps : int or None, default=None
        Steps; None as in `NeighborContrast`.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=1e-3
        Largest rate of Adam.

    References
    ----------
    .. [1] T. Chen, S. Kornblith, M. Norouzi and G. Hinton, "A simple framework
       for contrastive learning of visual representations", ICML (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.options import SimCLR
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> SimCLR(n_steps=5).fit(X).fitted
    True
    """

    searches_neighbors = False

    def __init__(
        self,
        augmentation: Augmentation | None = None,
        temperature: float = 0.5,
        autoencoder_weight: float = 1.0,
        n_steps: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
    ) -> None:
        self.augmentation = augmentation
        self.temperature = temperature
        self.autoencoder_weight = autoencoder_weight
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def validate(self) -> None:
        """Check the options, those of the augmentation among them."""
        super().validate()
        check_real("temperature", self.temperature, above=0.0)
        check_real("autoencoder_weight", self.autoencoder_weight, at_least=0.0)
        if self.augmentation is not None:
            views = self.augmentation
            if isinstance(views, type) or not isinstance(views, Augmentation):
                raise ValueError(
                    "augmentation must be None or an object such as GaussianNoise(), "
                    f"got {self.augmentation!r}."
                )
            self.augmentation.validate()

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task with a fresh projection head, and a decoder if it has a weight."""
        views = self.augmentation
        if views is None:
            views = GaussianNoise(scale=0.5 * spread(prepared.inputs))
        beside = make_autoencoder(prepared, width, generator) if self.autoencoder_weight else None
        projector = MLP(width, width, hidden=(2 * width,), generator=generator)
        return SimCLRTask(views, projector, self.temperature, beside, self.autoencoder_weight)
