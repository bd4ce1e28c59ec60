"""What draws features to the latent mixture: a discriminator, or a closed form."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._discriminator import Discriminator
from sklearn_ddcl.engine._mixture import Mixture
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.losses import (
    adversarial_encoder_loss,
    discriminator_loss,
    gaussian_divergences,
    gaussian_mixture_loss,
    jensen_shannon_estimate,
    nearest_center_loss,
)

__all__ = ["LATENT_TERMS", "LatentTerm"]

KEYS = ("loss_latent", "loss_discriminator", "js_divergence", "discriminator_accuracy")


_FLOOR = 1e-6  # of a component's variance beside that of all features


class LatentTerm(ABC):
    """A loss of features under the mixture, in units that are the same on all data sets.

    Parameters
    ----------
    n_features : int
        Width d of the features.
    options : Discriminator
        Its options, for those that have one.
    generator : torch.Generator
        Source of weights, draws and noise, on the CPU.
    device : torch.device
        Where features are.

    Attributes
    ----------
    network : nn.Module or None
        The discriminator, trained on its own loss.
    """

    network: nn.Module | None = None

    def __init__(
        self,
        n_features: int,
        options: Discriminator,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        self.options, self.generator, self.device = options, generator, device
        self.seen: list[Tensor] = []

    def update(self, mixture: Mixture) -> None:
        """Take another mixture; features are seen relative to its mean and deviation."""
        shift = mixture.weights @ mixture.means
        spread = mixture.weights @ (mixture.variances + np.square(mixture.means - shift))
        unit = float(np.sqrt(spread.mean()))
        unit = unit if unit > float(np.finfo(np.float32).tiny) else 1.0  # constant features
        parts = (shift, mixture.means, mixture.variances, mixture.weights)
        tensors = [torch.from_numpy(part.astype(np.float32)) for part in parts]
        self.shift, centers, variances = (part.to(self.device) for part in tensors[:3])
        self.unit, self.shares = unit, tensors[3]
        self.centers = (centers - self.shift) / unit
        self.variances = (variances / unit**2).clamp_min(_FLOOR)

    def __call__(self, z: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, the discriminator's own included."""
        loss, seen = self.loss((z - self.shift.to(z)) / self.unit, weight)
        self.seen.append(seen.detach())
        return loss

    @abstractmethod
    def loss(self, u: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the loss of standardised features and, as a vector, what `KEYS` name."""

    def summary(self) -> dict[str, float]:
        """Return the means over the steps since the last call."""
        means = torch.stack(self.seen).mean(dim=0).tolist()
        self.seen = []
        return dict(zip(KEYS, means, strict=True))


class EuclideanTerm(LatentTerm):
    """The loss of ABC, relative to the features' variance."""

    def loss(self, u: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the mean squared distance to the nearest centre."""
        value = nearest_center_loss(u, self.centers, weight) / u.shape[1]
        return value, _alone(value)


class DivergenceTerm(LatentTerm):
    """The probabilistic loss: KL of a sample's Gaussian from its component, per feature.

    The encoder gives no variances: those of all samples are the mixture's mean,
    which shifts the loss and leaves its gradient.
    """

    def loss(self, u: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the mean divergence from the component with the nearest centre."""
        own = (self.shares.to(u) @ self.variances).expand_as(u)
        divergences = gaussian_divergences(u, own, self.centers, self.variances)
        labels = squared_distances(u.detach(), self.centers).argmin(dim=1)
        value = gaussian_mixture_loss(divergences, labels, weight) / u.shape[1]
        return value, _alone(value)


class AdversarialTerm(LatentTerm):
    """The adversarial loss: features shall pass as draws from the mixture."""

    def __init__(
        self,
        n_features: int,
        options: Discriminator,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        super().__init__(n_features, options, generator, device)
        self.network = options.build(n_features, generator).to(device)
        self.judge: nn.Module = self.network

    def loss(self, u: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the encoder's loss plus the discriminator's, of disjoint gradients."""
        drawn, seen = self._noisy(self._draw(len(u))), self._noisy(u)
        frozen = {name: value.detach() for name, value in self.judge.named_parameters()}
        passed = torch.func.functional_call(self.judge, frozen, (seen,)).squeeze(1)
        encoder = adversarial_encoder_loss(passed, weight)
        scores = self.judge(torch.cat([drawn, seen.detach()])).squeeze(1)
        first, second = scores[: len(drawn)], scores[len(drawn) :]
        own = discriminator_loss(first, second, weight, self.options.label_smoothing)
        divergence = jensen_shannon_estimate(first.detach(), second.detach(), weight)
        right = 0.5 * ((first > 0).to(u).mean() + (second < 0).to(u).mean())
        return encoder + own, torch.stack([encoder, own, divergence, right])

    def _draw(self, count: int) -> Tensor:
        chosen = torch.multinomial(self.shares, count, True, generator=self.generator)
        chosen = chosen.to(self.device)
        deviations = self.options.width * self.variances[chosen].sqrt()
        return self.centers[chosen] + deviations * self._normal(deviations)

    def _noisy(self, u: Tensor) -> Tensor:
        noise = self.options.instance_noise
        return u + noise * self._normal(u) if noise else u

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator).to(like)


def _alone(value: Tensor) -> Tensor:
    """Return what is recorded of a loss without discriminator."""
    return torch.stack([value.detach(), *value.new_full((3,), float("nan"))])


LATENT_TERMS: dict[str, Callable[..., LatentTerm]] = {
    "adversarial": AdversarialTerm,
    "euclidean": EuclideanTerm,
    "kl": DivergenceTerm,
}
