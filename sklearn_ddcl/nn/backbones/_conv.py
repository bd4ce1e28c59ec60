"""Small convolutional network for small images."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_count, check_samples
from sklearn_ddcl.nn._images import Layout, image_size, to_nchw
from sklearn_ddcl.nn.backbones._init import reset_parameters

__all__ = ["ConvNet"]


class ConvNet(nn.Module):
    """Convolutions that halve the image, then two linear layers.

    Each convolution is 3 x 3 with stride 2 and a ReLU. Nothing depends on the
    other samples of a batch, so that a sample's features don't either.

    Parameters
    ----------
    image_shape : sequence of int
        (height, width) for one channel, (channels, height, width) or
        (height, width, channels).
    n_outputs : int, default=10
        Width d of the features that come out.
    channels : sequence of int, default=(32, 64)
        Channels after each convolution.
    hidden : int, default=128
        Width of the hidden linear layer.
    layout : {"auto", "nchw", "nhwc"}, default="auto"
        Whether channels come first or last in ``image_shape``. "auto" takes
        the smaller of its first and last entry for the channels, and the
        first if they are equal.
    generator : torch.Generator, optional
        Source of the first weights; a fixed seed if left out.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    layers : Sequential
        The layers.

    Raises
    ------
    ValueError
        If a size is not a positive integer, ``channels`` is empty or
        ``layout`` is unknown.

    Examples
    --------
    >>> import torch
    >>> ConvNet((28, 28), n_outputs=3)(torch.zeros(5, 784)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_outputs: int = 10,
        channels: Sequence[int] = (32, 64),
        hidden: int = 128,
        layout: Layout = "auto",
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        size = image_size(image_shape, layout)
        if not isinstance(channels, Sequence) or not channels:
            raise ValueError(f"channels must be a sequence of integers, got {channels!r}.")
        for name, count in [
            ("n_outputs", n_outputs),
            ("hidden", hidden),
            *((f"channels[{i}]", count) for i, count in enumerate(channels)),
        ]:
            check_count(name, count)
        self.image_shape = tuple(image_shape)
        self.n_outputs = n_outputs
        self.layout: Layout = layout
        height, width = size.height, size.width
        self.layers = nn.Sequential()
        # Without memory first: torch would fill the weights from the global random state.
        with torch.device("meta"):
            for inputs, outputs in itertools.pairwise([size.channels, *channels]):
                self.layers.append(nn.Conv2d(inputs, outputs, 3, 2, padding=1, dtype=dtype))
                self.layers.append(nn.ReLU(inplace=True))
                height, width = math.ceil(height / 2), math.ceil(width / 2)
            self.layers.append(nn.Flatten())
            self.layers.append(nn.Linear(channels[-1] * height * width, hidden, dtype=dtype))
            self.layers.append(nn.ReLU(inplace=True))
            self.layers.append(nn.Linear(hidden, n_outputs, dtype=dtype))
        self.layers.to_empty(device="cpu")
        reset_parameters(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map images to features.

        Parameters
        ----------
        x : Tensor
            Images in a shape that :func:`to_nchw` takes: with channels first
            or last, without channel if there is one, or flat.

        Returns
        -------
        Tensor of shape (n, n_outputs)
            Features.

        Raises
        ------
        ValueError
            If ``x`` has another shape or no floating point type.
        """
        check_samples("x", x)
        features: Tensor = self.layers(to_nchw(x, self.image_shape, self.layout))
        return features
