"""The DDCL paper's claims on prototype collapse (Propositions 5 and 6), settled."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_moons

from sklearn_ddcl.nn import (
    critical_temperature,
    ols_gradient_prototypes,
    ols_loss,
    prototype_variance,
    quantization_gradient_prototypes,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
    variance_gradient_prototypes,
)

checked = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 10_000)


def quantization(z, p, q):
    return soft_quantization_loss(squared_distances(z, p), q)


def gradient_of(loss, z, p, temperature, stop):
    """Gradient by prototypes of a base loss with assignments recomputed from them."""
    p = p.detach().requires_grad_()
    q = soft_assignments(squared_distances(z, p), temperature)
    return torch.autograd.grad(loss(z, p, q.detach() if stop else q), p)[0]


# Rates of growth, in gradient flow, of a small difference along a covariance eigenvector of
# eigenvalue e between two prototypes at the mean; the assignments are recomputed.
RATES = {
    "quantization, stop-gradient": (quantization, True, lambda e, t: 2 * e / t - 1),
    "quantization, full gradient": (quantization, False, lambda e, t: 4 * e / t - 1),
    "ols, stop-gradient": (ols_loss, True, lambda e, t: 2 * e / t),
    "ols, full gradient": (ols_loss, False, lambda e, t: 4 * e / t),
}


@pytest.fixture(scope="module")
def moons():
    z = torch.from_numpy(make_moons(120, noise=0.05, random_state=0)[0])
    return z - z.mean(0)


def directions(z):
    return torch.linalg.eigh(torch.cov(z.T, correction=0).reshape(z.shape[1], z.shape[1]))


# Proposition 5 -------------------------------------------------------------------------------


@checked
@given(seed=seeds, d=st.integers(1, 4))
def test_proposition_5_gradients_share_a_direction_but_not_a_length(make_problem, seed, d):
    z, p, q, _ = make_problem(seed, 1, d, 3)
    p[1] = p[0]
    first, second, _ = ols_gradient_prototypes(z, p, q)
    torch.testing.assert_close(first * q[0, 1], second * q[0, 0])


def test_proposition_5_unequal_assignments_do_pull_coinciding_prototypes_apart():
    z = torch.tensor([[1.0]], dtype=torch.float64)
    p = torch.zeros(2, 1, dtype=torch.float64)
    q = torch.tensor([[0.8, 0.2]], dtype=torch.float64)
    moved = p - 0.1 * ols_gradient_prototypes(z, p, q)
    assert float(moved[0] - moved[1]) == pytest.approx(0.12)


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_proposition_5_collapse_repels_under_ols_at_every_temperature(moons, factor):
    """Reconstruction, which the paper calls collapsing, separates; see RATES."""
    assert simulate(moons, ols_loss, True, factor) > 0.5
    assert simulate(moons, ols_loss, False, factor) > 0.5


# Proposition 6 and Eq. 33 --------------------------------------------------------------------


@checked
@given(seed=seeds, d=st.integers(1, 4), epsilon=st.floats(1e-4, 1.0))
def test_equation_33_has_the_opposite_sign_for_fixed_assignments(make_problem, seed, d, epsilon):
    z, centre, q, _ = make_problem(seed, 1, d, 2)
    u = torch.nn.functional.normalize(make_problem(seed + 1, 1, d, 2).p[0], dim=0)
    p = torch.stack([centre[0] + epsilon * u, centre[0] - epsilon * u])
    force = -quantization_gradient_prototypes(z, p, q)
    relative = float((force[0] - force[1]) @ u)
    pull = float(-2 * (q[0, 0] - q[0, 1]) * ((centre[0] - z[0]) @ u))
    claimed = 2 * epsilon * float(q.sum())
    assert relative == pytest.approx(pull - claimed, rel=1e-9, abs=1e-12)


def test_fixed_equal_assignments_contract_at_rate_one(make_problem):
    z, p, _, _ = make_problem(0, 20, 3, 2)
    q = torch.full((20, 2), 0.5, dtype=torch.float64)
    gap = float(torch.linalg.vector_norm(p[0] - p[1]))
    for _ in range(50):
        p = p - 0.01 * quantization_gradient_prototypes(z, p, q)
    assert float(torch.linalg.vector_norm(p[0] - p[1])) == pytest.approx(gap * 0.99**50)


def test_fixed_equal_assignments_are_neutral_under_ols(make_problem):
    z, p, _, _ = make_problem(0, 20, 3, 2)
    q = torch.full((20, 2), 0.5, dtype=torch.float64)
    moved = p - ols_gradient_prototypes(z, p, q)
    torch.testing.assert_close(moved[0] - moved[1], p[0] - p[1])


@checked
@given(seed=seeds, n=st.integers(1, 5), d=st.integers(1, 4), k=st.integers(2, 5))
def test_descent_on_the_variance_lowers_it(make_problem, seed, n, d, k):
    """The gradient of V points to more spread, so a step against it means less."""
    _, p, q, _ = make_problem(seed, n, d, k)
    moved = p - 0.1 * variance_gradient_prototypes(p, q)
    before, after = float(prototype_variance(p, q)), float(prototype_variance(moved, q))
    assert after <= before
    # V is a quadratic form in P with curvature at most 1: a step of 0.1 keeps (1 - 0.2)^2 of it
    assert after >= 0.64 * before * (1 - 1e-9)


@checked
@given(seed=seeds, d=st.integers(1, 4), temperature=st.floats(0.2, 20.0))
@pytest.mark.parametrize("name", RATES)
def test_rates_of_growth_at_the_collapsed_point(make_problem, name, seed, d, temperature):
    loss, stop, rate = RATES[name]
    z = make_problem(seed, 15, d, 1).z
    z = z - z.mean(0)
    values, vectors = directions(z)
    for value, vector in zip(values, vectors.T, strict=True):
        p = 1e-5 * torch.stack([vector, -vector])
        force = -gradient_of(loss, z, p, temperature, stop)
        measured = float((force[0] - force[1]) @ vector) / 2e-5
        assert measured == pytest.approx(rate(float(value), temperature), rel=1e-4, abs=1e-4)


@checked
@given(seed=seeds, k=st.integers(2, 6), temperature=st.floats(0.5, 20.0))
def test_the_critical_temperature_is_the_same_for_any_number(make_problem, seed, k, temperature):
    """For k prototypes the rate is 2 / k times that of the table's first row."""
    z = make_problem(seed, 15, 3, 1).z
    z = z - z.mean(0)
    values, vectors = directions(z)
    shape = make_problem(seed, 1, 1, k).p
    shape = shape - shape.mean(0)
    p = 1e-5 * shape * vectors[:, -1]
    force = -gradient_of(quantization, z, p, temperature, stop=True)
    expected = 2 / k * (2 * float(values[-1]) / temperature - 1)
    torch.testing.assert_close(
        force @ vectors[:, -1], expected * 1e-5 * shape[:, 0], rtol=1e-3, atol=1e-9
    )
    assert 2 * float(values[-1]) == pytest.approx(critical_temperature(z), rel=1e-9)


