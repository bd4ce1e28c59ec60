import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles
from sklearn.metrics import adjusted_rand_score

from sklearn_ddcl.engine import fit_joined

X, Y = make_circles(500, noise=0.04, factor=0.4, random_state=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [2, None])
def test_rings_inside_of_each_other_are_found(dtype, k):
    found = fit_joined(X.astype(dtype), None, k, 40, "cpu", 0)
    assert adjusted_rand_score(Y, found.clusters.labels) == 1.0
    assert found.clusters.prototypes.dtype == dtype
    assert found.joined.gaps[2] == max(found.joined.gaps.values())


def test_the_seed_decides_and_global_states_stay():
    state = torch.get_rng_state()
    runs = [fit_joined(X, None, 2, 40, "cpu", seed).clusters.prototypes for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_rows_of_weight_zero_are_labelled_but_not_trained_on():
    weight = np.r_[np.ones(500), np.zeros(100)]
    rows = np.r_[X, np.random.default_rng(0).uniform(-1, 1, (100, 2))]
    found = fit_joined(rows, weight, 2, 40, "cpu", 0)
    plain = fit_joined(X, None, 2, 40, "cpu", 0)
    np.testing.assert_allclose(found.clusters.prototypes, plain.clusters.prototypes)
    assert len(found.clusters.labels) == 600


def test_more_prototypes_than_rows_of_weight_are_cut():
    weight = np.r_[np.ones(3), np.zeros(497)]
    assert len(fit_joined(X, weight, 2, 40, "cpu", 0).clusters.prototypes) <= 3


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_devices_that_are_not_there_are_refused(device):
    with pytest.raises(ValueError, match="'device' parameter"):
        fit_joined(X, None, 2, 10, device, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_values_that_cannot_be_measured_are_refused(value):
    rows = X.copy()
    rows[0] = value
    with pytest.raises(ValueError, match=r"finite|X has"):
        fit_joined(rows, None, 2, 10, "cpu", 0)
