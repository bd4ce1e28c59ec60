import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl.nn import ConstantTemperature, ExponentialTemperature, Options


class Inner(Options):
    def __init__(self, width=3, centred=True):
        self.width = width
        self.centred = centred


class Outer(Options):
    def __init__(self, inner=None, rate=0.1):
        self.inner = inner
        self.rate = rate


class Scaled(BaseEstimator):
    """An estimator whose best score lies at ``temperature.minimum == 0.5``."""

    def __init__(self, temperature=None):
        self.temperature = temperature

    def fit(self, X, y=None):
        self.temperature.validate()
        self.fitted_ = True
        return self

    def score(self, X, y=None):
        return -abs(self.temperature.minimum - 0.5)


def test_parameters_are_read_deeply():
    outer = Outer(Inner(width=5), rate=0.2)
    assert outer.get_params(deep=False) == {"inner": outer.inner, "rate": 0.2}
    deep = outer.get_params()
    assert deep["inner__width"] == 5
    assert deep["inner__centred"] is True


def test_parameters_are_set_deeply_whatever_the_order():
    outer = Outer(Inner())
    assert outer.set_params(inner__width=7, inner=Inner(centred=False)) is outer
    assert outer.inner == Inner(width=7, centred=False)


@pytest.mark.parametrize("name", ["widht", "inner__widht", "rate__x", "_inner"])
def test_unknown_names_are_refused_with_the_valid_ones(name):
    with pytest.raises(ValueError, match=r"Valid parameters are|no parameters to set"):
        Outer(Inner()).set_params(**{name: 1})


def test_nothing_is_set_if_a_name_is_unknown():
    outer = Outer(Inner())
    with pytest.raises(ValueError, match="Invalid parameter 'wrong' for Outer"):
        outer.set_params(rate=9.0, wrong=1)
    assert outer.rate == 0.1


def test_clone_copies_by_constructor():
    outer = Outer(Inner(width=5))
    copy = clone(outer)
    assert copy == outer
    assert copy is not outer
    assert copy.inner is not outer.inner


def test_equality_is_by_type_and_value():
    assert Inner() == Inner()
    assert Inner() != Inner(width=4)
    assert Inner() != Outer()
    assert Inner() != "Inner(width=3, centred=True)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Inner())


def test_repr_can_be_evaluated():
    outer = Outer(Inner(width=5))
    assert repr(outer) == "Outer(inner=Inner(width=5, centred=True), rate=0.1)"
    assert eval(repr(outer)) == outer


def test_objects_without_constructor_have_no_parameters():
    assert Options().get_params() == {}
    assert repr(Options()) == "Options()"


def test_a_constructor_that_hides_its_parameters_is_refused():
    class Hidden(Options):
        def __init__(self, **kwargs):
            self.kwargs = kwargs

    with pytest.raises(TypeError, match="must name each"):
        Hidden(a=1).get_params()


def test_pickle_round_trip():
    schedule = ExponentialTemperature(minimum=0.1)
    assert pickle.loads(pickle.dumps(schedule)) == schedule


def test_an_estimator_with_options_clones_and_is_searched():
    estimator = Scaled(temperature=ExponentialTemperature())
    assert clone(estimator).temperature == ExponentialTemperature()
    assert clone(estimator).temperature is not estimator.temperature
    search = GridSearchCV(estimator, {"temperature__minimum": [0.1, 0.5, 0.9]}, cv=2)
    search.fit(np.zeros((6, 1)))
    assert search.best_params_ == {"temperature__minimum": 0.5}
    assert estimator.temperature == ExponentialTemperature()


def test_whole_objects_are_searched_too():
    grid = {"temperature": [ExponentialTemperature(minimum=0.2), ExponentialTemperature()]}
    search = GridSearchCV(Scaled(), grid, cv=2).fit(np.zeros((6, 1)))
    assert search.best_params_["temperature"] == ExponentialTemperature()
    assert ConstantTemperature() != ExponentialTemperature()
