import math

import numpy as np
import pytest
import torch

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
    with pytest.raises(ValueError, match=f"X has values near .*{str(dtype)[6:]}"):
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
