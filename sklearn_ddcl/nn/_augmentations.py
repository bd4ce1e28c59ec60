"""Random views of samples, for contrastive losses."""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_choice, check_count, check_real, check_samples
from sklearn_ddcl.nn._images import Layout, image_size, to_nchw
from sklearn_ddcl.nn.options import Options

__all__ = ["Augmentation", "Compose", "FeatureMasking", "GaussianNoise", "RandomShift"]


@runtime_checkable
class Augmentation(Protocol):
    """What an augmentation offers."""

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return a view of the samples (n, ...), of the same shape."""
        ...

    def validate(self) -> None:
        """Raise ValueError if a parameter's value is not allowed."""
        ...


class GaussianNoise(Options):
    """Add normal noise to every value.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation >= 0 of the noise, in units of the samples.

    Examples
    --------
    >>> import torch
    >>> x = torch.zeros(5, 2)
    >>> GaussianNoise(scale=0.5)(x, torch.Generator().manual_seed(0)).shape
    torch.Size([5, 2])
    """

    def __init__(self, scale: float = 0.1) -> None:
        self.scale = scale

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If ``scale`` is negative.
        """
        check_real("scale", self.scale, at_least=0.0)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return noisy samples."""
        self.validate()
        check_samples("x", x)
        noise = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype)
        return torch.add(x, noise.to(x.device), alpha=self.scale)


class FeatureMasking(Options):
    """Set random values to zero: to the mean, where features are standardised.

    Parameters
    ----------
    rate : float, default=0.2
        Probability of each value to be set to zero, in [0, 1].

    Examples
    --------
    >>> import torch
    >>> FeatureMasking(rate=1.0)(torch.ones(1, 3), torch.Generator())
    tensor([[0., 0., 0.]])
    """

    def __init__(self, rate: float = 0.2) -> None:
        self.rate = rate

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If ``rate`` does not lie in [0, 1].
        """
        check_real("rate", self.rate, at_least=0.0, at_most=1.0)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return samples with some values set to zero."""
        self.validate()
        check_samples("x", x)
        drawn = torch.rand(x.shape, generator=generator, device=generator.device)
        return x.masked_fill((drawn < self.rate).to(x.device), 0.0)


class RandomShift(Options):
    """Move each image by a random number of pixels along both axes.

    The nearest border pixel fills what comes into sight, so that no value for
    the background has to be known.

    Parameters
    ----------
    pixels : int, default=2
        Largest shift >= 0 along each axis.
    image_shape : sequence of int, optional
        Shape of an image, for samples that are flat; see :func:`to_nchw`.
        Without it that of the samples; of more than three axes the last two
        are height and width.
    layout : {"auto", "nchw", "nhwc"}, default="auto"
        Whether channels come first or last in the shape of an image; "auto"
        as in :class:`ConvNet`.

    Examples
    --------
    >>> import torch
    >>> shift = RandomShift(pixels=1, image_shape=(8, 8))
    >>> shift(torch.zeros(5, 64), torch.Generator()).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        pixels: int = 2,
        image_shape: Sequence[int] | None = None,
        layout: Layout = "auto",
    ) -> None:
        self.pixels = pixels
        self.image_shape = image_shape
        self.layout: Layout = layout

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If ``pixels`` is not an integer >= 0, or ``image_shape`` or
            ``layout`` is invalid.
        """
        check_count("pixels", self.pixels, at_least=0)
        check_choice("layout", self.layout, ("auto", "nchw", "nhwc"))
        if self.image_shape is not None:
            image_size(self.image_shape, self.layout)

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return shifted images, in the shape of ``x``."""
        self.validate()
        check_samples("x", x)
        shape = x.shape[1:] if self.image_shape is None else self.image_shape
        if len(shape) > 3:
            return _shift(x, self.pixels, generator)
        if len(shape) < 2:
            raise ValueError(
                "x must have shape (n, ..., height, width) where image_shape is None, got "
                f"{tuple(x.shape)}."
            )
        moved = _shift(to_nchw(x, shape, self.layout), self.pixels, generator)
        view = torch.empty_like(x, memory_format=torch.contiguous_format)
        to_nchw(view, shape, self.layout).copy_(moved)
        return view


class Compose(Options):
    """Several augmentations, one after the other.

    Parameters
    ----------
    steps : sequence of augmentations, default=()
        What to apply; none returns the samples.

    Examples
    --------
    >>> import torch
    >>> augment = Compose([GaussianNoise(0.1), FeatureMasking(0.2)])
    >>> augment(torch.zeros(5, 2), torch.Generator().manual_seed(0)).shape
    torch.Size([5, 2])
    """

    def __init__(self, steps: Sequence[Augmentation] = ()) -> None:
        self.steps = steps

    def validate(self) -> None:
        """Check every step.

        Raises
        ------
        ValueError
            If a step is no augmentation, or one of its parameters is invalid.
        """
        if not isinstance(self.steps, Sequence):
            raise ValueError(f"steps must be a sequence of augmentations, got {self.steps!r}.")
        for number, step in enumerate(self.steps):
            if isinstance(step, type) or not isinstance(step, Augmentation):
                raise ValueError(f"steps[{number}] must be an augmentation, got {step!r}.")
            step.validate()

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return samples after all steps."""
        self.validate()
        for step in self.steps:
            x = step(x, generator)
        return x


def _shift(x: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Shift the last two axes of each sample by its own offsets."""
    n, height, width = x.shape[0], x.shape[-2], x.shape[-1]
    images = x.reshape(n, math.prod(x.shape[1:-2]), height, width)
    offsets = torch.randint(
        -pixels, pixels + 1, (2, n, 1), generator=generator, device=generator.device
    ).to(x.device)
    rows = (torch.arange(height, device=x.device) + offsets[0]).clamp_(0, height - 1)
    columns = (torch.arange(width, device=x.device) + offsets[1]).clamp_(0, width - 1)
    sample = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=x.device)[:, None, None]
    moved = images[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]
    return moved.reshape(x.shape)
