import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import ConvNet

checked = settings(deadline=None, max_examples=20)


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@checked
@given(
    channels=st.integers(1, 3),
    height=st.integers(3, 12),
    width=st.integers(3, 12),
    depth=st.integers(1, 3),
    n=st.integers(1, 4),
)
def test_all_sizes_give_features(channels, height, width, depth, n):
    model = ConvNet((channels, height, width), 5, [4] * depth, hidden=6)
    assert model(draw(n, channels, height, width)).shape == (n, 5)


@pytest.mark.parametrize(
    "shape", [(1, 1), (8, 8), (28, 28), (1, 28, 28), (3, 32, 32), (32, 32, 3)]
)
def test_common_images(shape):
    model, x = ConvNet(shape), draw(3, *shape)
    assert model(x).shape == (3, 10)
    assert torch.isfinite(model(x)).all()
    assert torch.equal(model(x), model(x.flatten(1)))
    assert model(x[:0]).shape == (0, 10)


def test_the_layout_does_not_change_the_features():
    x = draw(4, 3, 9, 7)
    first, last = ConvNet((3, 9, 7)), ConvNet((9, 7, 3))
    torch.testing.assert_close(first(x), last(x.permute(0, 2, 3, 1)))
    assert torch.equal(first(x), ConvNet((3, 9, 7), layout="nchw")(x))


def test_against_a_convolution_by_hand():
    """One filter over 3 x 3 pixels with stride 2 sees four zero-padded corners."""
    model = ConvNet((3, 3), 1, channels=(1,), hidden=1, dtype=torch.float64)
    kernel, bias, w1, b1, w2, b2 = (p.detach() for p in model.parameters())
    x = draw(1, 3, 3, dtype=torch.float64)
    padded = torch.zeros(5, 5, dtype=torch.float64)
    padded[1:4, 1:4] = x[0]
    corners = [
        (padded[r : r + 3, c : c + 3] * kernel[0, 0]).sum() + bias[0]
        for r in (0, 2)
        for c in (0, 2)
    ]
    hidden = (torch.stack(corners).relu() @ w1[0] + b1[0]).relu()
    torch.testing.assert_close(model(x)[0, 0], hidden * w2[0, 0] + b2[0])


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(2, 12), cut=st.integers(1, 11))
def test_a_sample_does_not_depend_on_the_others(seed, n, cut):
    model = ConvNet((8, 8), dtype=torch.float64)
    x = draw(n, 8, 8, seed=seed, dtype=torch.float64)
    torch.testing.assert_close(model(x)[:cut], model(x[:cut]))
    assert torch.equal(model(x), model.eval()(x))


def test_only_the_generator_decides():
    state = torch.random.get_rng_state()
    x = draw(2, 8, 8)
    first, second, third = (
        ConvNet((8, 8), generator=torch.Generator().manual_seed(seed))(x) for seed in (1, 1, 2)
    )
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_gradients():
    model = ConvNet((5, 4), 2, channels=(2, 3), hidden=4, dtype=torch.float64)
    x = draw(2, 5, 4, dtype=torch.float64).requires_grad_()
    before = x.detach().clone()
    assert torch.autograd.gradcheck(model, (x,))
    assert torch.equal(x.detach(), before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (8,)}, r"image_shape must be \(height, width\)"),
        ({"image_shape": 8}, "image_shape must be .* got 8"),
        ({"image_shape": (0, 8)}, r"image_shape\[0\] must be an integer >= 1"),
        ({"n_outputs": 0}, "n_outputs must be an integer >= 1"),
        ({"hidden": 0}, "hidden must be an integer >= 1"),
        ({"channels": ()}, r"channels must be a sequence of integers, got \(\)"),
        ({"channels": 32}, "channels must be a sequence of integers, got 32"),
        ({"channels": (32, 0)}, r"channels\[1\] must be an integer >= 1"),
        ({"layout": "hwc"}, "layout must be one of 'auto', 'nchw', 'nhwc', got 'hwc'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ConvNet(**{"image_shape": (8, 8), **options})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 63), r"x must have one of the shapes .*\(n, 64\).* got \(2, 63\)"),
        (torch.zeros(64), "x must be a floating point tensor"),
        (torch.zeros(2, 64, dtype=torch.uint8), "x must be a floating point tensor"),
        (None, "x must be a floating point tensor .* got NoneType"),
    ],
)
def test_bad_images_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        ConvNet((8, 8))(x)
