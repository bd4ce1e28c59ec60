"""Separation against concentration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.datasets import load_iris

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.diagnostics import separation_concentration


def records(S, K, phase="annealing"):
    return [
        {"separation": s, "concentration": k, "phase": phase} for s, k in zip(S, K, strict=True)
    ]


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0.1, 1)), min_size=3, max_size=20))
def test_the_correlation_is_pearsons(pairs):
    S, K = np.array(pairs).T
    feedback = separation_concentration(records(S, K))
    np.testing.assert_array_equal(feedback.separation, S)
    np.testing.assert_allclose(feedback.force, 1 - K)
    if np.ptp(S) > 1e-6 * S.max() and np.ptp(K) > 1e-6:
        np.testing.assert_allclose(feedback.correlation, pearsonr(S, K)[0], atol=1e-6)


@pytest.mark.parametrize("S", [[1, 1, 1], [0, 0, 0], [2.0]])
def test_constants_have_no_correlation(S):
    feedback = separation_concentration(records(S, np.linspace(0.1, 0.2, len(S))))
    assert np.isnan(feedback.correlation)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_units_do_not_matter(scale):
    S, K = np.array([1.0, 2.0, 4.0]), [0.9, 0.5, 0.4]
    at_scale = separation_concentration(records(S * scale, K)).correlation
    np.testing.assert_allclose(at_scale, pearsonr(S, K)[0])


def test_phases_are_chosen_by_name():
    model = DDCLClustering(3, backbone=None, random_state=0).fit(load_iris().data)
    both = separation_concentration(model)
    one = separation_concentration(model, phases="annealing")
    two = separation_concentration(model, phases=["finish"])
    assert len(both.epochs) == len(one.epochs) + len(two.epochs)
    assert (two.concentration == 1).all()
    for wrong in (["pretext"], [], 3):
        with pytest.raises(ValueError, match=r"phases must be some of \['annealing', 'finish'\]"):
            separation_concentration(model, phases=wrong)
