import math
import warnings
from types import SimpleNamespace

import pytest

from sklearn_ddcl.engine._callbacks import RateBound
from sklearn_ddcl.engine._callbacks._rate_bound import rate_bound
from sklearn_ddcl.exceptions import StabilityWarning


def net(ratio, norm=1.0, temperature=2.0, ols=1.0):
    return SimpleNamespace(
        module_=SimpleNamespace(temperature=temperature),
        summary_=SimpleNamespace(prototype_norm=norm, ols=ols),
        plan_=SimpleNamespace(rate_ratio=ratio),
        epoch_=4,
    )


def test_the_bound_is_never_below_1():
    assert rate_bound(0.0, 1.0, 1.0) == 1.0
    assert rate_bound(1.0, 1.0, 0.0) == math.inf
    assert rate_bound(3.0, 2.0, 4.0) == 1.0 + 4 * 3 / (2 * 4)


def test_a_broken_bound_is_told_once_a_fit():
    bound = RateBound()
    bound.on_train_begin(None)
    with pytest.warns(StabilityWarning, match=r"2\.5 times as fast.*less than 2 .epoch 5"):
        bound.on_epoch_end(net(2.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bound.on_epoch_end(net(2.5))


def test_a_kept_bound_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RateBound().on_epoch_end(net(1.9))
