"""Algorithm 2 against its triple loop, Eq. 17 against a quadratic program, Eq. 21 by autograd."""

import cvxopt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sklearn_ddcl.nn.widrow_hoff import (
    incremental_loss,
    project_to_simplex,
    widrow_hoff_assignments,
    widrow_hoff_path,
)

checked = settings(deadline=None, max_examples=40)
cvxopt.solvers.options["show_progress"] = False
sizes = {
    "seed": st.integers(0, 10_000),
    "n": st.integers(1, 6),
    "d": st.integers(1, 5),
    "k": st.integers(1, 6),
}


def simplex_by_bisection(v):
    """Projection by definition: the shift at which the positive parts sum to 1."""
    low, high = v.max() - 1.0, v.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(v - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(v - (low + high) / 2, 0.0)


def triple_loop(z, p, step_size, start=None):
    """Algorithm 2 as it is printed: batch x features x samples, r(t) being column t of P."""
    n, d = z.shape
    k = len(p)
    path = np.zeros((d, n, k))
    q = np.full((n, k), 1.0 / k) if start is None else start.copy()
    for t in range(d):
        for i in range(n):
            error = z[i, t] - sum(p[j, t] * q[i, j] for j in range(k))
            moved = np.array([q[i, j] + step_size * error * p[j, t] for j in range(k)])
            path[t, i] = simplex_by_bisection(moved)
        q = path[t].copy()
    return path


def triple_sum(z, p, path, alpha, weight):
    """Eq. 21: features seen so far, assignments of their time."""
    weight = weight / weight.sum()
    total = 0.0
    for t in range(z.shape[1]):
        for i in range(z.shape[0]):
            for s in range(t + 1):
                error = z[i, s] - sum(p[j, s] * path[t, i, j] for j in range(len(p)))
                total += alpha[t] * weight[i] * error**2
    return total


def best_assignment(z, p):
    """Eq. 17 as a quadratic program."""
    k = len(p)
    matrix = cvxopt.matrix
    found = cvxopt.solvers.qp(
        matrix(2.0 * p @ p.T),
        matrix(-2.0 * p @ z),
        matrix(-np.eye(k)),
        matrix(np.zeros(k)),
        matrix(np.ones((1, k))),
        matrix(1.0),
        options={"show_progress": False, "abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12},
    )
    return np.array(found["x"]).ravel()


# --- the simplex


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 5),
    k=st.integers(1, 12),
    exponent=st.integers(-6, 12),
)
def test_the_projection_satisfies_the_conditions_of_optimality(seed, n, k, exponent):
    generator = torch.Generator().manual_seed(seed)
    v = 10.0**exponent * torch.randn(n, k, generator=generator, dtype=torch.float64)
    q = project_to_simplex(v)
    assert (q >= 0).all()
    scale = 10.0 ** max(exponent, 0)
    torch.testing.assert_close(q.sum(1), torch.ones(n).double(), rtol=0, atol=1e-15 * k * scale)
    # Karush, Kuhn, Tucker: v - q is constant where q > 0, and nowhere larger
    multiplier = v - q
    for row, support in zip(multiplier, q > 0, strict=True):
        assert float(row[support].max() - row[support].min()) <= 4e-15 * k * scale
        assert bool((row[~support] <= row[support].min() + 4e-15 * k * scale).all())


@checked
@given(seed=st.integers(0, 10_000), k=st.integers(2, 6))
def test_the_projection_is_the_nearest_point(seed, k):
    v = np.random.default_rng(seed).normal(size=k)
    nearest = minimize(
        lambda q: ((q - v) ** 2).sum(),
        np.full(k, 1.0 / k),
        jac=lambda q: 2 * (q - v),
        bounds=[(0, None)] * k,
        constraints={"type": "eq", "fun": lambda q: q.sum() - 1, "jac": lambda q: np.ones(k)},
        method="SLSQP",
        options={"ftol": 1e-14},
    ).x
    np.testing.assert_allclose(project_to_simplex(torch.from_numpy(v)), nearest, atol=1e-6)


