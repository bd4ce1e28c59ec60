"""Ratio of learning rates and its bound."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.diagnostics import stability_bound

X = load_iris().data


def test_the_bound_holds_in_a_default_fit():
    stability = stability_bound(DDCLClustering(3, random_state=0).fit(X))
    assert len(stability.epochs) > 10
    assert stability.holds.all()
    np.testing.assert_array_equal(stability.holds, stability.ratio < stability.bound)


def test_a_ratio_above_its_bound_is_told():
    records = [
        {"rate_ratio": 0.3, "rate_bound": bound, "epoch": n}
        for n, bound in enumerate((0.2, 0.3, 0.4))
    ]
    np.testing.assert_array_equal(stability_bound(records).holds, [False, False, True])


def test_an_infinite_bound_holds():
    records = [{"rate_ratio": 0.3, "rate_bound": bound} for bound in (np.inf, 0.1, np.nan)]
    found = stability_bound(records)
    assert (found.bound.tolist(), found.holds.tolist()) == ([np.inf, 0.1], [True, False])
    assert stability_bound(records[:1]).holds.tolist() == [True]


def test_given_features_have_no_ratio():
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    with pytest.raises(ValueError, match="records with rate_ratio, rate_bound"):
        stability_bound(model)
