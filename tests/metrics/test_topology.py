"""Topographic error against full rankings, and the adjacency it accepts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

from sklearn_ddcl.metrics import topographic_error


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.integers(2, 6), st.integers(0, 10**6))
def test_error_equals_the_full_ranking(n_samples, n_prototypes, seed):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(n_samples, 2)), rng.normal(size=(n_prototypes, 2))
    edges = rng.random((n_prototypes, n_prototypes)) < 0.3
    ranks = cdist(X, prototypes).argsort(axis=1)
    apart = [not (edges[i, j] or edges[j, i]) for i, j in ranks[:, :2]]
    assert topographic_error(X, prototypes, edges) == pytest.approx(np.mean(apart))
    weights = rng.uniform(0.1, 1, n_samples)
    found = topographic_error(X, prototypes, sparse.csr_array(edges * 3), sample_weight=weights)
    assert found == pytest.approx(np.average(apart, weights=weights))


def test_no_edges_and_all_edges_are_the_extremes():
    X, prototypes = np.arange(6.0)[:, None], np.array([[0.0], [2.0], [5.0]])
    assert topographic_error(X, prototypes, np.zeros((3, 3))) == 1.0
    assert topographic_error(X, prototypes, np.ones((3, 3))) == 0.0
    # The diagonal joins nothing.
    assert topographic_error(X, prototypes, np.eye(3)) == 1.0


def test_the_edges_of_the_hebbian_rule_give_no_error():
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(100, 2)), rng.normal(size=(8, 2))
    ranks = cdist(X, prototypes).argsort(axis=1)
    counts = np.zeros((8, 8))
    np.add.at(counts, (ranks[:, 0], ranks[:, 1]), 1)
    assert topographic_error(X, prototypes, counts) == 0.0


@pytest.mark.parametrize(
    ("prototypes", "edges", "message"),
    [
        ([[0.0]], [[0.0]], "prototypes must have at least 2 rows, got 1"),
        ([[0.0], [1.0]], [[0, 1]], r"adjacency matrix of shape \(2, 2\), got shape \(1, 2\)"),
        ([[0.0], [1.0]], [[0, np.nan], [1, 0]], "edges contains NaN"),
        ([[0.0], [1.0]], [0, 1], "Expected 2D array"),
    ],
)
def test_bad_graphs_are_refused(prototypes, edges, message):
    with pytest.raises(ValueError, match=message):
        topographic_error([[0.5]], prototypes, edges)
