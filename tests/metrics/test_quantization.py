"""Quantization error against k-means' inertia and a written-out double loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

from sklearn_ddcl.metrics import quantization_error


def test_error_is_the_mean_inertia_of_kmeans():
    X = load_iris().data
    model = KMeans(4, n_init=2, random_state=0).fit(X)
    expected = model.inertia_ / len(X)
    assert quantization_error(X, model.cluster_centers_) == pytest.approx(expected)
    assert quantization_error(sparse.csr_matrix(X), model.cluster_centers_) == pytest.approx(
        expected
    )
    single = quantization_error(X.astype(np.float32), model.cluster_centers_.astype(np.float32))
    assert single == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 10**6))
def test_error_equals_the_double_loop(n_samples, n_prototypes, seed):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(n_samples, 3)), rng.normal(size=(n_prototypes, 3))
    weights = rng.uniform(0.1, 2, n_samples)
    errors = [min(sum((x - p) ** 2) for p in prototypes) for x in X]
    assert quantization_error(X, prototypes) == pytest.approx(np.mean(errors))
    found = quantization_error(X, prototypes, sample_weight=weights)
    assert found == pytest.approx(np.dot(errors, weights) / weights.sum())
    # A prototype more never makes it worse.
    assert quantization_error(X, np.vstack([prototypes, X[:1]])) <= np.mean(errors) + 1e-12


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_extreme_scales_stay_finite(scale):
    X = np.array([[0.0], [1.0], [10.0]]) * scale
    error = quantization_error(X, X[[0, 2]])
    assert error / scale / scale == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("X", "prototypes", "message"),
    [
        ([[np.nan]], [[0.0]], "Input X contains NaN"),
        ([[0.0]], [[np.inf]], "prototypes contains infinity"),
        ([[0.0, 1.0]], [[0.0]], "same number of features, got 2 and 1"),
        (np.ones((0, 2)), [[0.0, 1.0]], "0 sample"),
        ([0.0, 1.0], [[0.0]], "Expected 2D array"),
        ([[0.0]], np.ones((0, 1)), "0 sample"),
    ],
)
def test_bad_input_is_refused(X, prototypes, message):
    with pytest.raises(ValueError, match=message):
        quantization_error(X, prototypes)
