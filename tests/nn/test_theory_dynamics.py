"""The DDCL paper's claims on feedback, stability and bounded flows, settled."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    balance_loss,
    coercivity_bound,
    concentration,
    entropy_loss,
    one_hot,
    pairwise_separation,
    paper_coercivity_bound,
    project_simplex,
    quadratic_loss,
    separation_force,
    separation_loss,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
    variance_gradient_prototypes,
)

checked = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 10_000)
positive = st.floats(0.05, 20.0)


def assign(z, p, temperature=1.0):
    return soft_assignments(squared_distances(z, p), temperature)


def energy(z, p, q, balance=0.0, entropy=0.0, separation=0.0, quadratic=0.0):
    """Eq. 41, with the mean over samples in place of the sum."""
    return (
        soft_quantization_loss(squared_distances(z, p), q)
        + balance * balance_loss(q)
        + entropy * entropy_loss(q)
        + separation * separation_loss(p, "sum")
        + quadratic * quadratic_loss(p)
    )


# Theorem 2: the cycle S up, K up, I down, force down, S down ---------------------------------


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(2, 5))
def test_theorem_2_first_arrow_holds_for_scaling_about_the_sample(make_problem, seed, d, k):
    """There distances grow by a factor, which is the same as a lower temperature."""
    z, p, _, _ = make_problem(seed, 1, d, k)
    scaled = [z + s * (p - z) for s in (0.3, 0.7, 1.0, 2.0, 5.0)]
    for a, b in itertools.pairwise(scaled):
        assert pairwise_separation(b) > pairwise_separation(a)
        assert concentration(assign(z, b)) >= concentration(assign(z, a)) - 1e-12


def test_theorem_2_first_arrow_is_false_in_general():
    z = torch.zeros(1, 1)
    near, wide = torch.tensor([[0.1], [2.0]]), torch.tensor([[2.0], [-2.0]])
    assert pairwise_separation(wide) > pairwise_separation(near)
    assert concentration(assign(z, wide)) < concentration(assign(z, near))


def test_theorem_2_great_separation_need_not_concentrate():
    z, p = torch.zeros(1, 1), torch.tensor([[1e3], [-1e3]])
    assert concentration(assign(z, p)).item() == 0.5


@checked
@given(seed=seeds, k=st.integers(2, 6))
def test_theorem_2_no_separation_means_uniform_assignments(make_problem, seed, k):
    z, p, _, _ = make_problem(seed, 4, 2, k)
    collapsed = p[:1] + 1e-9 * p
    torch.testing.assert_close(
        concentration(assign(z, collapsed)), torch.full((4,), 1 / k).double()
    )


def test_theorem_2_the_force_vanishes_at_collapse_where_it_is_said_to_be_greatest():
    """It is Sigma times P: the covariance is greatest there, but the differences are zero."""
    z = torch.tensor([[0.3]], dtype=torch.float64)
    forces, softness = [], []
    for size in (1e-6, 1e-3, 0.5, 1.0, 3.0, 30.0):
        p = torch.tensor([[size], [-size]], dtype=torch.float64)
        q = assign(z, p)
        forces.append(float(torch.linalg.matrix_norm(variance_gradient_prototypes(p, q))))
        softness.append(float(separation_force(q)))
    assert softness == sorted(softness, reverse=True)
    assert forces[0] < 1e-5
    assert forces[0] < forces[1] < forces[2] < forces[3]
    assert forces[5] < forces[3]


def test_theorem_2_an_equilibrium_exists_because_collapse_is_one(make_problem):
    z = make_problem(0, 10, 3, 1).z
    p = z.mean(0).expand(4, 3).clone().requires_grad_()
    loss = soft_quantization_loss(squared_distances(z, p), assign(z, p))
    (gradient,) = torch.autograd.grad(loss, p)
    torch.testing.assert_close(gradient, torch.zeros(4, 3).double(), rtol=0, atol=1e-12)


# Theorem 3 and Corollary 5 -------------------------------------------------------------------


def jacobian_spectrum(a, b, c):
    return np.linalg.eigvals(np.array([[b, -a], [c, 0.0]]))


@checked
@given(a=positive, b=st.floats(-10, 10).filter(lambda b: abs(b) > 1e-3), c=positive)
def test_theorem_3_as_linear_algebra(a, b, c):
    spectrum = jacobian_spectrum(a, b, c)
    assert bool((spectrum.real < 0).all()) is (b < 0)
    assert spectrum.real.sum() == pytest.approx(b, rel=1e-6)
    if abs(b * b - 4 * a * c) > 1e-6:
        assert bool((spectrum.imag != 0).all()) is (b * b < 4 * a * c)


def test_theorem_3_without_damping_is_a_centre():
    spectrum = jacobian_spectrum(2.0, 0.0, 3.0)
    np.testing.assert_allclose(spectrum.real, 0.0, atol=1e-12)
    np.testing.assert_allclose(abs(spectrum.imag), math.sqrt(6.0))


@checked
@given(a=positive, c=positive, share=st.floats(0.01, 0.99))
def test_corollary_5_admits_unstable_equilibria(a, c, share):
    """Its proof takes b < 2 sqrt(ac), the rule for a spiral; stability needs b < 0."""
    b = share * 2 * math.sqrt(a * c)
    spectrum = jacobian_spectrum(a, b, c)
    assert (spectrum.real > 0).all()
    assert (spectrum.imag != 0).all()


# Remark 3 ------------------------------------------------------------------------------------


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(2, 7))
def test_remark_3_the_inequality_has_constant_k(make_problem, seed, d, k):
    p = make_problem(seed, 1, d, k).p
    norm = float(p.square().sum())
    assert -float(separation_loss(p, "sum")) <= k * norm * (1 + 1e-12)
    centred = p - p.mean(0)
    norm = float(centred.square().sum())
    assert -float(separation_loss(centred, "sum")) == pytest.approx(k * norm, rel=1e-12)


def test_remark_3_is_false_for_two_prototypes():
    p = torch.tensor([[1.0], [-1.0]])
    pairs = 1
    assert -float(separation_loss(p, "sum")) == 4.0
    assert pairs * float(p.square().sum()) == 2.0


def test_remark_3_the_bounds_compare_as_stated():
    exact = [coercivity_bound(1.0, k, "sum") for k in range(2, 8)]
    paper = [paper_coercivity_bound(1.0, k, "sum") for k in range(2, 8)]
    assert exact == [4.0, 6.0, 8.0, 10.0, 12.0, 14.0]
    assert paper == [2.0, 6.0, 12.0, 20.0, 30.0, 42.0]


def test_remark_3_even_the_whole_energy_is_unbounded_for_two_prototypes():
    """One prototype carries all samples, the other none; the data cannot hold both."""
    z, q = torch.zeros(3, 1).double(), one_hot(torch.zeros(3).long(), 2, torch.float64)
    quadratic = 2.1
    assert paper_coercivity_bound(1.0, 2, "sum") < quadratic < coercivity_bound(1.0, 2, "sum")
    values = [
        float(
            energy(
                z,
                torch.tensor([[0.95 * r], [-r]], dtype=torch.float64),
                q,
                separation=1.0,
                quadratic=quadratic,
            )
        )
        for r in (1.0, 10.0, 100.0)
    ]
    assert values[0] < 0
    assert values[2] == pytest.approx(1e4 * values[0])


# Theorem 4 and Corollary 6 -------------------------------------------------------------------


def projected_descent(z, p, q, weights, steps=400, rate=0.05):
    """Energies along Eqs. 42-43 in finite steps, and the last prototypes."""
    values = []
    for _ in range(steps):
        p, q = p.requires_grad_(), q.requires_grad_()
        value = energy(z, p, q, **weights)
        values.append(float(value.detach()))
        step_p, step_q = torch.autograd.grad(value, (p, q))
        p = p.detach() - rate * step_p
        q = project_simplex(q.detach() - rate * step_q)
    return values, p


@pytest.mark.parametrize("balance", [0.0, 0.3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_theorem_4_projected_steps_lower_a_coercive_energy(make_problem, seed, balance):
    z, p, q, _ = make_problem(seed, 12, 2, 4)
    quadratic = 1.5 * coercivity_bound(0.05, 4, "sum")
    weights = {"balance": balance, "separation": 0.05, "quadratic": quadratic}
    values, p = projected_descent(z, p, 0.9 * q + 0.1 / 4, weights)
    assert all(b <= a + 1e-10 for a, b in itertools.pairwise(values))
    assert values[-100] - values[-1] < 0.1 * (values[0] - values[100])
    assert p.abs().max() < 10.0


def test_theorem_4_finite_steps_may_rise_where_the_entropy_is_not_smooth(make_problem):
    z, p, q, _ = make_problem(0, 12, 2, 4)
    values, _ = projected_descent(z, p, 0.9 * q + 0.1 / 4, {"entropy": -0.2})
    assert max(b - a for a, b in itertools.pairwise(values)) > 1e-3


@pytest.mark.parametrize("k", [2, 3, 5])
def test_theorem_4_a_positive_quadratic_weight_is_not_enough(make_problem, k):
    """Assumption 4 asks for lambda > 0 only; below the bound the energy has no floor."""
    z = make_problem(0, 5, 1, 1).z
    q = one_hot(torch.zeros(5).long(), k, torch.float64)
    away = torch.linspace(-1.0, 1.0, k, dtype=torch.float64).unsqueeze(1)
    quadratic = 0.5 * coercivity_bound(10.0, k, "sum")
    values = [
        float(energy(z, r * away, q, separation=10.0, quadratic=quadratic)) for r in (1, 10, 100)
    ]
    assert values[0] > values[1] > values[2]
    assert values[2] < -1e4


def test_theorem_4_the_entropy_is_not_differentiable_at_the_border():
    """Assumption 2 fails there for any weight of Eq. 14."""
    slopes = []
    for share in (1e-3, 1e-30, 1e-300):
        q = torch.tensor([[1.0 - share, share]], dtype=torch.float64, requires_grad=True)
        slopes.append(float(torch.autograd.grad(entropy_loss(q), q)[0][0, 1]))
    assert slopes == pytest.approx([5.908, 68.08, 689.8], rel=1e-3)


@checked
@given(seed=seeds, k=st.integers(2, 5), quadratic=st.floats(0.0, 3.0), separation=st.floats(0, 3))
def test_corollary_6_collapse_is_always_a_stationary_point(
    make_problem, seed, k, quadratic, separation
):
    """A unique one is fixed under permutations of the clusters, so it can only be this."""
    z = make_problem(seed, 6, 2, 1).z
    p = (2 * z.mean(0) / (2 + k * quadratic)).expand(k, 2).clone().requires_grad_()
    q = torch.full((6, k), 1 / k, dtype=torch.float64, requires_grad=True)
    value = energy(z, p, q, 0.5, -0.1, separation, quadratic)
    step_p, step_q = torch.autograd.grad(value, (p, q))
    along = step_q - step_q.mean(1, keepdim=True)
    torch.testing.assert_close(step_p, torch.zeros_like(step_p), rtol=0, atol=1e-9)
    torch.testing.assert_close(along, torch.zeros_like(along), rtol=0, atol=1e-9)
