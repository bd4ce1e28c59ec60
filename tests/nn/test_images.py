import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import to_nchw
from sklearn_ddcl.nn._images import image_size

checked = settings(deadline=None, max_examples=50)


def numbered(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((5, 7), "auto", (1, 5, 7, True)),
        ((5, 7), "nhwc", (1, 5, 7, False)),
        ((3, 5, 7), "auto", (3, 5, 7, True)),
        ((5, 7, 3), "auto", (3, 5, 7, False)),
        ((3, 5, 3), "auto", (3, 5, 3, True)),
        ((3, 5, 3), "nhwc", (3, 3, 5, False)),
        ((9, 5, 7), "nchw", (9, 5, 7, True)),
        ([5, 7, 9], "nhwc", (9, 5, 7, False)),
    ],
)
def test_the_smaller_end_has_the_channels_unless_told(shape, layout, expected):
    assert image_size(shape, layout) == expected


@checked
@given(
    n=st.integers(0, 3),
    channels=st.integers(1, 4),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
    channels_first=st.booleans(),
)
def test_each_pixel_finds_its_place(n, channels, height, width, channels_first):
    if channels_first:
        shape, layout = (channels, height, width), "nchw"
        x = numbered(n, *shape)
        expected = x
    else:
        shape, layout = (height, width, channels), "nhwc"
        x = numbered(n, *shape)
        expected = torch.zeros(n, channels, height, width)
        for c in range(channels):
            expected[:, c] = x[..., c]
    for given_x in (x, x.flatten(1)):
        assert torch.equal(to_nchw(given_x, shape, layout), expected)


def test_the_other_layout_is_recognised_by_its_shape():
    x = numbered(2, 3, 5, 7)
    assert torch.equal(to_nchw(x.permute(0, 2, 3, 1), (3, 5, 7)), x)
    assert torch.equal(to_nchw(x, (5, 7, 3)), x)


def test_where_both_fit_the_layout_of_image_shape_counts():
    x = numbered(2, 3, 3, 3)
    assert torch.equal(to_nchw(x, (3, 3, 3), "nchw"), x)
    assert torch.equal(to_nchw(x, (3, 3, 3), "nhwc"), x.permute(0, 3, 1, 2))


@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (5, 7, 1)])
def test_one_channel_may_be_left_out(shape):
    x = numbered(2, 5, 7)
    for given_x in (x, x.unsqueeze(1), x.unsqueeze(3), x.flatten(1)):
        assert torch.equal(to_nchw(given_x, shape), x.unsqueeze(1))


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_images_share_the_memory_of_the_samples(layout):
    x = numbered(2, 60)
    to_nchw(x, (3, 4, 5), layout).zero_()
    assert not x.any()


@pytest.mark.parametrize(
    ("image_shape", "layout", "message"),
    [
        ((8,), "auto", r"image_shape must be \(height, width\), .* got \(8,\)"),
        ((1, 2, 3, 4), "auto", "image_shape must be"),
        (64, "auto", "image_shape must be .* got 64"),
        (None, "auto", "image_shape must be .* got None"),
        ((8, 0), "auto", r"image_shape\[1\] must be an integer >= 1, got 0"),
        ((8, 8.0, 1), "auto", r"image_shape\[1\] must be an integer >= 1, got 8.0"),
        ("ab", "auto", r"image_shape\[0\] must be an integer"),
        ((8, 8), "NCHW", "layout must be one of 'auto', 'nchw', 'nhwc', got 'NCHW'"),
        ((8, 8), None, "layout must be one of .* got None"),
    ],
)
def test_bad_shapes_are_refused(image_shape, layout, message):
    with pytest.raises(ValueError, match=message):
        to_nchw(torch.zeros(2, 64), image_shape, layout)


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (torch.zeros(2, 12), r"\(n, 3, 4, 4\), \(n, 4, 4, 3\), \(n, 48\), got \(2, 12\)"),
        (torch.zeros(2, 4, 4), r"got \(2, 4, 4\)"),
        (torch.zeros(2, 4, 3, 4), r"got \(2, 4, 3, 4\)"),
        (torch.zeros(48), r"got \(48,\)"),
        (torch.zeros(()), r"got \(\)"),
        ([[0.0] * 48], "x must be a tensor, got list"),
    ],
)
def test_bad_samples_are_refused(x, shown):
    with pytest.raises(ValueError, match=shown):
        to_nchw(x, (3, 4, 4))
