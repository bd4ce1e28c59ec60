"""Where the channels of an image stand, and how samples become batches of images."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from torch import Tensor

from sklearn_ddcl.nn._checks import check_choice, check_count

__all__ = ["ImageSize", "Layout", "image_size", "to_nchw"]

Layout = Literal["auto", "nchw", "nhwc"]

_LAYOUTS = ("auto", "nchw", "nhwc")


class ImageSize(NamedTuple):
    """Size of an image, and whether its channels come first.

    Attributes
    ----------
    channels, height, width : int
        The size.
    channels_first : bool
        Whether samples have shape (channels, height, width); otherwise it is
        (height, width, channels).
    """

    channels: int
    height: int
    width: int
    channels_first: bool


def image_size(image_shape: Sequence[int], layout: Layout = "auto") -> ImageSize:
    """Read the shape of an image.

    Parameters
    ----------
    image_shape : sequence of int
        (height, width) for one channel, (channels, height, width) or
        (height, width, channels).
    layout : {"auto", "nchw", "nhwc"}, default="auto"
        Whether channels come first or last. "auto" takes the smaller of the
        first and the last entry for the channels, and the first if they are
        equal.

    Returns
    -------
    ImageSize
        Channels, height, width, and where the channels stand.

    Raises
    ------
    ValueError
        If ``image_shape`` does not have two or three positive integers, or
        ``layout`` is unknown.

    Examples
    --------
    >>> image_size((32, 32, 3))
    ImageSize(channels=3, height=32, width=32, channels_first=False)
    """
    check_choice("layout", layout, _LAYOUTS)
    if not isinstance(image_shape, Sequence) or len(image_shape) not in (2, 3):
        raise ValueError(
            "image_shape must be (height, width), (channels, height, width) or "
            f"(height, width, channels), got {image_shape!r}."
        )
    for number, size in enumerate(image_shape):
        check_count(f"image_shape[{number}]", size)
    if len(image_shape) == 2:
        return ImageSize(1, image_shape[0], image_shape[1], layout != "nhwc")
    first, middle, last = image_shape
    if layout == "nchw" or (layout == "auto" and first <= last):
        return ImageSize(first, middle, last, True)
    return ImageSize(last, first, middle, False)


def to_nchw(x: Tensor, image_shape: Sequence[int], layout: Layout = "auto") -> Tensor:
    """Turn samples into a batch of images with the channels first.

    Parameters
    ----------
    x : Tensor
        Samples of shape (n, channels, height, width) or (n, height, width,
        channels), (n, height, width) if there is one channel, or flat ones of
        shape (n, channels * height * width) in the order of ``image_shape``.
        Where a shape fits both ways, that of ``image_shape`` is meant.
    image_shape : sequence of int
        As for :class:`ConvNet`: (height, width), (channels, height, width) or
        (height, width, channels).
    layout : {"auto", "nchw", "nhwc"}, default="auto"
        Whether channels come first or last in ``image_shape``. "auto" takes
        the smaller of its first and last entry for the channels, and the
        first if they are equal.

    Returns
    -------
    Tensor of shape (n, channels, height, width)
        The images; they share the memory of a contiguous ``x``.

    Raises
    ------
    ValueError
        If ``x`` has another shape, ``image_shape`` does not have two or three
        positive integers, or ``layout`` is unknown.

    Examples
    --------
    >>> import torch
    >>> to_nchw(torch.zeros(5, 32, 32, 3), (32, 32, 3)).shape
    torch.Size([5, 3, 32, 32])
    """
    channels, height, width, channels_first = image_size(image_shape, layout)
    if not isinstance(x, Tensor):
        raise ValueError(f"x must be a tensor, got {type(x).__name__}.")
    first, last = (channels, height, width), (height, width, channels)
    n, sample = x.shape[:1], tuple(x.shape[1:])
    if sample == (channels * height * width,) or (channels == 1 and sample == (height, width)):
        sample = first if channels_first else last
        x = x.reshape(n + sample)
    if sample == last and not (channels_first and sample == first):
        return x.permute(0, 3, 1, 2)
    if sample == first:
        return x
    allowed = [("n", *first), ("n", *last), ("n", channels * height * width)]
    allowed += [("n", height, width)] * (channels == 1)
    shown = ", ".join(f"({', '.join(map(str, shape))})" for shape in dict.fromkeys(allowed))
    raise ValueError(f"x must have one of the shapes {shown}, got {tuple(x.shape)}.")
