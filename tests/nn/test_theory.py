"""The DDCL paper's claims on the decomposition, temperature and gradients, each settled.

A claim that holds is a property; one that does not is kept as a counterexample.
"""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import xlogy
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_ddcl.nn import (
    assignment_covariance,
    concentration,
    decompose_loss,
    dual_prototypes,
    exact_dual_weights,
    hard_assignments,
    ols_loss,
    prototype_variance,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
    variance_gradient_prototypes,
)

checked = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 10_000)
TEMPERATURES = [10.0 ** (e / 8) for e in range(-32, 33)]
# One sample between two near prototypes, and a third one just beyond: V rises, then falls.
ORIGIN = torch.zeros(1, 1, dtype=torch.float64)
THREE = torch.tensor([[-1.0], [1.01], [1.1]], dtype=torch.float64)


def variance_at(z, p, temperature):
    return float(prototype_variance(p, soft_assignments(squared_distances(z, p), temperature)))


def squared_diameter(p):
    return float(torch.cdist(p, p, compute_mode="donot_use_mm_for_euclid_dist").max()) ** 2


def regular_simplex(k):
    """k points at distance 1 from one another."""
    return torch.eye(k, dtype=torch.float64) / 2**0.5


# Theorem 1 and Corollary 1 -------------------------------------------------------------------


@checked
@given(seed=seeds, n=st.integers(1, 5), d=st.integers(1, 4), k=st.integers(2, 5))
def test_theorem_1_equality_only_at_vertices_or_coinciding_prototypes(make_problem, seed, n, d, k):
    _, p, q, _ = make_problem(seed, n, d, k)
    assert float(prototype_variance(p, q.clamp(0.01, 0.99))) > 0.0
    assert float(prototype_variance(p[:1].expand(k, d), q)) == 0.0


def test_corollary_1_is_false_at_the_equilateral_triangle():
    p = regular_simplex(3)
    uniform = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    assert squared_diameter(p) == pytest.approx(1.0)
    assert float(prototype_variance(p, uniform)) == pytest.approx(1 / 3)
    assert 1 / 3 > 1 / 4


@checked
@given(seed=seeds, d=st.integers(1, 6), k=st.integers(1, 7))
def test_corollary_1_with_the_constant_of_jung(make_problem, seed, d, k):
    _, p, q, _ = make_problem(seed, 4, d, k)
    m = min(d, k - 1)
    bound = squared_diameter(p) * m / (2 * (m + 1))
    for row in torch.cat([q, torch.full((1, k), 1 / k, dtype=torch.float64)]):
        assert float(prototype_variance(p, row[None])) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("k", range(2, 9))
def test_the_constant_is_sharp_at_the_regular_simplex(k):
    uniform = torch.full((1, k), 1 / k, dtype=torch.float64)
    assert float(prototype_variance(regular_simplex(k), uniform)) == pytest.approx((k - 1) / 2 / k)


# Proposition 1, Corollary 2 and the covariance -----------------------------------------------


def free_energy(distances, q, temperature):
    return (distances * q).sum(-1) + temperature * torch.xlogy(q, q).sum(-1)


@checked
@given(seed=seeds, k=st.integers(1, 6), temperature=st.floats(0.02, 50.0))
def test_proposition_1_boltzmann_is_the_unique_minimiser(make_problem, seed, k, temperature):
    z, p, other, _ = make_problem(seed, 20, 2, k)
    distances = squared_distances(z, p)
    q = soft_assignments(distances, temperature)
    excess = free_energy(distances, other, temperature) - free_energy(distances, q, temperature)
    # the excess is T KL(other || q): never negative, zero only at q itself
    # (in logarithms: the log of a subnormal q has few digits)
    log_q = torch.log_softmax(-distances / temperature, 1)
    divergence = (torch.xlogy(other, other) - other * log_q).sum(1)
    assert (excess >= -1e-10).all()
    finite = torch.isfinite(divergence)
    torch.testing.assert_close(
        excess[finite], temperature * divergence[finite], rtol=1e-7, atol=1e-9
    )


