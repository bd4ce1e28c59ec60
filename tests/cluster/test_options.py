import pytest
from sklearn.base import BaseEstimator

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.cluster._options import NestedOptions
from sklearn_ddcl.options import JointTraining, NeighborContrast, ReducedFlow, SimCLR


class Part(BaseEstimator):
    def __init__(self, size=1):
        self.size = size


class Whole(NestedOptions, BaseEstimator):
    _option_makers = {  # noqa: RUF012  # as in estimators
        "part": lambda self, value: {None: Part, "large": lambda: Part(9)}[value]()
    }

    def __init__(self, part=None, other=None):
        self.part = part
        self.other = other


@pytest.mark.parametrize(("value", "size"), [(None, 1), ("large", 9)])
def test_the_object_behind_a_name_takes_its_place(value, size):
    whole = Whole(value).set_params(part__size=5)
    assert whole.part.size == 5
    assert Whole(value).set_params(part__size=size).part.size == size


def test_an_object_that_is_there_stays():
    part = Part()
    assert Whole(part).set_params(part__size=4).part is part
    assert part.size == 4


def test_whole_objects_are_set_before_their_members():
    whole = Whole().set_params(part__size=3, part="large")
    assert whole.part.size == 3


def test_nothing_to_set_changes_nothing():
    whole = Whole("large")
    assert whole.set_params() is whole
    assert whole.part == "large"


@pytest.mark.parametrize(
    ("backbone", "member", "kind"),
    [
        ("mlp", "training__epochs", JointTraining),
        (None, "training__n_init", ReducedFlow),
        ("mlp", "warm_up__n_neighbors", NeighborContrast),
    ],
)
def test_the_estimators_options_follow_its_backbone(backbone, member, kind):
    name, _, key = member.partition("__")
    model = DDCLClustering(backbone=backbone).set_params(**{member: 3})
    assert isinstance(getattr(model, name), kind)
    assert getattr(getattr(model, name), key) == 3
    model = DDCLClustering().set_params(backbone=backbone, **{member: 4})
    assert getattr(getattr(model, name), key) == 4


def test_a_name_of_another_warm_up_is_taken():
    model = DDCLClustering(warm_up="simclr").set_params(warm_up__temperature=0.2)
    assert model.warm_up == SimCLR(temperature=0.2)


@pytest.mark.parametrize(
    ("whole", "member", "message"),
    [
        (Whole("small"), "part__size", "'small', which is no name of options"),
        (Whole(), "other__size", "has no parameters of its own"),
        (Whole(3), "part__size", "has no parameters of its own"),
        (Whole(), "nonsense__size", "has no parameters of its own"),
        (Whole(), "part__nonsense", "Invalid parameter 'nonsense'"),
        (DDCLClustering(warm_up=None), "warm_up__n_steps", "has no parameters of its own"),
        (DDCLClustering(warm_up="no"), "warm_up__n_steps", "no name of options"),
    ],
)
def test_members_that_are_not_there_are_refused(whole, member, message):
    with pytest.raises(ValueError, match=message):
        whole.set_params(**{member: 1})