def test_what_is_on_the_simplex_stays():
    q = torch.softmax(torch.randn(20, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    q[:5] = torch.eye(5)
    torch.testing.assert_close(project_to_simplex(q), q)


def test_a_common_shift_of_any_size_changes_no_digit():
    v = torch.tensor([0.25, 0.5, -1.0], dtype=torch.float64)
    for shift in (2.0**20, -(2.0**40)):
        assert torch.equal(project_to_simplex(v + shift), project_to_simplex(v))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_leading_axes_and_types_are_kept(dtype):
    v = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    q = project_to_simplex(v)
    assert q.shape == v.shape
    assert q.dtype == dtype
    assert torch.equal(q[1, 0], project_to_simplex(v[1, 0]))


# --- assignments


@checked
@given(step_size=st.floats(0.01, 3.0), **sizes)
def test_the_path_is_that_of_the_triple_loop(make_problem, seed, n, d, k, step_size):
    z, p, q, _ = make_problem(seed, n, d, k)
    found = widrow_hoff_path(z, p, step_size)
    np.testing.assert_allclose(found, triple_loop(z.numpy(), p.numpy(), step_size), atol=1e-12)
    found = widrow_hoff_path(z, p, step_size, q)
    oracle = triple_loop(z.numpy(), p.numpy(), step_size, q.numpy())
    np.testing.assert_allclose(found, oracle, atol=1e-12)


@checked
@given(n_sweeps=st.integers(1, 4), **sizes)
def test_sweeps_begin_where_the_last_one_ended_with_smaller_steps(
    make_problem, seed, n, d, k, n_sweeps
):
    z, p, _, _ = make_problem(seed, n, d, k)
    q = None
    for sweep in range(1, n_sweeps + 1):
        q = triple_loop(z.numpy(), p.numpy(), 0.7 / sweep**0.75, q)[-1]
    np.testing.assert_allclose(widrow_hoff_assignments(z, p, 0.7, n_sweeps), q, atol=1e-11)


@pytest.mark.parametrize("seed", range(6))
def test_many_sweeps_come_to_the_best_assignments(make_problem, seed):
    z, p, _, _ = make_problem(seed, 4, 5, 3)
    step_size = 1.0 / float(p.square().sum(dim=0).max())
    q = widrow_hoff_assignments(z, p, step_size, 1_000).numpy()
    for row, found in zip(z.numpy(), q, strict=True):
        best = best_assignment(row, p.numpy())
        least, reached = (((row - a @ p.numpy()) ** 2).sum() for a in (best, found))
        assert least - 1e-9 <= reached <= least + 5e-3


def test_a_mixture_of_prototypes_is_found_again(make_problem):
    _, p, q, _ = make_problem(3, 6, 5, 3)
    step_size = 1.0 / float(p.square().sum(dim=0).max())
    found = widrow_hoff_assignments(q @ p, p, step_size, 1_000)
    torch.testing.assert_close(found, q, atol=1e-3, rtol=0)


def test_one_prototype_takes_everything():
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    path = widrow_hoff_path(z, torch.ones(1, 3), 0.5)
    assert torch.equal(path, torch.ones(3, 5, 1))


def test_the_path_changes_no_input(make_problem):
    z, p, q, _ = make_problem(0, 4, 3, 2)
    copies = z.clone(), p.clone(), q.clone()
    widrow_hoff_path(z, p, 0.5, q)
    for now, then in zip((z, p, q), copies, strict=True):
        assert torch.equal(now, then)


# --- the objective


@checked
@given(power=st.sampled_from([0.0, 1.0, 2.5]), **sizes)
def test_the_objective_is_the_triple_sum_and_its_gradient_that_of_autograd(
    make_problem, seed, n, d, k, power
):
    z, p, _, weight = make_problem(seed, n, d, k)
    path = widrow_hoff_path(z, p, 0.3)
    alpha = (torch.arange(1, d + 1, dtype=z.dtype) / d) ** power
    loss = incremental_loss(z, p, path, alpha, weight)
    total = triple_sum(*(t.numpy() for t in (z, p, path, alpha, weight)))
    assert float(loss.value) == pytest.approx(total, rel=1e-9, abs=1e-11)

    def value(p):
        # the same sum by broadcasting, for autograd; assignments held fixed
        error = z.T.unsqueeze(0) - torch.einsum("ks,tnk->tsn", p, path)
        seen = torch.ones(d, d, dtype=z.dtype).tril()
        return torch.einsum("t,n,ts,tsn->", alpha, weight / weight.sum(), seen, error**2)

    gradient = torch.autograd.functional.jacobian(value, p)
    torch.testing.assert_close(loss.gradient, gradient, rtol=1e-9, atol=1e-11)
    second = torch.autograd.functional.hessian(value, p)
    for s in range(d):
        torch.testing.assert_close(2 * loss.curvature[s], second[:, s, :, s])


def test_without_weights_all_samples_count_the_same(make_problem):
    z, p, _, _ = make_problem(2, 5, 3, 4)
    path, alpha = widrow_hoff_path(z, p, 0.3), torch.ones(3).double()
    plain = incremental_loss(z, p, path, alpha)
    for found, expected in zip(
        incremental_loss(z, p, path, alpha, torch.full((5,), 7.0)), plain, strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_weight_stands_for_repetition(make_problem):
    z, p, _, _ = make_problem(3, 4, 3, 2)
    path, alpha = widrow_hoff_path(z, p, 0.3), torch.ones(3).double()
    often = [0, 0, 0, 1, 2, 2, 3]
    repeated = incremental_loss(z[often], p, path[:, often], alpha)
    weighted = incremental_loss(z, p, path, alpha, torch.tensor([3.0, 1.0, 2.0, 1.0]))
    torch.testing.assert_close(weighted.gradient, repeated.gradient)
    torch.testing.assert_close(weighted.value, repeated.value)


def test_a_step_down_the_gradient_lowers_the_objective(make_problem):
    z, p, _, _ = make_problem(5, 30, 4, 3)
    path, alpha = widrow_hoff_path(z, p, 0.3), torch.ones(4).double()
    loss = incremental_loss(z, p, path, alpha)
    bound = torch.linalg.matrix_norm(loss.curvature, ord=1)
    moved = p - 0.5 * loss.gradient / bound
    assert incremental_loss(z, moved, path, alpha).value < loss.value


# --- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": torch.zeros(3, 4)}, "z and p must have the same number of columns"),
        ({"z": torch.zeros(3)}, "z must be a 2-D"),
        ({"p": torch.zeros(0, 2)}, "p must have rows"),
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": float("nan")}, "step_size"),
        ({"n_sweeps": 0}, "n_sweeps"),
        ({"n_sweeps": True}, "n_sweeps"),
    ],
)
def test_impossible_assignments_are_refused(change, message):
    given = {"z": torch.zeros(3, 2), "p": torch.ones(4, 2), "step_size": 0.5, "n_sweeps": 1}
    with pytest.raises(ValueError, match=message):
        widrow_hoff_assignments(**{**given, **change})


@pytest.mark.parametrize(
    ("path", "alpha", "message"),
    [
        (
            torch.zeros(3, 2, 4),
            torch.ones(2),
            r"path must have shape \(2, 3, 4\), got \(3, 2, 4\)",
        ),
        (torch.zeros(2, 3, 4), torch.ones(3), r"feature_weight must have shape \(2,\)"),
    ],
)
def test_an_objective_of_other_shapes_is_refused(path, alpha, message):
    with pytest.raises(ValueError, match=message):
        incremental_loss(torch.zeros(3, 2), torch.zeros(4, 2), path, alpha)
