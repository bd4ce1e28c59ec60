import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_ddcl.nn import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
    TemperatureSchedule,
    absolute_temperature,
)

checked = settings(deadline=None, max_examples=40)
SCHEDULES = [ConstantTemperature, ExponentialTemperature, GeometricTemperature]
positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_follow_the_protocol_and_have_valid_defaults(schedule):
    instance = schedule()
    instance.validate()
    assert isinstance(instance, TemperatureSchedule)
    assert clone(instance) == instance
    assert instance.relative is True


@checked
@given(initial=positive, share=st.floats(1e-6, 1.0), decay=positive, step=st.integers(0, 10**9))
def test_exponential_is_section_7_2(initial, share, decay, step):
    schedule = ExponentialTemperature(initial, initial * share, decay)
    schedule.validate()
    assert schedule(step) == max(initial * math.exp(-step / decay), initial * share)


@checked
@given(initial=positive, share=st.floats(1e-6, 1.0), factor=st.floats(1e-3, 1.0))
def test_geometric_falls_from_initial_to_minimum(initial, share, factor):
    schedule = GeometricTemperature(initial, factor, initial * share)
    schedule.validate()
    values = [schedule(step) for step in range(30)]
    assert values[0] == initial
    assert values == sorted(values, reverse=True)
    assert min(values) >= initial * share
    assert values[1] == pytest.approx(max(initial * factor, initial * share))


def test_a_constant_stays():
    assert [ConstantTemperature(0.3)(step) for step in (0, 5, 10**6)] == [0.3, 0.3, 0.3]


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (ConstantTemperature(0.0), "value"),
        (ConstantTemperature(math.inf), "value"),
        (ConstantTemperature("hot"), "value"),
        (ConstantTemperature(relative=1), "relative"),
        (ExponentialTemperature(initial=-1.0), "initial"),
        (ExponentialTemperature(initial=0.1, minimum=0.5), "minimum"),
        (ExponentialTemperature(minimum=math.nan), "minimum"),
        (ExponentialTemperature(decay=0.0), "decay"),
        (ExponentialTemperature(relative="yes"), "relative"),
        (GeometricTemperature(initial=None), "initial"),
        (GeometricTemperature(factor=1.1), "factor"),
        (GeometricTemperature(factor=0.0), "factor"),
        (GeometricTemperature(minimum=2.0), "minimum"),
        (GeometricTemperature(relative=None), "relative"),
    ],
)
def test_validate_names_the_parameter(schedule, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        schedule.validate()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("step", [-1, math.nan, math.inf, "0"])
def test_steps_before_the_start_are_refused(schedule, step):
    with pytest.raises(ValueError, match="step must be a finite number >= 0"):
        schedule()(step)


@checked
@given(value=positive, scale=positive)
def test_only_relative_schedules_are_scaled(value, scale):
    assert absolute_temperature(ConstantTemperature(value), 0, scale) == value * scale
    absolute = ConstantTemperature(value, relative=False)
    assert absolute_temperature(absolute, 0, scale) == value
    assert absolute_temperature(absolute, 0, math.nan) == value


def test_constant_data_get_a_positive_temperature():
    assert absolute_temperature(ConstantTemperature(), 0, 0.0) > 0.0


@pytest.mark.parametrize("scale", [-1.0, math.nan, math.inf, None])
def test_a_bad_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be"):
        absolute_temperature(ConstantTemperature(), 0, scale)
