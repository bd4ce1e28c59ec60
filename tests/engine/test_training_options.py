import pytest

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.options import ConstantTemperature, FourPhases, JointTraining


def test_the_schedule_can_be_left_out_or_searched():
    assert JointTraining().phases() == FourPhases()
    options = JointTraining(schedule=FourPhases())
    options.set_params(schedule__initial=0.5)
    assert options.phases().initial == 0.5


def test_members_of_the_default_schedule_can_be_set():
    options = JointTraining().set_params(schedule__final=0.05, epochs=3)
    assert (options.schedule, options.epochs) == (FourPhases(final=0.05), 3)
    options.set_params(schedule__initial=0.2)
    assert options.schedule == FourPhases(initial=0.2, final=0.05)
    options.set_params(schedule=None, schedule__initial=0.3)
    assert options.schedule == FourPhases(initial=0.3)
    assert JointTraining().set_params(epochs=3).schedule is None
    model = DDCLClustering().set_params(training__schedule__final=0.05)
    assert model.training.phases().final == 0.05
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        JointTraining().set_params(schedule__nonsense=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be an integer >= 1, got 0"),
        ({"batch_size": 1}, "batch_size must be an integer >= 2, got 1"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"rate_ratio": -1}, "rate_ratio must be a finite number > 0, got -1"),
        ({"gradient_clip": float("nan")}, "gradient_clip must be a finite number > 0, got nan"),
        ({"pretext_weight": -1}, "pretext_weight must be a finite number >= 0"),
        ({"objective_weight": "1"}, "objective_weight must be a finite number >= 0, got '1'"),
        ({"min_label_change": 2}, "min_label_change must be"),
        ({"patience": 0}, "patience must be an integer >= 1, got 0"),
        ({"stop_gradient": 1}, "stop_gradient must be one of .*, got 1"),
        ({"mixed_precision": "half"}, "mixed_precision must be one of .*, got 'half'"),
        ({"compile": None}, "compile must be one of .*, got None"),
        ({"revive": 0}, "revive must be one of .*, got 0"),
        ({"schedule": FourPhases(initial=-1)}, "initial must be"),
    ],
)
def test_values_that_are_not_allowed_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        JointTraining(**changes).validate()


@pytest.mark.parametrize("schedule", [FourPhases, "four", 3, ConstantTemperature()])
def test_a_schedule_of_another_kind_is_refused(schedule):
    with pytest.raises(TypeError, match="schedule must be None or an object such as FourPhases"):
        JointTraining(schedule=schedule).validate()
