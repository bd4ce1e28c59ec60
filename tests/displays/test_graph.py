"""Graphs of estimators: edges against a double loop, adjacency, pipelines, what is missing."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays._graph import adjacency_edges, estimator_graph, hebbian_edges

X = load_iris().data


def competitive(**changes):
    """Make what a fitted clusterer with a topology of its own has."""
    prototypes = np.array([[5.0, 3, 1, 0], [6, 3, 4, 1], [7, 3, 6, 2]])
    values = {
        "prototypes_": prototypes,
        "adjacency_": sparse.csr_array([[0, 0, 0], [0, 0, 5], [0, 5, 0]]),
        "component_labels_": np.array([0, 1, 1]),
        "prototype_labels_": cdist(X, prototypes).argmin(axis=1),
        "encode": lambda values: values,
    }
    return SimpleNamespace(**{**values, **changes})


def test_hebbian_edges_are_those_of_a_double_loop():
    samples = np.random.default_rng(0).normal(size=(200, 4))  # without ties
    prototypes = samples[::15] + 0.1
    expected = {}
    for row in cdist(samples, prototypes):
        pair = tuple(sorted(row.argsort()[:2].tolist()))
        expected[pair] = expected.get(pair, 0) + 1
    edges, weights = hebbian_edges(samples, prototypes)
    assert dict(zip(map(tuple, edges.tolist()), weights, strict=True)) == expected
    assert weights.sum() == len(samples)


def test_one_prototype_has_no_edge():
    edges, weights = hebbian_edges(X, X[:1])
    assert edges.shape == (0, 2)
    assert weights.shape == (0,)


@pytest.mark.parametrize("kind", [np.array, sparse.csr_array, sparse.coo_matrix])
def test_each_edge_of_an_adjacency_is_listed_once(kind):
    edges, weights = adjacency_edges(kind([[7.0, 0, 2], [0, 0, 3], [2, 3, 0]]), 3)
    assert edges.tolist() == [[0, 2], [1, 2]]
    assert weights.tolist() == [2, 3]


def test_the_estimators_own_topology_comes_first():
    graph = estimator_graph(competitive(), X)
    assert graph.edges.tolist() == [[1, 2]]
    assert graph.weights.tolist() == [5]
    assert graph.clusters.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(graph.features, X)


def test_joined_prototypes_have_the_cluster_that_they_were_joined_to():
    model = DDCLClustering(2, backbone=None, prototypes_per_cluster=4, random_state=0).fit(X)
    graph = estimator_graph(model, X)
    np.testing.assert_array_equal(graph.clusters, model.prototype_labels_)
    np.testing.assert_array_equal(graph.prototypes, model.prototypes_)
    expected = hebbian_edges(X, model.prototypes_.astype(float))
    np.testing.assert_array_equal(graph.edges, expected[0])


def test_a_pipeline_is_read_in_the_space_of_its_last_step():
    pipeline = make_pipeline(StandardScaler(), KMeans(4, n_init=1, random_state=0)).fit(X)
    graph = estimator_graph(pipeline, X)
    np.testing.assert_allclose(graph.features, StandardScaler().fit_transform(X))
    assert graph.clusters.tolist() == [0, 1, 2, 3]
    single = make_pipeline(KMeans(4, n_init=1, random_state=0)).fit(X)
    np.testing.assert_array_equal(estimator_graph(single, X).features, X)


def test_sparse_samples_are_made_dense():
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    np.testing.assert_array_equal(estimator_graph(model, sparse.csr_array(X)).features, X)


@pytest.mark.parametrize("estimator", [KMeans(), DBSCAN().fit(X), SimpleNamespace()])
def test_estimators_without_prototypes_are_named(estimator):
    with pytest.raises(ValueError, match=f"prototypes_ or .* got {type(estimator).__name__}"):
        estimator_graph(estimator, X)


def test_samples_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"X must have 4 features in the space .* \(150, 2\)"):
        estimator_graph(competitive(), X[:, :2])


def test_an_adjacency_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"adjacency_ must have shape \(3, 3\), got \(2, 3\)"):
        estimator_graph(competitive(adjacency_=sparse.csr_array((2, 3))), X)
