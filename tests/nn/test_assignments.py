import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    assignment_covariance,
    concentration,
    critical_temperature,
    hard_assignments,
    one_hot,
    separation_force,
    soft_assignments,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)


@checked
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 7),
    scale=st.integers(-30, 30),
    temperature=st.integers(-320, 300),
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_soft_assignments_are_on_the_simplex_at_any_scale(dtype, seed, k, scale, temperature):
    generator = torch.Generator().manual_seed(seed)
    distances = torch.rand(5, k, generator=generator, dtype=torch.float64) * 10.0**scale
    q = soft_assignments(distances.to(dtype), 10.0**temperature)
    assert q.dtype == dtype
    assert torch.isfinite(q).all()
    assert (q >= 0).all()
    torch.testing.assert_close(q.sum(1), torch.ones(5, dtype=dtype))


def test_soft_assignments_are_equation_8():
    distances = torch.tensor([[0.3, 1.7, 0.2]], dtype=torch.float64)
    expected = np.exp(-distances.numpy() / 0.7)
    expected /= expected.sum()
    np.testing.assert_allclose(soft_assignments(distances, 0.7).numpy(), expected, rtol=1e-14)


def test_soft_assignments_at_infinite_temperature_are_uniform():
    assert torch.equal(
        soft_assignments(torch.tensor([[0.0, 1e30]]), math.inf), torch.tensor([[0.5, 0.5]])
    )


def test_soft_assignments_share_a_tie_at_tiny_temperature():
    q = soft_assignments(torch.tensor([[1e30, 1e30, 2e30]]), 1e-300)
    assert torch.equal(q, torch.tensor([[0.5, 0.5, 0.0]]))


def test_soft_assignments_gradient():
    distances = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    distances.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: soft_assignments(d, 0.4), (distances,))
    soft_assignments(distances, 1e-300).square().sum().backward()
    assert torch.equal(distances.grad, torch.zeros_like(distances))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, -math.inf, None, "warm", True])
def test_soft_assignments_reject_a_temperature(temperature):
    with pytest.raises(ValueError, match="temperature must be a number > 0, got"):
        soft_assignments(torch.zeros(2, 2), temperature)


def test_hard_assignments_take_the_nearest_and_the_lower_of_a_tie():
    assert hard_assignments(torch.tensor([[2.0, 1.0, 1.0], [0.0, 5.0, 5.0]])).tolist() == [1, 0]


def test_one_hot_agrees_with_torch():
    labels = torch.tensor([2, 0, 1, 2])
    expected = torch.nn.functional.one_hot(labels, 4).double()
    assert torch.equal(one_hot(labels, 4, torch.float64), expected)
    assert one_hot(labels[:0], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), r"must lie in \[0, 3\), got 0 to 3"),
        (torch.tensor([-1, 0]), "got -1 to 0"),
        (torch.tensor([0.0]), "int64"),
        (torch.zeros(1, 1, dtype=torch.int64), "vector"),
    ],
)
def test_one_hot_rejects(labels, message):
    with pytest.raises(ValueError, match=message):
        one_hot(labels, 3)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), k=st.integers(1, 6))
def test_assignment_covariance_is_that_of_a_one_hot_vector(make_problem, seed, n, k):
    q = make_problem(seed, n, 1, k).q
    batch = assignment_covariance(q)
    for row, covariance in zip(q, batch, strict=True):
        brute = sum(
            row[j] * torch.outer(torch.eye(k)[j] - row, torch.eye(k)[j] - row) for j in range(k)
        )
        torch.testing.assert_close(covariance, brute)
        torch.testing.assert_close(covariance, assignment_covariance(row))


@checked
@given(seed=st.integers(0, 10_000), k=st.integers(1, 8))
def test_concentration_and_force_are_complements_within_their_bounds(make_problem, seed, k):
    q = make_problem(seed, 5, 1, k).q
    torch.testing.assert_close(concentration(q) + separation_force(q), torch.ones(5).double())
    assert (concentration(q) >= 1 / k - 1e-12).all()
    assert (concentration(q) <= 1 + 1e-12).all()
    trace = assignment_covariance(q).diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(separation_force(q), trace)


def test_force_keeps_its_digits_near_a_vertex():
    q = torch.tensor([1.0, 1e-12], dtype=torch.float64)
    assert float(separation_force(q)) == pytest.approx(1e-12, rel=1e-9)


def test_covariance_of_a_cube_is_refused():
    with pytest.raises(ValueError, match=r"q must have shape \(k,\) or \(n, k\)"):
        assignment_covariance(torch.zeros(2, 2, 2))


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    d=st.integers(1, 30),
    exponent=st.integers(-20, 20),
)
def test_critical_temperature_against_numpy(make_problem, seed, n, d, exponent):
    z, _, _, weight = make_problem(seed, n, d, 1, scale=10.0**exponent)
    covariance = np.cov(z.numpy(), rowvar=False, ddof=0, aweights=weight.numpy())
    exact = 2 * np.linalg.eigvalsh(np.atleast_2d(covariance))[-1]
    assert critical_temperature(z, weight) == pytest.approx(exact, rel=1e-9)
    equal = 2 * np.linalg.eigvalsh(np.atleast_2d(np.cov(z.numpy(), rowvar=False, ddof=0)))[-1]
    assert critical_temperature(z) == pytest.approx(equal, rel=1e-9)


@pytest.mark.parametrize("shape", [(700, 300), (300, 700)])
def test_critical_temperature_by_iteration(make_problem, shape):
    z = make_problem(0, *shape, 1).z
    exact = 2 * np.linalg.eigvalsh(np.cov(z.numpy(), rowvar=False, ddof=0))[-1]
    assert critical_temperature(z) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(("scale", "offset"), [(1e30, 0.0), (1e-30, 0.0), (1.0, 1e6)])
def test_critical_temperature_of_extreme_float32(make_problem, scale, offset):
    base = make_problem(5, 400, 3, 1).z
    wide = (base * scale + offset).float()
    expected = critical_temperature(wide.double())
    assert critical_temperature(wide) == pytest.approx(expected, rel=2e-2)
    assert expected == pytest.approx(critical_temperature(base) * scale**2, rel=2e-2)


def test_critical_temperature_in_several_row_blocks(make_problem):
    z = make_problem(6, 600_000, 2, 1, dtype=torch.float32).z
    exact = 2 * np.linalg.eigvalsh(np.cov(z.numpy(), rowvar=False, ddof=0))[-1]
    assert critical_temperature(z) == pytest.approx(exact, rel=1e-4)


def test_critical_temperature_of_constant_features_is_zero():
    assert critical_temperature(torch.full((5, 2), 3.0)) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_critical_temperature_rejects_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="z must be finite"):
        critical_temperature(torch.tensor([[0.0], [bad]]))


def test_assignments_do_not_change_the_distances():
    distances = squared_distances(torch.zeros(2, 1), torch.ones(2, 1))
    copy = distances.clone()
    soft_assignments(distances, 0.1)
    assert torch.equal(distances, copy)
