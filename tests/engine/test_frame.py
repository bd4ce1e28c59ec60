import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._data import wrap_rows
from sklearn_ddcl.engine._frame import Frame, check_range, distant_shift, power_of_two
from sklearn_ddcl.engine._passes import hard_pass

CPU = torch.device("cpu")


def frame_of(origin, unit=0.5, shift=None):
    return Frame(torch.tensor(origin, dtype=torch.float64), unit, 1.0, 1.0, shift=shift)


@pytest.mark.parametrize("shift", [None, torch.tensor([1e6, -2e6])])
def test_coordinates_go_there_and_back(shift):
    frame = frame_of([1e6 + 0.25, -2e6], shift=shift)
    p = torch.tensor([[1e6, -2e6], [1e6 + 3, -2e6 - 1]], dtype=torch.float64)
    torch.testing.assert_close(frame.to_data(frame.from_data(p)), p, rtol=0, atol=1e-9)
    block = p if shift is None else p - shift
    torch.testing.assert_close(frame.from_block(block), frame.from_data(p), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shift", [None, torch.tensor([3.0, 4.0])])
def test_sums_become_sums_of_coordinates(shift):
    frame = frame_of([3.5, 4.0], unit=2.0, shift=shift)
    x = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    block = x if shift is None else x - shift
    sums = frame.normalize(block.sum(0)[None], torch.tensor([6.0], dtype=torch.float64))
    torch.testing.assert_close(sums[0], frame.from_data(x).sum(0))


@pytest.mark.parametrize(("size", "unit"), [(1.0, 1.0), (0.0, 1.0), (3.0, 4.0), (1e-3, 2**-10)])
def test_units_are_powers_of_two(size, unit):
    assert power_of_two(size, torch.float64) == unit


@pytest.mark.parametrize(("dtype", "least"), [(torch.float32, -110), (torch.float64, -500)])
def test_units_never_underflow(dtype, least):
    unit = power_of_two(5e-324, dtype)
    assert unit == 2.0**least
    assert math.isfinite(1 / unit**2)


def test_infinite_sizes_are_left_to_the_range_check():
    assert power_of_two(math.inf, torch.float64) == math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_out_of_range_are_refused_by_name(dtype):
    limit = {torch.float32: 1e32, torch.float64: 1e150}[dtype]
    check_range(torch.tensor([limit / 2], dtype=torch.float64), 1.0, dtype)
    with pytest.raises(ValueError, match=f"X has values .*{str(dtype)[6:]}"):
        check_range(torch.tensor([2 * limit], dtype=torch.float64), 1.0, dtype)
    with pytest.raises(ValueError, match="Scale X first"):
        check_range(torch.zeros(1, dtype=torch.float64), math.inf, dtype)


def test_only_distant_origins_are_subtracted():
    origin = torch.tensor([100.0, 0.0], dtype=torch.float64)
    assert distant_shift(origin, 2.0, torch.float32) is None
    torch.testing.assert_close(distant_shift(origin, 1.0, torch.float32), origin.to(torch.float32))
    assert distant_shift(origin, 1.0, torch.float64) is None


def test_float32_means_survive_an_offset():
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(5000, 3)) + 1e6).astype(np.float32)
    rows = wrap_rows(x, None, CPU)
    found = hard_pass(rows, torch.zeros(1, 3, dtype=torch.float64))
    mean = rows.frame.to_data(found.sums / found.mass[:, None]).numpy()[0]
    np.testing.assert_allclose(mean, x.astype(float).mean(0), rtol=0, atol=1e-4)


checked = settings(deadline=None, max_examples=30)
TYPES = [torch.float32, torch.float64]


def random_rows(seed, n=50, d=4, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def test_frame_maps_there_and_back(wrap):
    rows = wrap(random_rows(5) * 1e5 + 1e6)
    p = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rows.frame.from_data(rows.frame.to_data(p)), p, atol=1e-9, rtol=0)


def test_frame_normalizes_sums(wrap):
    x = random_rows(6) * 7 + 30
    frame, q = wrap(x).frame, np.random.default_rng(6).random((50, 3))
    y = (x - frame.origin.numpy()) / frame.unit
    sums = frame.normalize(torch.from_numpy(q.T @ x), torch.from_numpy(q.sum(0)))
    np.testing.assert_allclose(sums.numpy(), q.T @ y, atol=1e-10)


def test_trivial_frame_leaves_sums_alone():
    sums = torch.ones(2, 3)
    frame = Frame(torch.zeros(3, dtype=torch.float64), 1.0, 0.0, 1.0, trivial=True)
    assert frame.normalize(sums, torch.ones(2)) is sums


@pytest.mark.parametrize("shift", [None, [7.0, -3.0]])
def test_blocks_see_what_the_shift_leaves(shift):
    origin = torch.tensor([7.5, -3.25], dtype=torch.float64)
    moved = None if shift is None else torch.tensor(shift)
    frame = Frame(origin, 4.0, 0.0, 1.0, shift=moved)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    block = x if shift is None else x - moved
    torch.testing.assert_close(
        frame.from_block(block), frame.from_data(x), atol=1e-6, rtol=0, check_dtype=False
    )
    sums = frame.normalize(block.sum(0, keepdim=True).double(), torch.tensor([9.0]).double())
    torch.testing.assert_close(
        sums, frame.from_data(x).sum(0, keepdim=True), atol=1e-5, rtol=0, check_dtype=False
    )


@pytest.mark.parametrize("dtype", TYPES)
def test_only_distant_origins_are_shifted(dtype):
    origin = torch.tensor([0.1, -1e9], dtype=torch.float64)
    assert distant_shift(origin, 1e9, dtype) is None
    shift = distant_shift(origin, 1.0, dtype)
    assert shift.dtype == dtype
    assert torch.equal(shift, origin.to(dtype))


@checked
@given(exponent=st.floats(-90, 90), dtype=st.sampled_from(TYPES))
def test_units_are_the_nearest_powers_of_two(exponent, dtype):
    unit = power_of_two(2.0**exponent, dtype)
    assert np.log2(unit) == round(np.log2(unit))
    assert abs(np.log2(unit) - exponent) <= 0.5


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e-44])
def test_units_have_an_inverse_and_a_square(size, dtype):
    unit = power_of_two(size, dtype)
    assert torch.isfinite(1 / torch.tensor(unit, dtype=dtype))
    assert unit * unit > 0


@pytest.mark.parametrize("dtype", TYPES)
def test_units_of_no_spread_and_of_too_much(dtype):
    assert power_of_two(0.0, dtype) == 1.0
    assert power_of_two(float("inf"), dtype) == float("inf")
    assert power_of_two(float("nan"), dtype) == float("inf")  # refused by check_range


@pytest.mark.parametrize(
    ("mean", "unit", "dtype"),
    [
        (1e33, 1.0, torch.float32),
        (-1e33, 1.0, torch.float32),
        (0.0, 1e33, torch.float32),
        (1e151, 1.0, torch.float64),
        (0.0, float("inf"), torch.float64),
        (float("nan"), 1.0, torch.float64),
    ],
)
def test_sizes_beyond_the_range_are_refused(mean, unit, dtype):
    with pytest.raises(ValueError, match=r"X has values .* Scale X first"):
        check_range(torch.tensor([0.0, mean]).double(), unit, dtype)


def test_sizes_within_the_range_pass():
    check_range(torch.tensor([1e31]).double(), 1e31, torch.float32)
    check_range(torch.tensor([1e33]).double(), 1e33, torch.float64)