def test_proposition_1_against_a_general_solver(make_problem):
    z, p, _, _ = make_problem(0, 1, 2, 4)
    distances = squared_distances(z, p)[0].numpy()
    result = minimize(
        lambda q: distances @ q + 2.0 * xlogy(q, q).sum(),
        np.full(4, 0.25),
        bounds=[(1e-12, 1.0)] * 4,
        constraints={"type": "eq", "fun": lambda q: q.sum() - 1.0},
        options={"ftol": 1e-14},
    )
    ours = soft_assignments(torch.from_numpy(distances)[None], 2.0)[0]
    np.testing.assert_allclose(result.x, ours.numpy(), atol=1e-5)


def test_proposition_1_limits_need_a_unique_nearest_prototype():
    distances = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.5, 2.0]])
    assert soft_assignments(distances, 1e-6).tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    hot = soft_assignments(distances, 1e9)
    torch.testing.assert_close(hot, torch.full((2, 3), 1 / 3))


@checked
@given(seed=seeds, d=st.integers(1, 4), offset=st.floats(-3, 3))
def test_corollary_2_holds_for_two_prototypes(make_problem, seed, d, offset):
    z, p, _, _ = make_problem(seed, 3, d, 2)
    curve = [variance_at(z + offset, p, t) for t in TEMPERATURES]
    assert all(b >= a - 1e-12 for a, b in itertools.pairwise(curve))


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(2, 6))
def test_corollary_2_has_the_right_limits(make_problem, seed, d, k):
    z, p, _, _ = make_problem(seed, 3, d, k)
    assert variance_at(z, p, 1e-12) == pytest.approx(0.0, abs=1e-9)
    spread = float((p - p.mean(0)).square().sum(1).mean())
    assert variance_at(z, p, 1e12) == pytest.approx(spread, rel=1e-6)


def test_corollary_2_is_false_for_three_prototypes():
    curve = [variance_at(ORIGIN, THREE, t) for t in (0.02, 0.2, 1.0, 100.0)]
    assert curve == pytest.approx([0.7925, 1.0231, 0.9683, 0.9401], abs=1e-4)


def test_corollary_2_fails_in_about_a_fifth_of_random_cases(make_problem):
    falls = 0
    for seed in range(200):
        z, p, _, _ = make_problem(seed, 1, 2, 3 + seed % 4)
        curve = [variance_at(z, p, t) for t in TEMPERATURES[::2]]
        falls += any(b < a - 1e-6 for a, b in itertools.pairwise(curve))
    assert 0.1 < falls / 200 < 0.4


def test_the_trace_inequality_needs_an_ordering_that_is_missing():
    """tr(Sigma) grows with T, but Sigma itself does not grow in every direction."""
    cold, hot = (
        assignment_covariance(soft_assignments(squared_distances(ORIGIN, THREE), t)[0])
        for t in (0.2, 100.0)
    )
    assert float(hot.trace()) > float(cold.trace())
    assert float(torch.linalg.eigvalsh(hot - cold)[0]) < -0.01


@checked
@given(seed=seeds, n=st.integers(1, 4), k=st.integers(1, 7))
def test_the_trace_of_the_covariance_is_monotone(make_problem, seed, n, k):
    """With b = 1 / T: log K = A(2b) - 2 A(b) for the convex A(b) = log sum exp(-b d)."""
    z, p, _, _ = make_problem(seed, n, 2, k)
    distances = squared_distances(z, p)
    curve = [concentration(soft_assignments(distances, t)) for t in TEMPERATURES]
    assert all((b <= a + 1e-12).all() for a, b in itertools.pairwise(curve))
    log_partition = [torch.logsumexp(-b * distances, 1) for b in (0.7, 1.4)]
    expected = torch.exp(log_partition[1] - 2 * log_partition[0])
    torch.testing.assert_close(concentration(soft_assignments(distances, 1 / 0.7)), expected)


