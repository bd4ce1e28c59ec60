import pytest

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.options import (
    CombinationAssignment,
    ConstantTemperature,
    FourPhases,
    JointTraining,
)


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
        ({"partition_support": "even"}, "'partition_support' parameter must be one of"),
        ({"partition_support": CombinationAssignment(sigma=0.0)}, "sigma must be"),
    ],
)
def test_values_that_are_not_allowed_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        JointTraining(**changes).validate()


@pytest.mark.parametrize("schedule", [FourPhases, "four", 3, ConstantTemperature()])
def test_a_schedule_of_another_kind_is_refused(schedule):
    with pytest.raises(TypeError, match="schedule must be None or an object such as FourPhases"):
        JointTraining(schedule=schedule).validate()


def test_the_support_is_named_held_or_reached_by_a_search():
    assert JointTraining().support() is None
    assert JointTraining(partition_support="combination").support() == CombinationAssignment()
    own = CombinationAssignment(sigma=2.0)
    options = JointTraining(partition_support=own)
    assert options.support() == own
    assert options.support() is not own
    named = JointTraining(partition_support="combination")
    named.set_params(partition_support__sigma=3.0)
    assert named.partition_support == CombinationAssignment(sigma=3.0)
    model = DDCLClustering(training=JointTraining(partition_support=own))
    assert model.get_params()["training__partition_support__sigma"] == 2.0


def test_a_support_without_the_member_is_named():
    with pytest.raises(ValueError, match="Invalid parameter 'sigma'"):
        JointTraining().set_params(partition_support__sigma=3.0)


def test_a_class_for_a_support_is_refused():
    with pytest.raises(TypeError, match="an object such as CombinationAssignment"):
        JointTraining(partition_support=CombinationAssignment).validate()
