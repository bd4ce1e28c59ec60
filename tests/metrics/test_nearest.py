"""The blocked search for two winners against the full distance matrix."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

from sklearn_ddcl.metrics import _nearest
from sklearn_ddcl.metrics._nearest import nearest_two


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 5), st.integers(0, 10**6))
def test_winners_equal_the_full_matrix(n_samples, n_prototypes, n_features, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    prototypes = rng.normal(size=(n_prototypes, n_features))
    distances = cdist(X, prototypes, "sqeuclidean")
    winners, squared = nearest_two(X, prototypes)
    np.testing.assert_allclose(squared, distances.min(axis=1), rtol=1e-10)
    np.testing.assert_array_equal(winners, distances.argsort(axis=1)[:, :2])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_blocks_and_sparse_rows_change_nothing(kind, monkeypatch):
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(50, 4)), rng.normal(size=(6, 4))
    expected = nearest_two(X, prototypes)
    monkeypatch.setattr(_nearest, "_BLOCK_ELEMENTS", 35)
    for found, wanted in zip(nearest_two(kind(X), prototypes), expected, strict=True):
        np.testing.assert_allclose(found, wanted)


def test_far_from_the_origin_no_digits_are_lost():
    rng = np.random.default_rng(0)
    prototypes = rng.normal(size=(3, 2)) + 1e6
    _, squared = nearest_two(prototypes + 1e-3, prototypes)
    np.testing.assert_allclose(squared, 2e-6, rtol=1e-5)


def test_of_equal_prototypes_the_lower_numbers_win():
    winners, squared = nearest_two(np.zeros((2, 1)), np.zeros((4, 1)))
    np.testing.assert_array_equal(winners, [[0, 1], [0, 1]])
    np.testing.assert_array_equal(squared, [0.0, 0.0])


def test_memory_does_not_grow_with_samples_times_prototypes():
    X, prototypes = np.zeros((100_000, 4), dtype=np.float32), np.zeros((300, 4))
    tracemalloc.start()
    nearest_two(X, prototypes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80e6  # the full matrix would take 240 MB