@checked
@given(seed=seeds, k=st.integers(2, 7), zeros=st.integers(0, 5))
def test_properties_of_the_covariance(make_problem, seed, k, zeros):
    q = make_problem(seed, 1, 1, k).q[0].clamp_min(1e-3)
    q[: min(zeros, k - 1)] = 0.0
    q = q / q.sum()
    covariance = assignment_covariance(q)
    eigenvalues = torch.linalg.eigvalsh(covariance)
    assert float(eigenvalues[0]) >= -1e-15
    assert int((eigenvalues > 1e-9).sum()) == int((q > 0).sum()) - 1
    torch.testing.assert_close(covariance.sum(1), torch.zeros(k).double(), rtol=0, atol=1e-15)
    assert 0 <= float(covariance.trace()) <= (k - 1) / k + 1e-12


def test_the_kernel_holds_ones_and_not_q():
    q = torch.tensor([0.75, 0.25], dtype=torch.float64)
    covariance = assignment_covariance(q)
    assert (covariance @ torch.ones(2).double()).abs().max() < 1e-15
    assert (covariance @ q).abs().max() > 0.09


# Proposition 7 -------------------------------------------------------------------------------


def force_at(z, p, temperature):
    q = soft_assignments(squared_distances(z, p), temperature)
    return float(torch.linalg.matrix_norm(variance_gradient_prototypes(p, q)))


@checked
@given(seed=seeds, d=st.integers(1, 4))
def test_proposition_7_holds_for_two_prototypes(make_problem, seed, d):
    z, p, _, _ = make_problem(seed, 1, d, 2)
    curve = [force_at(z, p, t) for t in TEMPERATURES]
    assert all(b >= a - 1e-12 for a, b in itertools.pairwise(curve))


def test_proposition_7_is_false_for_three_prototypes():
    assert force_at(ORIGIN, THREE, 0.2) > 1.1 * force_at(ORIGIN, THREE, 100.0)


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(2, 6))
def test_proposition_7_has_the_right_limits(make_problem, seed, d, k):
    z, p, _, _ = make_problem(seed, 1, d, k)
    assert force_at(z, p, 1e-12) == pytest.approx(0.0, abs=1e-9)
    limit = 2 / k * float(torch.linalg.matrix_norm(p - p.mean(0)))
    assert force_at(z, p, 1e12) == pytest.approx(limit, rel=1e-6)


# Corollary 3 and the hard limit --------------------------------------------------------------


def test_corollary_3_is_false_once_prototypes_are_outputs_of_the_features(make_problem):
    """Equal gradients need detached prototypes as well as detached assignments."""
    z, _, q, _ = make_problem(0, 8, 3, 3)
    w = make_problem(1, 8, 3, 3).q
    z.requires_grad_()
    through, cut = dual_prototypes(z, w), dual_prototypes(z, w).detach()
    gradients = [
        torch.autograd.grad(loss, z, retain_graph=True)[0]
        for p in (through, cut)
        for loss in (soft_quantization_loss(squared_distances(z, p), q), ols_loss(z, p, q))
    ]
    torch.testing.assert_close(gradients[2], gradients[3])
    difference = w @ variance_gradient_prototypes(through.detach(), q)
    torch.testing.assert_close(gradients[0] - gradients[1], difference)
    assert difference.abs().max() > 0.01


def test_the_cold_limit_is_k_means():
    X = load_digits().data[:500] / 16.0
    kmeans = KMeans(10, n_init=1, random_state=0, tol=0.0).fit(X)
    z, p = torch.from_numpy(X), torch.from_numpy(kmeans.cluster_centers_)
    distances = squared_distances(z, p)
    q = soft_assignments(distances, 1e-9)
    parts = decompose_loss(z, p, q)
    assert hard_assignments(distances).tolist() == kmeans.labels_.tolist()
    assert float(parts.quantization) * 500 == pytest.approx(kmeans.inertia_, rel=1e-9)
    assert float(parts.ols) * 500 == pytest.approx(kmeans.inertia_, rel=1e-9)
    assert float(parts.variance) == pytest.approx(0.0, abs=1e-12)
    torch.testing.assert_close(dual_prototypes(z, exact_dual_weights(q)), p)
