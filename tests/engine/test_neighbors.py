import importlib.util

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from sklearn_ddcl.engine import _neighbors, mutual_neighbors, neighbor_graph

HAVE_APPROXIMATE = importlib.util.find_spec("pynndescent") is not None
needs_pynndescent = pytest.mark.skipif(
    not HAVE_APPROXIMATE, reason="pynndescent, an optional dependency, is not installed"
)


def rows(seed, n, d, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d))).to(dtype)


def generator():
    return torch.Generator().manual_seed(0)


def oracle(x, k):
    tree = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(x.numpy())
    found = tree.kneighbors(return_distance=False)
    return torch.from_numpy(found)


@given(st.integers(0, 999), st.integers(2, 40), st.integers(1, 5), st.integers(1, 8))
def test_the_exact_search_is_that_of_a_tree(seed, n, d, k):
    x, k = rows(seed, n, d), min(k, n - 1)
    assert torch.equal(neighbor_graph(x, k, generator()), oracle(x, k))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_exact_search_is_that_of_a_tree_in_both_types(dtype):
    x = rows(0, 3_000, 3, dtype)
    assert torch.equal(neighbor_graph(x, 5, generator(), "exact"), oracle(x, 5))


@pytest.mark.parametrize("offset", [1e4, 1e8])
def test_a_common_offset_makes_no_difference(offset):
    x = rows(1, 40, 3)
    assert torch.equal(neighbor_graph(x + offset, 4, generator()), oracle(x, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_neighbors", [5, 10_000])
def test_there_are_no_more_neighbours_than_other_rows(dtype, n_neighbors):
    graph = neighbor_graph(rows(2, 6, 2, dtype), n_neighbors, generator())
    assert graph.shape == (6, 5)
    assert graph.dtype == torch.int64
    assert all(sorted([i, *row]) == list(range(6)) for i, row in enumerate(graph.tolist()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_duplicates_are_each_others_neighbours_but_not_their_own(dtype):
    x = rows(3, 4, 2, dtype).repeat_interleave(300, dim=0)
    graph = neighbor_graph(x, 7, generator())
    assert graph.shape == (1200, 7)
    assert all(i not in row and len({*row}) == 7 for i, row in enumerate(graph.tolist()))
    assert torch.equal(graph // 300, (torch.arange(1200) // 300)[:, None].expand(-1, 7))


def test_a_single_row_is_its_own_neighbour():
    assert neighbor_graph(torch.ones(1, 3), 15, generator()).tolist() == [[0]]


def test_many_rows_are_searched_approximately_only_where_that_is_installed(monkeypatch):
    x, asked = rows(3, 30, 2), []
    monkeypatch.setattr(_neighbors, "_EXACT_UP_TO", 29)
    monkeypatch.setattr(_neighbors, "_approximate", lambda *args: asked.append("approximate"))
    monkeypatch.setattr(_neighbors, "_exact", lambda *args: asked.append("exact"))
    for installed in (True, False):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, found=installed: found or None
        )
        neighbor_graph(x, 3, generator())
        neighbor_graph(x[:29], 3, generator())
    assert asked == ["approximate", "exact", "exact", "exact"]


def mutual_oracle(graph):
    """Row by row, from lists."""
    lists, k = graph.tolist(), graph.shape[1]
    found = []
    for i, row in enumerate(lists):
        mutual = [j for j in row if i in lists[j]] or row[:3]
        found.append((mutual * k)[:k])
    return found


@given(st.integers(0, 999), st.integers(2, 60), st.integers(1, 12))
def test_mutual_neighbours_have_the_row_among_theirs(seed, n, k):
    graph = neighbor_graph(rows(seed, n, 2), k, generator())
    assert mutual_neighbors(graph).tolist() == mutual_oracle(graph)


def test_a_single_row_is_its_own_mutual_neighbour():
    graph = neighbor_graph(rows(0, 1, 2), 4, generator())
    assert mutual_neighbors(graph).tolist() == [[0]]


def test_an_outlier_keeps_its_nearest_and_is_nobodys_neighbour():
    x = torch.cat([rows(0, 50, 2), torch.full((1, 2), 99.0).double()])
    graph = neighbor_graph(x, 6, generator())
    found = mutual_neighbors(graph)
    assert found[50].tolist() == graph[50, :3].tolist() * 2
    assert not bool((found[:50] == 50).any())


@pytest.mark.slow  # compiles for most of a minute
@needs_pynndescent
def test_the_approximate_search_finds_nearly_all():
    x = rows(4, 2_000, 8, torch.float32)
    graph = neighbor_graph(x, 10, generator(), "approximate")
    assert torch.equal(graph, neighbor_graph(x, 10, generator(), "approximate"))
    exact = oracle(x, 10).tolist()
    hits = [len(set(a) & set(b)) for a, b in zip(graph.tolist(), exact, strict=True)]
    assert np.mean(hits) > 9
    assert all(i not in row for i, row in enumerate(graph.tolist()))


@pytest.mark.skipif(HAVE_APPROXIMATE, reason="pynndescent is installed")
def test_the_approximate_search_says_what_to_install():
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ddcl\[neighbors\]'"):
        neighbor_graph(rows(0, 5, 2), 2, generator(), "approximate")


def test_an_unknown_search_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"\['approximate', 'auto', 'exact'\]. Got 'fast'"):
        neighbor_graph(rows(0, 5, 2), 2, generator(), "fast")
