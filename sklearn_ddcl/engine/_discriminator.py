"""The discriminator: what tells features drawn from the mixture from encoded ones."""

from collections.abc import Sequence

import torch
from torch import nn

from sklearn_ddcl.nn._checks import check_count, check_flag, check_real
from sklearn_ddcl.nn.backbones import MLP
from sklearn_ddcl.nn.options import Options

__all__ = ["Discriminator"]


class Discriminator(Options):
    """The network against which an encoder is trained, and what keeps the game stable.

    Parameters
    ----------
    hidden : sequence of int, default=(128, 128)
        Widths of the hidden layers.
    learning_rate : float, default=1e-3
        Its own rate (Adam with betas 0.5 and 0.99), > 0.
    label_smoothing : float, default=0.1
        Drawn features have the target 1 minus this; in [0, 0.5].
    instance_noise : float, default=0.0
        Standard deviation >= 0 of noise added to all features it sees, in
        units of the features' own.
    spectral_norm : bool, default=False
        Whether each layer is divided by its largest singular value.
    width : float, default=0.25
        Components are drawn with their standard deviations times this, > 0:
        below 1 the encoder is asked for denser clusters than it has.

    Examples
    --------
    >>> from sklearn_ddcl.options import Discriminator
    >>> Discriminator(spectral_norm=True).label_smoothing
    0.1
    """

    def __init__(
        self,
        hidden: Sequence[int] = (128, 128),
        learning_rate: float = 1e-3,
        label_smoothing: float = 0.1,
        instance_noise: float = 0.0,
        spectral_norm: bool = False,
        width: float = 0.25,
    ) -> None:
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.label_smoothing = label_smoothing
        self.instance_noise = instance_noise
        self.spectral_norm = spectral_norm
        self.width = width

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If one has a wrong type or lies out of its range.
        """
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Sequence):
            raise ValueError(f"hidden must be a sequence of widths, got {self.hidden!r}.")
        for size in self.hidden:
            check_count("hidden", size)
        check_real("learning_rate", self.learning_rate, above=0.0)
        check_real("label_smoothing", self.label_smoothing, at_least=0.0, at_most=0.5)
        check_real("instance_noise", self.instance_noise, at_least=0.0)
        check_real("width", self.width, above=0.0)
        check_flag("spectral_norm", self.spectral_norm)

    def build(self, n_features: int, generator: torch.Generator) -> nn.Module:
        """Make the network.

        Parameters
        ----------
        n_features : int
            Width d of the features.
        generator : torch.Generator
            Source of the first weights.

        Returns
        -------
        nn.Module
            Scores (n, 1) from features (n, d).
        """
        network = MLP(n_features, 1, self.hidden, activation=_leaky, generator=generator)
        if self.spectral_norm:
            # the first singular vectors are drawn from torch's own generator
            with torch.random.fork_rng(devices=[]):
                # not torch.manual_seed, which would seed CUDA's generators too
                seed = int(torch.randint(2**31 - 1, (), generator=generator))
                torch.default_generator.manual_seed(seed)
                for layer in list(network.layers):
                    if isinstance(layer, nn.Linear):
                        nn.utils.parametrizations.spectral_norm(layer)
        return network


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)
