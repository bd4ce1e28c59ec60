"""Hypercube clusters: vertices, noise features, sizes and seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from sklearn_ddcl.datasets import make_madelon_clusters
from sklearn_ddcl.metrics import clustering_accuracy_score


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 20), st.integers(0, 5), st.integers(1, 2), st.integers(0, 99))
def test_clusters_sit_on_distinct_vertices(n_informative, n_noise, n_clusters, seed):
    X, y = make_madelon_clusters(
        400,
        n_informative + n_noise,
        n_clusters=n_clusters,
        n_informative=n_informative,
        separation=100.0,
        shuffle=False,
        random_state=seed,
    )
    assert X.shape == (400, n_informative + n_noise)
    assert y.dtype == np.int64
    means = np.array([X[y == j].mean(axis=0) for j in range(n_clusters)])
    vertices = np.sign(means[:, :n_informative])
    assert len(np.unique(vertices, axis=0)) == n_clusters
    np.testing.assert_allclose(means[:, :n_informative], 50 * vertices, atol=1)
    np.testing.assert_allclose(means[:, n_informative:], 0, atol=1)


def test_every_feature_has_unit_variance_within_a_cluster():
    X, y = make_madelon_clusters(4000, 10, n_clusters=4, n_informative=3, random_state=0)
    for j in range(4):
        np.testing.assert_allclose(X[y == j].std(axis=0), 1, atol=0.1)


def test_all_vertices_can_be_used():
    _, y = make_madelon_clusters(40, 5, n_clusters=32, n_informative=5, random_state=0)
    assert set(np.bincount(y)) == {1, 2}


def test_features_are_shuffled_and_noise_drowns_the_clusters():
    X, y = make_madelon_clusters(100, 10, n_informative=5, random_state=0)
    offsets = np.abs(X[y == 0].mean(0) - X[y == 1].mean(0)) > 1.5
    assert offsets.any()
    assert not offsets[: offsets.sum()].all()
    few, many = (
        clustering_accuracy_score(y, KMeans(2, n_init=3, random_state=0).fit_predict(data))
        for data, y in (
            make_madelon_clusters(100, 10, random_state=1),
            make_madelon_clusters(100, 5000, random_state=1),
        )
    )
    assert few > 0.9 > many


def test_the_seed_decides_everything():
    first, second, other = (make_madelon_clusters(random_state=s)[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_samples": 1},
        {"n_features": 4},
        {"n_clusters": 33},
        {"n_clusters": 0},
        {"n_informative": 0},
        {"n_informative": 1.5},
        {"separation": 0},
        {"separation": np.nan},
    ],
)
def test_parameters_out_of_range_are_named(arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f"{name} must be .* got {arguments[name]!r}"):
        make_madelon_clusters(**arguments)
