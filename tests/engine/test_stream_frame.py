import numpy as np
import pytest
import torch

from sklearn_ddcl.engine._stream_frame import StreamFrame

CPU = torch.device("cpu")


def frame(standardize=False, dtype="float64", width=2):
    return StreamFrame(width, dtype, standardize, CPU)


def test_the_first_rows_set_the_origin_and_later_ones_do_not():
    made = frame()
    np.testing.assert_allclose(made.load(np.array([[1.0, 5.0], [3.0, 7.0]]), CPU).mean(0), 0)
    later = made.load(np.array([[2.0, 6.0]]), CPU)
    np.testing.assert_array_equal(later, [[0.0, 0.0]])


@pytest.mark.parametrize("size", [1e-140, 1.0, 1e200])
def test_the_unit_is_a_power_of_two_near_the_spread(size):
    made = frame()
    x = made.load(size * np.array([[0.0, 0.0], [3.0, 1.0]]), CPU)
    made.set_unit(x)
    assert 0.5 <= size * 1.5 / made.unit <= 2
    assert float(np.log2(made.unit)).is_integer()


def test_features_come_back_exactly_after_frame_and_scale():
    made = frame()
    rows = np.array([[1e6, 2.0], [1e6 + 1, 4.0], [1e6 + 2, 9.0]])
    x = made.load(rows, CPU)
    made.set_unit(x)
    np.testing.assert_allclose(made.to_features(x / made.unit), rows, rtol=0, atol=1e-9)


def test_standardised_features_have_the_deviation_one():
    rng = np.random.default_rng(0)
    rows = rng.normal([5, -3], [1e-3, 1e3], size=(400, 2))
    made = frame(standardize=True)
    x = made.load(rows, CPU)
    made.moments.update(x, torch.ones(400), 1.0)
    np.testing.assert_allclose(made.scaled(x).std(0, correction=0), 1)
    np.testing.assert_allclose(made.unscaled(made.scaled(x)), x)
    np.testing.assert_allclose(made.to_features(x).std(0), 1)
    assert made.area == 1.0
    mean, inverse = made.standardization
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(1 / inverse, rows.std(0))


def test_squares_that_would_overflow_are_refused():
    made = frame(dtype="float32")
    made.set_unit(made.load(np.array([[0.0, 0.0], [1.0, 1.0]], dtype=np.float32), CPU))
    with pytest.raises(ValueError, match="so far from those seen before"):
        made.check_range(torch.tensor([[3e19, 0.0]]))
    with pytest.raises(ValueError, match="so far from those seen before"):
        made.check_range(torch.tensor([[torch.inf, 0.0]]))
    made.check_range(torch.tensor([[1e15, 0.0]]))


def test_the_origin_follows_a_stream_that_goes_far():
    made = frame()
    x = made.load(np.array([[0.0, 0.0], [2.0, 2.0]]), CPU)
    made.set_unit(x)
    mean = torch.tensor([50.0, 50.0], dtype=torch.float64)
    assert made.is_far(mean)
    assert not made.is_far(mean / 100)
    before = made.to_features(mean[None])
    made.follow(mean)
    np.testing.assert_allclose(made.to_features(torch.zeros(1, 2)), before)
