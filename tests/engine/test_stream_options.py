"""Options of a stream: names, copies, and values out of range."""

import numpy as np
import pytest

from sklearn_ddcl.engine import SoftmaxAssignment, WidrowHoff, resolve_assignment
from sklearn_ddcl.engine._stream_options import STREAM_ASSIGNMENTS, stream_temperature


@pytest.mark.parametrize("name", STREAM_ASSIGNMENTS)
def test_names_stand_for_defaults(name):
    options = resolve_assignment(name)
    assert type(options) is STREAM_ASSIGNMENTS[name]
    assert options == STREAM_ASSIGNMENTS[name]()
    options.set_params(**{next(iter(options.get_params())): 0.25})
    assert resolve_assignment(name) == STREAM_ASSIGNMENTS[name]()


@pytest.mark.parametrize(
    "options", [SoftmaxAssignment(0.3, 2), WidrowHoff(1.0, 0.0, 1.0)], ids=repr
)
def test_objects_are_copied(options):
    copy = resolve_assignment(options)
    assert copy == options
    assert copy is not options


def test_numbers_of_numpy_are_numbers():
    options = SoftmaxAssignment(np.float32(0.5), np.int64(3))
    assert resolve_assignment(options) == SoftmaxAssignment(0.5, 3)
    assert type(resolve_assignment(options).n_steps) is int


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SoftmaxAssignment(dual_learning_rate=0.0), "dual_learning_rate must be"),
        (SoftmaxAssignment(dual_learning_rate=np.inf), "dual_learning_rate must be"),
        (SoftmaxAssignment(n_steps=0), "n_steps must be"),
        (SoftmaxAssignment(n_steps=1.5), "n_steps must be"),
        (WidrowHoff(step_size=0.0), "step_size must be"),
        (WidrowHoff(step_size="big"), "step_size must be .* got 'big'"),
        (WidrowHoff(feature_weight=-1.0), "feature_weight must be"),
        (WidrowHoff(learning_rate=0.0), "learning_rate must be"),
        (WidrowHoff(learning_rate=1.1), "learning_rate must be"),
    ],
    ids=repr,
)
def test_values_that_are_not_allowed_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        options.validate()
    with pytest.raises(ValueError, match=message):
        resolve_assignment(options)


def test_the_default_temperature_falls_from_the_critical_one_to_its_minimum():
    schedule = stream_temperature()
    assert schedule.relative
    values = [schedule(step) for step in range(200)]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert values[-1] == schedule.minimum <= 0.1
    assert values[20] == pytest.approx(1 / np.e)
