import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    hard_assignments,
    hebbian_edges,
    soft_edges,
    squared_distances,
    two_winners,
)

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


def soft_edges_by_loops(distances, temperature, share, saturation):
    n, k = distances.shape
    together = torch.zeros(k, k, dtype=distances.dtype)
    for row in range(n):
        winner = int(distances[row].argmin())
        others = [j for j in range(k) if j != winner]
        chance = torch.softmax(-distances[row, others] / temperature, dim=0)
        for j, c in zip(others, chance, strict=True):
            together[winner, j] += share[row] * c
            together[j, winner] += share[row] * c
    return 1 - torch.exp(-saturation * k * together)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12), k=st.integers(2, 6))
def test_soft_edges_against_loops(make_problem, seed, n, k):
    problem = make_problem(seed, n, 2, k)
    distances = 3 * problem.q
    share = problem.weight / problem.weight.sum()
    expected = soft_edges_by_loops(distances, 0.4, share, 5.0)
    edges = soft_edges(distances, 0.4, problem.weight, 5.0)
    torch.testing.assert_close(edges, expected)
    assert torch.equal(edges, edges.T)
    assert edges.diagonal().abs().max() == 0
    assert edges.min() >= 0
    assert edges.max() <= 1


def test_soft_edges_become_the_counted_ones_as_the_temperature_falls(make_problem):
    z, p, *_ = make_problem(3, 40, 2, 5)
    distances = squared_distances(z, p)
    counts = hebbian_edges(*two_winners(distances), 5).double()
    edges = soft_edges(distances, 1e-6)
    torch.testing.assert_close(edges, -torch.expm1(-16.0 * 5 * counts / 40))
    assert torch.equal(edges > 0, counts > 0)


def test_soft_edges_have_a_right_gradient(make_problem):
    z, p, *_ = make_problem(1, 7, 2, 4)
    distances = squared_distances(z, p).requires_grad_()
    assert torch.autograd.gradcheck(lambda D: soft_edges(D, 2.0), distances)


def test_a_light_edge_is_pushed_out_and_a_heavy_one_left_alone():
    # a hundred samples between 0 and 1, one of prototype 0 near 2 as well
    distances = torch.tensor([[0.0, 1.0, 9.0]] * 100 + [[0.0, 1.0, 0.9]], requires_grad=True)
    soft_edges(distances, 0.2).square().sum().backward()
    heavy, last = distances.grad[:100], distances.grad[100]
    assert last[2] < 0 < last[1]  # descent: away from prototype 2, nearer to prototype 1
    assert heavy.abs().max() < 1e-6 * last.abs().max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distances": torch.ones(3)}, "distances must be"),
        ({"distances": torch.ones(3, 1)}, "at least 2 columns, got 1"),
        ({"temperature": 0.0}, "temperature must be"),
        ({"saturation": -1.0}, "saturation must be"),
        ({"weight": torch.ones(2)}, "weight"),
    ],
)
def test_soft_edges_name_what_is_wrong(change, message):
    arguments = {"distances": torch.ones(3, 2), "temperature": 1.0, **change}
    with pytest.raises(ValueError, match=message):
        soft_edges(**arguments)
