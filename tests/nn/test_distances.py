import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import euclidean_distances

from sklearn_ddcl.nn import (
    mean_distance,
    pairwise_separation,
    prototype_distances,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    d=st.integers(1, 6),
    k=st.integers(1, 6),
    exponent=st.integers(-100, 100),
)
def test_squared_distances_against_differences(make_problem, seed, n, d, k, exponent):
    z, p, _, _ = make_problem(seed, n, d, k, scale=10.0**exponent)
    brute = (z[:, None] - p[None]).square().sum(2)
    largest = float(z.square().sum(1).max() + p.square().sum(1).max())
    torch.testing.assert_close(squared_distances(z, p), brute, rtol=1e-12, atol=1e-14 * largest)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_squared_distances_against_sklearn(make_problem, dtype):
    z, p, _, _ = make_problem(0, 30, 5, 4, dtype=dtype)
    result = squared_distances(z, p)
    assert result.dtype == dtype
    oracle = torch.from_numpy(euclidean_distances(z.numpy(), p.numpy(), squared=True))
    torch.testing.assert_close(result, oracle.to(dtype), rtol=1e-5, atol=1e-5)


def test_squared_distances_are_never_negative_for_coinciding_points(make_problem):
    z, _, _, _ = make_problem(3, 50, 7, 2, offset=1e4, dtype=torch.float32)
    assert (squared_distances(z, z) >= 0).all()


def test_precomputed_norms_change_nothing(make_problem):
    z, p, _, _ = make_problem(1, 9, 3, 2)
    assert torch.equal(squared_distances(z, p), squared_distances(z, p, z.square().sum(1)))


def test_squared_distances_gradient(make_problem):
    z, p, _, _ = make_problem(2, 5, 3, 2)
    assert torch.autograd.gradcheck(squared_distances, (z.requires_grad_(), p.requires_grad_()))


def test_inputs_are_not_changed(make_problem):
    z, p, _, _ = make_problem(4, 5, 3, 2)
    copies = z.clone(), p.clone()
    squared_distances(z, p)
    prototype_distances(p)
    assert torch.equal(z, copies[0])
    assert torch.equal(p, copies[1])


def test_prototype_distances_keep_digits_under_an_offset():
    p = torch.tensor([[1e8, 0.0], [1e8 + 1.0, 0.0], [1e8, 1e-9]], dtype=torch.float64)
    rows = [[0.0, 1.0, 1e-18], [1.0, 0.0, 1.0], [1e-18, 1.0, 0.0]]
    expected = torch.tensor(rows, dtype=torch.float64)
    torch.testing.assert_close(prototype_distances(p), expected, rtol=1e-12, atol=0.0)


def test_prototype_distances_have_a_finite_gradient_where_prototypes_coincide():
    p = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    prototype_distances(p).sum().backward()
    assert torch.equal(p.grad, torch.zeros(3, 2, dtype=torch.float64))


@checked
@given(seed=st.integers(0, 10_000), d=st.integers(1, 5), k=st.integers(2, 7))
def test_separation_is_the_mean_over_pairs(make_problem, seed, d, k):
    p = make_problem(seed, 1, d, k, offset=3.0).p
    pairs = [float((p[i] - p[j]).square().sum()) for i, j in itertools.combinations(range(k), 2)]
    assert float(pairwise_separation(p)) == pytest.approx(sum(pairs) / len(pairs), rel=1e-12)


def test_separation_of_one_or_coinciding_prototypes_is_zero():
    assert float(pairwise_separation(torch.tensor([[3.0, 1.0]]))) == 0.0
    assert float(pairwise_separation(torch.full((4, 2), 7.0))) == 0.0


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="z and p must have the same number of columns"):
        squared_distances(torch.zeros(3, 2), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="z must be a 2-D"):
        squared_distances(torch.zeros(3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"z_squared_norms must have shape \(3,\)"):
        squared_distances(torch.zeros(3, 2), torch.zeros(2, 2), torch.zeros(4))
    with pytest.raises(ValueError, match="p must have rows"):
        pairwise_separation(torch.zeros(0, 2))


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    k=st.integers(1, 6),
    exponent=st.integers(-30, 30),
)
def test_the_mean_distance_scales(make_problem, seed, n, k, exponent):
    z, p, _, weight = make_problem(seed, n, 3, k)
    distances = squared_distances(z, p)
    assert mean_distance(distances) == pytest.approx(float(distances.mean()), rel=1e-12)
    share = weight / weight.sum()
    weighted = float((share[:, None] * distances).sum()) / k
    assert mean_distance(distances, weight) == pytest.approx(weighted, rel=1e-12)
    scaled = mean_distance(distances * 10.0**exponent)
    assert scaled == pytest.approx(float(distances.mean()) * 10.0**exponent, rel=1e-12)


def test_the_mean_of_the_largest_numbers_is_finite_and_of_zeros_zero():
    largest = torch.finfo(torch.float64).max
    assert mean_distance(torch.full((3, 2), largest, dtype=torch.float64)) == largest
    assert mean_distance(torch.zeros(3, 2)) == 0.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_the_mean_distance_must_be_finite(bad):
    with pytest.raises(ValueError, match="distances must be finite"):
        mean_distance(torch.tensor([[1.0, bad]]))
