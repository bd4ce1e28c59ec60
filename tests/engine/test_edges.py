import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

from sklearn_ddcl.engine._data import wrap_rows
from sklearn_ddcl.engine._edges import link_prototypes, thin_edges, winning_pairs


def edges_by_loops(X, weight, prototypes):
    counts = np.zeros((len(prototypes),) * 2)
    for gaps, w in zip(cdist(X, prototypes), weight, strict=True):
        first, second = np.argsort(gaps)[:2]
        counts[first, second] += w
        counts[second, first] += w
    return counts


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), m=st.integers(2, 7), d=st.integers(1, 4))
def test_edges_against_loops(seed, m, d):
    rng = np.random.default_rng(seed)
    X, prototypes = rng.normal(size=(40, d)), rng.normal(size=(m, d))
    weight = rng.integers(0, 3, size=40).astype(float)
    weight[0] = 1.0
    graph = link_prototypes(X, weight, prototypes, 0.0, "cpu")
    np.testing.assert_allclose(graph.adjacency.toarray(), edges_by_loops(X, weight, prototypes))
    plain = link_prototypes(sparse.csr_array(X), None, prototypes, 0.0, "cpu")
    expected = edges_by_loops(X, np.ones(40), prototypes)
    np.testing.assert_allclose(plain.adjacency.toarray(), expected)


def test_pairs_over_several_blocks():
    rng = np.random.default_rng(0)
    X, prototypes = rng.normal(size=(40_000, 2)), rng.normal(size=(5, 2))
    rows = wrap_rows(X, None, torch.device("cpu"))
    first, second = winning_pairs(rows, rows.frame.from_data(torch.from_numpy(prototypes)))
    order = np.argsort(cdist(X, prototypes), axis=1)
    np.testing.assert_array_equal(first, order[:, 0])
    np.testing.assert_array_equal(second, order[:, 1])


def test_components_are_what_hangs_together():
    prototypes = np.arange(6.0)[:, None] + np.array([0, 0, 0, 10, 10, 10.0])[:, None]
    X = np.concatenate([prototypes - 0.3, prototypes + 0.3])
    np.testing.assert_array_equal(
        link_prototypes(X, None, prototypes, 0.0, "cpu").components, [0, 0, 0, 1, 1, 1]
    )


def test_one_prototype_is_a_component_of_its_own():
    graph = link_prototypes(np.ones((3, 2)), None, np.ones((1, 2)), 0.1, "cpu")
    assert graph.adjacency.shape == (1, 1)
    assert graph.components.tolist() == [0]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), m=st.integers(2, 8), least=st.floats(0, 10))
def test_thinning_keeps_heavy_edges_and_one_of_each(seed, m, least):
    rng = np.random.default_rng(seed)
    full = np.triu(rng.integers(0, 8, size=(m, m)), 1).astype(float)
    full += full.T
    thin = thin_edges(sparse.csr_array(full), least).toarray()
    assert np.array_equal(thin, thin.T)
    assert np.isin(thin[thin > 0], full).all()
    assert (thin[full >= max(least, 1e-9)] > 0).all()
    np.testing.assert_array_equal(thin.max(axis=1), full.max(axis=1))
    for i, j in np.argwhere((full > 0) & (thin == 0)):
        assert full[i, j] < least


def test_a_stray_sample_joins_nothing():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.uniform(0, 1, 500), rng.uniform(5, 6, 500), [3.05]])[:, None]
    prototypes = np.array([[0.2], [0.8], [5.2], [5.8]])
    assert link_prototypes(X, None, prototypes, 0.0, "cpu").components.max() == 0
    assert link_prototypes(X, None, prototypes, 0.02, "cpu").components.tolist() == [0, 0, 1, 1]


def test_scores_that_cannot_be_had_are_refused():
    with pytest.raises(ValueError, match="too large"):
        link_prototypes(np.full((4, 2), 1e200), None, np.ones((2, 2)), 0.0, "cpu")
