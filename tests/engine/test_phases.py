import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ddcl.options import FourPhases

ORDER = ["warm_up", "stabilization", "sharpening", "refinement"]


@given(n=st.integers(1, 200))
def test_phases_come_in_order_and_temperatures_fall(n):
    plans = [FourPhases()(epoch, n) for epoch in range(n)]
    numbers = [ORDER.index(plan.name) for plan in plans]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 3
    temperatures = [plan.temperature for plan in plans]
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[-1] == pytest.approx(0.02)
    ratios = [plan.rate_ratio for plan in plans]
    assert ratios == sorted(ratios)
    assert all(0.1 <= ratio <= 1 / 3 + 1e-12 for ratio in ratios)
    assert all(plan.stop_gradient == (plan.name in ORDER[:2]) for plan in plans)
    assert all(plan.last == (plan.name == "refinement") for plan in plans)


def test_shares_of_the_epochs():
    names = [FourPhases()(epoch, 100).name for epoch in range(100)]
    assert [names.count(name) for name in ORDER] == [20, 20, 40, 20]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial": 0.0}, "initial must be a finite number > 0, got 0.0"),
        ({"final": 1.0}, "final must be a finite number > 0 and <= 0.1, got 1.0"),
        ({"first_ratio": 0.5}, "ratio must be a finite number >= 0.5"),
        ({"refinement": 2.0}, "refinement must be"),
        ({"warm_up": 0.9}, "warm_up .* must be at most 1, got 1.5"),
        ({"relative": 1}, "relative must be a bool, got 1"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        FourPhases(**changes).validate()
