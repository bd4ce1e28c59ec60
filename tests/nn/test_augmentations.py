import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_ddcl.nn import Compose, FeatureMasking, GaussianNoise, Options, RandomShift
from sklearn_ddcl.nn._augmentations import Augmentation

checked = settings(deadline=None, max_examples=30)

EACH = [
    GaussianNoise(0.3),
    FeatureMasking(0.4),
    RandomShift(2),
    RandomShift(1, image_shape=(3, 6, 5)),
    RandomShift(1, image_shape=(6, 5, 3), layout="nhwc"),
    Compose([GaussianNoise(), RandomShift(1), FeatureMasking()]),
]
each = pytest.mark.parametrize("augment", EACH, ids=repr)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(seed=0, dtype=torch.float32):
    return torch.randn(4, 3, 6, 5, generator=seeded(seed), dtype=dtype)


@each
def test_views_have_the_shape_and_type_of_the_samples(augment):
    for dtype in (torch.float32, torch.float64):
        x = samples(dtype=dtype)
        before = x.clone()
        view = augment(x, seeded())
        assert (view.shape, view.dtype) == (x.shape, dtype)
        assert torch.equal(x, before)
        assert augment(x[:0], seeded()).shape == (0, 3, 6, 5)


@each
def test_only_the_generator_decides(augment):
    state = torch.random.get_rng_state()
    x = samples()
    first, second, third = (augment(x, seeded(seed)) for seed in (1, 1, 3))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    generator = seeded(1)
    assert not torch.equal(augment(x, generator), augment(x, generator))
    assert torch.equal(state, torch.random.get_rng_state())


@each
def test_they_are_options(augment):
    assert isinstance(augment, Options)
    assert isinstance(augment, Augmentation)
    for copied in (clone(augment), pickle.loads(pickle.dumps(augment))):
        assert copied == augment
        assert copied is not augment
        assert torch.equal(copied(samples(), seeded()), augment(samples(), seeded()))


def test_parameters_are_set():
    assert GaussianNoise().set_params(scale=2.0).get_params() == {"scale": 2.0}
    assert RandomShift(1).set_params(pixels=3) == RandomShift(3)
    assert Compose().set_params(steps=[GaussianNoise()]) == Compose([GaussianNoise()])


def test_noise_has_the_scale_asked_for():
    x = torch.full((400, 50), 7.0)
    noise = GaussianNoise(0.5)(x, seeded()) - x
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(noise.std()) == pytest.approx(0.5, rel=0.02)
    assert torch.equal(GaussianNoise(0.0)(x, seeded()), x)


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_masks_have_the_rate_asked_for(rate):
    x = torch.full((400, 50), 7.0)
    view = FeatureMasking(rate)(x, seeded())
    assert set(view.unique().tolist()) <= {0.0, 7.0}
    share = float((view == 0).float().mean())
    assert share == pytest.approx(rate, abs=0.02 * (0 < rate < 1))


@checked
@given(
    seed=st.integers(0, 10_000),
    pixels=st.integers(0, 4),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
)
def test_each_image_is_shifted_as_a_whole(seed, pixels, height, width):
    """Brute force: some shift within the bounds explains every pixel of an image."""
    x = torch.randn(3, 2, height, width, generator=seeded(seed))
    view = RandomShift(pixels, layout="nchw")(x, seeded(seed))
    span = range(-pixels, pixels + 1)
    for image, moved in zip(x, view, strict=True):
        found = False
        for down in span:
            for right in span:
                rows = [min(max(r + down, 0), height - 1) for r in range(height)]
                columns = [min(max(c + right, 0), width - 1) for c in range(width)]
                found |= torch.equal(moved, image[:, rows][:, :, columns])
        assert found


def test_all_shifts_occur_equally_often():
    x = torch.zeros(9000, 5, 5)
    x[:, 2, 2] = 1.0
    places = RandomShift(1)(x, seeded()).mean(dim=0)
    assert torch.allclose(places[1:4, 1:4], torch.full((3, 3), 1 / 9), atol=0.015)
    assert float(places.sum()) == pytest.approx(1.0)


