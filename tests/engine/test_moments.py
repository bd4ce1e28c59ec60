"""Running moments against scikit-learn, numpy and explicit weights."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.engine._moments import Moments

CPU = torch.device("cpu")


def draw(seed, n=40, width=3, scale=1.0, offset=0.0):
    return offset + scale * np.random.default_rng(seed).normal(size=(n, width))


def update(moments, rows, weight=None, kept=1.0):
    weight = np.ones(len(rows)) if weight is None else weight
    moments.update(torch.from_numpy(rows), torch.from_numpy(np.asarray(weight, float)), kept)
    return moments


def explicit(rows, weight):
    mean = np.average(rows, axis=0, weights=weight)
    return mean, np.average((rows - mean) ** 2, axis=0, weights=weight)


def variance(moments):
    return (moments.squares / moments.weight).numpy()


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 999),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_however_rows_are_cut_moments_are_those_of_all(seed, cuts, offset):
    rows = draw(seed, sum(cuts), offset=offset)
    moments, scaler = Moments(3, CPU), StandardScaler()
    for part in np.split(rows, np.cumsum(cuts)[:-1]):
        update(moments, part)
        scaler.partial_fit(part)
    np.testing.assert_allclose(moments.mean, scaler.mean_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moments.mean, rows.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(variance(moments), rows.var(0), rtol=1e-7, atol=1e-13)
    if len(rows) > 1:
        np.testing.assert_allclose(moments.inverse_deviation(), 1 / scaler.scale_, rtol=1e-7)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 999),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    decay=st.sampled_from([0.0, 0.01, 0.3]),
)
def test_what_is_forgotten_counts_as_its_weight_says(seed, cuts, decay):
    rows = draw(seed, sum(cuts))
    weight = np.random.default_rng(seed + 1).uniform(0.1, 3.0, len(rows))
    moments, counted = Moments(3, CPU), np.zeros(0)
    for part, own in zip(
        np.split(rows, np.cumsum(cuts)[:-1]), np.split(weight, np.cumsum(cuts)[:-1]), strict=True
    ):
        kept = (1 - decay) ** len(part)
        update(moments, part, own, kept)
        counted = np.concatenate([kept * counted, own])
    mean, squares = explicit(rows, counted)
    assert moments.weight == pytest.approx(counted.sum())
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(variance(moments), squares, rtol=1e-9, atol=1e-12)


def test_weights_stand_for_repetition():
    rows = draw(0, 4)
    often = update(Moments(3, CPU), rows[[0, 0, 0, 1, 2, 2, 3]])
    weighted = update(Moments(3, CPU), rows, [3, 1, 2, 1])
    torch.testing.assert_close(weighted.mean, often.mean)
    torch.testing.assert_close(weighted.squares, often.squares)


def test_a_past_that_is_forgotten_at_once_leaves_nothing():
    moments = update(update(Moments(3, CPU), draw(0, offset=1e8)), draw(1), kept=0.0)
    np.testing.assert_allclose(moments.mean, draw(1).mean(0))
    np.testing.assert_allclose(variance(moments), draw(1).var(0))


@pytest.mark.parametrize(("scale", "offset"), [(4.0, 0.0), (1.0, 7.0), (0.125, -3.0)])
def test_shift_and_scale_are_those_of_all_rows(scale, offset):
    moments = update(Moments(3, CPU), draw(0))
    moments.shift(torch.full((3,), offset))
    moments.scale(scale)
    expected = update(Moments(3, CPU), scale * (draw(0) - offset))
    torch.testing.assert_close(moments.mean, expected.mean)
    torch.testing.assert_close(moments.squares, expected.squares)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e10, -1e-20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_features_are_not_divided(value, dtype):
    rows = np.column_stack([np.full(30, value), draw(0, 30, 1)[:, 0]]).astype(dtype)
    moments = Moments(2, CPU)
    for part in np.split(rows, 10):
        update(moments, part)
    found = moments.inverse_deviation()
    assert float(found[0]) == 1.0
    np.testing.assert_allclose(found[1], 1 / rows[:, 1].std(), rtol=1e-5)


def test_features_small_in_units_of_all_others_are_still_divided():
    rows = draw(0, 50) * np.array([1e-150, 1.0, 1e100])
    found = update(Moments(3, CPU), rows).inverse_deviation().numpy()
    np.testing.assert_allclose(found * rows.std(0), 1.0)


def test_before_any_row_nothing_is_divided():
    moments = Moments(2, CPU)
    assert moments.inverse_deviation().tolist() == [1.0, 1.0]
    assert moments.weight == 0.0


def test_sums_are_in_float64_whatever_the_rows_are():
    moments = update(Moments(3, CPU), draw(0).astype(np.float32))
    assert moments.mean.dtype == moments.squares.dtype == torch.float64
    # in float32 the mean of so many would stop growing
    big = Moments(1, CPU)
    for _ in range(3):
        update(big, np.full((10, 1), 2.0**25, dtype=np.float32))
        update(big, np.full((10, 1), 2.0**25 + 4, dtype=np.float32))
    assert float(big.mean) == 2.0**25 + 2


def test_rows_and_weights_are_left_alone():
    rows, weight = torch.ones(4, 2), torch.ones(4)
    Moments(2, CPU).update(rows, weight, 1.0)
    assert torch.equal(rows, torch.ones(4, 2))
    assert torch.equal(weight, torch.ones(4))


def test_rows_of_another_width_are_refused():
    moments = update(Moments(3, CPU), draw(0))
    with pytest.raises(RuntimeError, match="size"):
        update(moments, draw(0, width=2))
    assert moments.weight == 40.0


def test_a_feature_that_has_become_constant_counts_as_such():
    moments = Moments(1, torch.device("cpu"))
    moments.update(torch.tensor([[-1.0], [1.0]]), torch.ones(2), 0.5)
    for _ in range(2_000):  # forgotten, its variance would go to 0, and its inverse to infinity
        moments.update(torch.tensor([[0.0]]), torch.ones(1), 0.5)
        assert moments.inverse_deviation().item() < 1e6
    assert moments.inverse_deviation().item() == 1.0
