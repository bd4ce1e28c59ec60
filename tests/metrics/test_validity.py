"""Validity indices against scikit-learn on dense input, and dense against sparse."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import metrics as sklearn_metrics
from sklearn.datasets import load_iris

from sklearn_ddcl.metrics import _validity as validity

X = load_iris().data


@pytest.fixture(params=[2, 3, 20, 149])
def codes(request):
    labels = np.random.default_rng(request.param).integers(0, request.param, len(X))
    return np.unique(labels, return_inverse=True)[1]


def test_indices_equal_scikit_learn(codes):
    assert validity.negated_davies_bouldin(X, codes) == pytest.approx(
        -sklearn_metrics.davies_bouldin_score(X, codes)
    )
    assert validity.calinski_harabasz(X, codes) == pytest.approx(
        sklearn_metrics.calinski_harabasz_score(X, codes)
    )
    assert validity.sampled_silhouette(X, codes, 1000) == pytest.approx(
        sklearn_metrics.silhouette_score(X, codes)
    )


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_equals_dense(codes, kind, monkeypatch):
    monkeypatch.setattr(validity, "_BLOCK_ELEMENTS", 100)
    for index in (validity.negated_davies_bouldin, validity.calinski_harabasz):
        assert index(kind(X), codes) == pytest.approx(index(X, codes))
    assert validity.sampled_silhouette(kind(X), codes, 1000) == pytest.approx(
        validity.sampled_silhouette(X, codes, 1000)
    )


def test_indices_ignore_scale_and_origin():
    codes = load_iris().target
    moved = X * 1e-9 + 1e-6
    for index in (validity.negated_davies_bouldin, validity.calinski_harabasz):
        assert index(moved, codes) == pytest.approx(index(X, codes))
    assert validity.sampled_silhouette(X + 1e6, codes, 1000) == pytest.approx(
        validity.sampled_silhouette(X, codes, 1000), rel=1e-6
    )


def test_coinciding_centroids_are_not_a_good_davies_bouldin_index():
    points, codes = np.array([[-1.0], [1.0], [-2.0], [2.0]]), np.array([0, 0, 1, 1])
    assert sklearn_metrics.davies_bouldin_score(points, codes) == 0.0  # its best value
    assert validity.negated_davies_bouldin(points, codes) is None


def test_davies_bouldin_is_cut_at_its_worst_value():
    points = np.array([[-1.0], [1.0], [-1.0 + 1e-9], [1.0 + 1e-9]])
    found = validity.negated_davies_bouldin(points, np.array([0, 0, 1, 1]))
    assert found == validity.WORST_DAVIES_BOULDIN


def test_calinski_harabasz_without_spread_follows_scikit_learn():
    points, codes = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1])
    assert validity.calinski_harabasz(points, codes) == 1.0
    assert sklearn_metrics.calinski_harabasz_score(points, codes) == 1.0


def test_large_samples_are_reduced_to_a_fixed_subset():
    codes = load_iris().target
    found = validity.sampled_silhouette(X, codes, 100)
    assert found == validity.sampled_silhouette(X, codes, 100)
    assert found != validity.sampled_silhouette(X, codes, 1000)
    assert found == pytest.approx(validity.sampled_silhouette(X, codes, 1000), abs=0.1)


def test_a_subset_without_two_clusters_has_no_silhouette():
    codes = np.zeros(len(X), dtype=int)
    codes[0] = 1
    assert validity.sampled_silhouette(X, codes, 3) is None
