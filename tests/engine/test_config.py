import math

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_ddcl.engine._config import default_temperature
from sklearn_ddcl.options import ReducedFlow, Regularization

NO_NUMBERS = ["much", None, [1.0], True, math.nan, math.inf, -math.inf, 1j]


@pytest.mark.parametrize("value", [*NO_NUMBERS, -0.1])
@pytest.mark.parametrize("name", ["balance", "separation", "quadratic"])
def test_bad_weights_are_refused_by_name(name, value):
    terms = Regularization(**{name: value})
    with pytest.raises(
        ValueError, match=rf"'{name}' parameter of Regularization must be a fin"
    ) as e:
        terms.validate()
    assert ">= 0" in str(e.value)
    assert f"Got {value!r}" in str(e.value)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_bad_entropy_weights_are_refused_by_name(value):
    with pytest.raises(
        ValueError, match=r"'entropy' parameter of Regularization must be a finite"
    ):
        Regularization(entropy=value).validate()


@pytest.mark.parametrize("entropy", [-3.0, 0, 0.5, 7])
def test_entropy_may_have_either_sign(entropy):
    Regularization(entropy=entropy).validate()


def test_auto_is_a_quadratic_weight_only():
    Regularization(quadratic="auto").validate()
    with pytest.raises(ValueError, match=r"or 'auto'"):
        Regularization(quadratic="none").validate()
    with pytest.raises(ValueError, match="'balance'"):
        Regularization(balance="auto").validate()


@pytest.mark.parametrize("k", [2, 3, 10])
def test_auto_holds_the_separation(k):
    assert Regularization().quadratic_for(k) == 0.0
    assert Regularization(separation=0.1).quadratic_for(k) == pytest.approx(10 * 0.1 / (k - 1))
    assert Regularization(separation=0.1, quadratic=5.0).quadratic_for(k) == 5.0


def test_one_prototype_needs_no_quadratic_term():
    assert Regularization(separation=0.1, quadratic=0.0).quadratic_for(1) == 0.0


def test_too_small_a_quadratic_weight_is_refused():
    with pytest.raises(ValueError, match=r"quadratic must be > 0\.4"):
        Regularization(separation=0.1, quadratic=0.3).quadratic_for(2)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, False),
        ({"quadratic": 0.0}, False),
        ({"quadratic": 0.1}, True),
        ({"balance": 0.1}, True),
        ({"entropy": -0.1}, True),
        ({"separation": 0.1}, True),
    ],
    ids=str,
)
def test_active_tells_whether_anything_is_added(terms, expected):
    assert Regularization(**terms).active is expected


@pytest.mark.parametrize(
    ("name", "least"),
    [("n_init", 1), ("passes_per_temperature", 1), ("relocations", 0), ("sample_size", 1)],
)
@pytest.mark.parametrize("value", ["two", 1.0, math.nan, True, -1, [1]])
def test_bad_counts_are_refused_by_name(name, least, value):
    with pytest.raises(ValueError, match=rf"'{name}' parameter of ReducedFlow must be an int >= "):
        ReducedFlow(**{name: value}).validate()
    with pytest.raises(ValueError, match=rf"int >= {least}\. Got {least - 1} instead"):
        ReducedFlow(**{name: least - 1}).validate()
    ReducedFlow(**{name: least}).validate()
    ReducedFlow(**{name: np.int64(least)}).validate()


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_bad_hard_finish_is_refused(value):
    with pytest.raises(ValueError, match=r"'hard_finish' parameter of ReducedFlow must be a bool"):
        ReducedFlow(hard_finish=value).validate()


@pytest.mark.parametrize("value", [0, 0.0, -0.5, 1.01, math.nan, math.inf, True, "fast"])
def test_bad_dual_learning_rates_are_refused(value):
    with pytest.raises(
        ValueError, match=r"'dual_learning_rate' .* must be None or a number in \(0"
    ):
        ReducedFlow(dual_learning_rate=value).validate()


@pytest.mark.parametrize("value", [None, 1, 1.0, 1e-9])
def test_good_dual_learning_rates(value):
    ReducedFlow(dual_learning_rate=value).validate()


@pytest.mark.parametrize(
    ("size", "k", "rows"),
    [(None, 8, 20_000), (None, 500, 50_000), (1_000, 8, 1_000), (5, 8, 8)],
)
def test_rows_to_search_on(size, k, rows):
    assert ReducedFlow(sample_size=size).rows_for(k) == rows


@pytest.mark.parametrize("options", [Regularization(balance=0.2), ReducedFlow(n_init=5)])
def test_options_are_cloned_by_value(options):
    copy = clone(options)
    assert copy == options
    assert copy is not options


def test_default_schedule_is_relative():
    assert default_temperature().relative
    default_temperature().validate()