def simulate(z, loss, stop, factor, steps=400):
    """Distance of two prototypes that start almost together, at a relative temperature."""
    start = 1e-2 * directions(z)[1][:, -1]
    p = torch.stack([start, -start])
    temperature = factor * critical_temperature(z)
    for _ in range(steps):
        p = p - 0.3 * gradient_of(loss, z, p, temperature, stop)
    return float(torch.linalg.vector_norm(p[0] - p[1]))


@pytest.mark.parametrize(
    ("stop", "factor", "apart"),
    [(True, 0.8, True), (True, 1.2, False), (False, 1.5, True), (False, 2.4, False)],
)
def test_proposition_6_holds_below_a_critical_temperature_only(moons, stop, factor, apart):
    """Stop-gradient: critical at 2 e. Full gradient: at 4 e, twice the reference scale."""
    gap = simulate(moons, quantization, stop, factor)
    assert (gap > 0.3) if apart else (gap < 1e-3)


@checked
@given(seed=seeds, size=st.floats(0.01, 10.0), factor=st.floats(2.0, 5.0))
def test_above_twice_the_critical_temperature_collapse_is_best(make_problem, seed, size, factor):
    """For prototypes at mean +- delta, as y tanh y <= y^2 the full loss is least at delta = 0."""
    z = make_problem(seed, 15, 3, 1).z
    z = z - z.mean(0)
    delta = size * make_problem(seed + 1, 1, 3, 1).p
    p = torch.cat([delta, -delta])
    q = soft_assignments(squared_distances(z, p), factor * critical_temperature(z))
    assert quantization(z, p, q) >= z.square().sum(1).mean() - 1e-12


# What stop-gradient descends -----------------------------------------------------------------


def free_energy(z, p, temperature):
    distances = squared_distances(z, p)
    return -temperature * torch.logsumexp(-distances / temperature, dim=1).mean()


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(1, 5), temperature=st.floats(0.05, 20.0))
def test_stop_gradient_is_the_gradient_of_the_free_energy(make_problem, seed, d, k, temperature):
    z, p, _, _ = make_problem(seed, 10, d, k)
    p.requires_grad_()
    (expected,) = torch.autograd.grad(free_energy(z, p, temperature), p)
    ours = gradient_of(quantization, z, p, temperature, stop=True)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 5.0])
def test_the_free_energy_falls_along_stop_gradient_steps(moons, temperature):
    p = moons[:6].clone()
    values = []
    for _ in range(60):
        values.append(float(free_energy(moons, p, temperature)))
        p = p - 0.4 * gradient_of(quantization, moons, p, temperature, stop=True)
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(values))
    assert values[-1] < values[0] - 1e-3
    assert math.isfinite(values[-1])
