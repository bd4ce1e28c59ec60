import numpy as np
import pytest
import torch

from sklearn_ddcl.engine import (
    resolve_flow,
    resolve_regularization,
    resolve_temperature,
)
from sklearn_ddcl.engine._build import LOSSES, TEMPERATURES
from sklearn_ddcl.engine._passes import SoftPass
from sklearn_ddcl.engine._updates import normal_matrix
from sklearn_ddcl.nn.schedules import TemperatureSchedule
from sklearn_ddcl.options import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
    ReducedFlow,
    Regularization,
)

SCHEDULES = {
    "constant": ConstantTemperature,
    "exponential": ExponentialTemperature,
    "geometric": GeometricTemperature,
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_names_stand_for_default_schedules(name):
    assert resolve_temperature(name) == SCHEDULES[name]()


def test_auto_starts_above_the_critical_temperature_and_ends_nearly_hard():
    schedule = resolve_temperature("auto")
    assert isinstance(schedule, GeometricTemperature)
    assert schedule.relative
    assert schedule(0) > 1.0
    assert schedule(1000) < 0.1


def test_paper_is_section_7_2():
    schedule = resolve_temperature("paper")
    assert not schedule.relative
    assert schedule(0) == 2.0
    assert schedule(80) == pytest.approx(2.0 * np.exp(-1))
    assert schedule(10_000) == 0.5


@pytest.mark.parametrize("name", TEMPERATURES)
def test_every_name_gives_a_falling_positive_schedule(name):
    schedule = resolve_temperature(name)
    assert isinstance(schedule, TemperatureSchedule)
    values = [schedule(step) for step in range(300)]
    assert all(value > 0 for value in values)
    assert values == sorted(values, reverse=True)


def test_each_call_makes_its_own_schedule():
    assert resolve_temperature("auto") is not resolve_temperature("auto")


def test_objects_are_taken_with_their_values_and_left_alone():
    schedule = GeometricTemperature(initial=np.float64(3.0), minimum=np.float32(0.5))
    resolved = resolve_temperature(schedule)
    assert resolved == GeometricTemperature(initial=3.0, minimum=0.5)
    assert isinstance(schedule.initial, np.float64)


def test_own_schedules_need_no_validate():
    class Own:
        relative = False

        def __call__(self, step):
            return 1.0

    own = Own()
    assert resolve_temperature(own) is own


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (ConstantTemperature(0.0), "value"),
        (ConstantTemperature(float("nan")), "value"),
        (ConstantTemperature(relative="yes"), "relative"),
        (ExponentialTemperature(decay=-1.0), "decay"),
        (ExponentialTemperature(initial=0.1, minimum=0.5), "minimum"),
        (GeometricTemperature(factor=1.5), "factor"),
        (GeometricTemperature(initial="hot"), "initial"),
    ],
)
def test_bad_schedules_are_refused_by_the_name_of_the_parameter(schedule, name):
    with pytest.raises(ValueError, match=name):
        resolve_temperature(schedule)


@pytest.mark.parametrize("value", [GeometricTemperature, lambda step: 1.0, 3.0, None])
def test_what_is_no_schedule_is_refused(value):
    with pytest.raises(TypeError, match="'temperature' parameter must be a name or a schedule"):
        resolve_temperature(value)


def test_none_stands_for_defaults():
    assert resolve_flow(None) == ReducedFlow()
    assert resolve_regularization(None) == Regularization()


def test_numpy_scalars_of_a_grid_become_plain_ones():
    flow = ReducedFlow(n_init=np.int64(3), hard_finish=np.bool_(False))
    assert resolve_flow(flow) == ReducedFlow(n_init=3, hard_finish=False)
    terms = resolve_regularization(Regularization(balance=np.float32(0.5)))
    assert type(terms.balance) is float


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="'n_init' parameter of ReducedFlow"):
        resolve_flow(ReducedFlow(n_init=0))
    with pytest.raises(ValueError, match="'balance' parameter of Regularization"):
        resolve_regularization(Regularization(balance=-1.0))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_an_update(loss):
    mass = torch.tensor([1.0, 3.0]).double()
    statistics = SoftPass(mass, torch.eye(2).double(), torch.diag(mass))
    torch.testing.assert_close(
        normal_matrix(loss, statistics, 0.0, 0.0), torch.tensor([[0.5, 0.0], [0.0, 1.5]]).double()
    )
