import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import hard_assignments, hebbian_edges, two_winners

checked = settings(deadline=None, max_examples=40)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20), k=st.integers(2, 8), ties=st.booleans())
def test_two_winners_against_sorting(seed, n, k, ties):
    generator = torch.Generator().manual_seed(seed)
    distances = torch.rand(n, k, generator=generator)
    if ties:
        distances = (3 * distances).floor()
    first, second = two_winners(distances)
    order = distances.argsort(dim=1, stable=True)
    assert torch.equal(first, order[:, 0])
    assert torch.equal(second, order[:, 1])
    assert torch.equal(first, hard_assignments(distances))


def test_two_winners_differ_even_among_infinite_distances():
    first, second = two_winners(torch.tensor([[0.0, math.inf], [math.inf, math.inf]]))
    assert (first != second).all()


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(2, 6))
def test_edges_against_a_loop(make_problem, seed, n, k):
    first, second = two_winners(make_problem(seed, n, 1, k).q)
    weight = make_problem(seed, n, 1, k).weight
    counts = torch.zeros(k, k, dtype=torch.int64)
    weighted = torch.zeros(k, k, dtype=torch.float64)
    for i, j, w in zip(first.tolist(), second.tolist(), weight.tolist(), strict=True):
        for a, b in ((i, j), (j, i)):
            counts[a, b] += 1
            weighted[a, b] += w
    assert torch.equal(hebbian_edges(first, second, k), counts)
    edges = hebbian_edges(first, second, k, weight)
    torch.testing.assert_close(edges, weighted)
    assert torch.equal(edges, edges.T)
    assert torch.equal(edges.diagonal(), torch.zeros(k, dtype=torch.float64))


def test_no_samples_give_no_edges():
    empty = torch.zeros(0, dtype=torch.int64)
    assert torch.equal(hebbian_edges(empty, empty, 3), torch.zeros(3, 3, dtype=torch.int64))


def test_weights_keep_their_type():
    one = torch.tensor([1])
    assert hebbian_edges(one, one - 1, 2, torch.ones(1)).dtype == torch.float32


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([0, 1], [0, 0], "must differ"),
        ([0, 3], [1, 0], r"first must lie in \[0, 3\)"),
        ([0, 1], [1, -1], "second must lie in"),
        ([0, 1], [1], "same length"),
        ([0.0], [1], "first must be a vector of int64"),
    ],
)
def test_edges_reject(first, second, message):
    with pytest.raises(ValueError, match=message):
        hebbian_edges(torch.tensor(first), torch.tensor(second), 3)


def test_a_wrong_weight_shape_is_refused():
    one = torch.tensor([1])
    with pytest.raises(ValueError, match="weight must have shape"):
        hebbian_edges(one, one - 1, 2, torch.ones(2))


def test_one_prototype_has_no_second_winner():
    with pytest.raises(ValueError, match="at least 2 columns, got 1"):
        two_winners(torch.zeros(3, 1))