@checked
@given(seed=st.integers(0, 10_000), slope=st.floats(-3, 3), offset=st.floats(-3, 3))
def test_shifts_need_no_background(seed, slope, offset):
    x, shift = samples(seed), RandomShift(2)
    torch.testing.assert_close(
        shift(slope * x + offset, seeded(seed)), slope * shift(x, seeded(seed)) + offset
    )


def test_channels_are_not_taken_for_an_axis_of_the_image():
    """Without any shape given, images of either layout are recognised as ConvNet does it."""
    images = samples()
    last = images.permute(0, 2, 3, 1)
    moved = RandomShift(2)(last, seeded())
    assert torch.equal(moved.permute(0, 3, 1, 2), RandomShift(2)(images, seeded()))
    assert RandomShift(2)(images[:, None], seeded()).shape == (4, 1, *images.shape[1:])


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_all_layouts_are_shifted_alike(layout):
    images = samples()
    expected = RandomShift(2)(images, seeded())
    order, back = ((0, 1, 2, 3),) * 2 if layout == "nchw" else ((0, 2, 3, 1), (0, 3, 1, 2))
    x = images.permute(order)
    assert torch.equal(RandomShift(2, layout=layout)(x, seeded()).permute(back), expected)
    shift = RandomShift(2, image_shape=x.shape[1:], layout=layout)
    assert torch.equal(shift(x, seeded()).permute(back), expected)
    flat = shift(x.flatten(1), seeded())
    assert flat.shape == (4, 90)
    assert torch.equal(flat.reshape(x.shape).permute(back), expected)


def test_steps_run_in_their_order():
    x, steps = samples(), [GaussianNoise(1.0), FeatureMasking(0.5)]
    generator = seeded()
    expected = steps[1](steps[0](x, generator), generator)
    assert torch.equal(Compose(steps)(x, seeded()), expected)
    assert Compose()(x, seeded()) is x


@each
def test_gradients_pass(augment):
    x = samples(dtype=torch.float64)[:1].requires_grad_()
    assert torch.autograd.gradcheck(lambda value: augment(value, seeded()), (x,))


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (GaussianNoise(-0.1), "scale must be a finite number >= 0, got -0.1"),
        (GaussianNoise(math.nan), "scale must be a finite number >= 0, got nan"),
        (GaussianNoise("1"), "scale must be a finite number >= 0, got '1'"),
        (FeatureMasking(1.1), "rate must be a finite number >= 0 and <= 1, got 1.1"),
        (FeatureMasking(None), "rate must be .* got None"),
        (RandomShift(-1), "pixels must be an integer >= 0, got -1"),
        (RandomShift(0.5), "pixels must be an integer >= 0, got 0.5"),
        (RandomShift(image_shape=(8,)), "image_shape must be"),
        (RandomShift(layout="hw"), "layout must be one of 'auto', 'nchw', 'nhwc', got 'hw'"),
        (Compose(GaussianNoise()), "steps must be a sequence of augmentations"),
        (Compose([GaussianNoise(), GaussianNoise]), r"steps\[1\] must be an augmentation"),
        (Compose([torch.relu]), r"steps\[0\] must be an augmentation"),
        (Compose([FeatureMasking(2.0)]), "rate must be .* got 2.0"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0],  # the same in every process
)
def test_bad_parameters_are_refused(augment, message):
    with pytest.raises(ValueError, match=message):
        augment.validate()
    with pytest.raises(ValueError, match=message):
        augment(samples(), seeded())


@pytest.mark.parametrize("augment", [GaussianNoise(), FeatureMasking(), RandomShift()], ids=repr)
@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(3, 4, 4, dtype=torch.uint8), [[0.0]]])
def test_bad_samples_are_refused(augment, x):
    with pytest.raises(
        ValueError, match=r"x must be a floating point tensor of shape \(n, \.\.\.\)"
    ):
        augment(x, seeded())


def test_shifts_of_what_is_no_image_are_refused():
    with pytest.raises(ValueError, match=r"where image_shape is None, got \(3, 4\)"):
        RandomShift()(torch.zeros(3, 4), seeded())
    with pytest.raises(ValueError, match=r"x must have one of the shapes"):
        RandomShift(image_shape=(2, 3))(torch.zeros(3, 4), seeded())
