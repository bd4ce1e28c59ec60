import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._passes import SoftPass
from sklearn_ddcl.engine._search import gram_of
from sklearn_ddcl.engine._updates import (
    Gram,
    class_means,
    make_exact_update,
    make_update,
    normal_matrix,
)
from sklearn_ddcl.nn import (
    dual_prototypes,
    ols_loss,
    quadratic_loss,
    separation_loss,
    soft_quantization_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=20)

TERMS = [
    {},
    {"separation": 0.3},
    {"separation": 0.3, "quadratic": 5.0},
    {"quadratic": 0.7},
]
each_objective = pytest.mark.parametrize("loss", ["quantization", "ols"])
each_terms = pytest.mark.parametrize("terms", TERMS, ids=["plain", "auto", "both", "quadratic"])


class Case:
    """Features, soft assignments, weights, and the sums that a pass would hand over."""

    def __init__(self, seed, n=30, d=4, k=3, weighted=True):
        rng = torch.Generator().manual_seed(seed)
        self.y = torch.randn(n, d, generator=rng, dtype=torch.float64)
        self.q = torch.softmax(2 * torch.randn(n, k, generator=rng, dtype=torch.float64), 1)
        self.p = torch.randn(k, d, generator=rng, dtype=torch.float64)
        ones = torch.ones(n, dtype=torch.float64)
        self.w = torch.rand(n, generator=rng, dtype=torch.float64) if weighted else ones
        share = self.q * self.w[:, None]
        self.statistics = SoftPass(share.sum(0), share.T @ self.y, share.T @ self.q)

    def objective(self, p, loss, terms, k=3):
        """Eq. 12 at fixed assignments, written with the public functions of nn."""
        separation = terms.get("separation", 0.0)
        # the documented default: 10 eta / (k - 1) for the mean over pairs
        quadratic = terms.get("quadratic", 10 * separation / (k - 1))
        if loss == "ols":
            base = ols_loss(self.y, p, self.q, self.w)
        else:
            base = soft_quantization_loss(squared_distances(self.y, p), self.q, self.w)
        return base + separation * separation_loss(p) + quadratic * quadratic_loss(p)

    def gradient(self, p, loss, terms):
        p = p.clone().requires_grad_()
        return torch.autograd.grad(self.objective(p, loss, terms), p)[0]


@each_objective
@each_terms
@checked
@given(seed=st.integers(0, 10_000))
def test_exact_update_is_where_the_gradient_vanishes(make_config, loss, terms, seed):
    case = Case(seed)
    update = make_exact_update(make_config(3, loss=loss, regularization=terms))
    p = update.apply(case.p, case.statistics)
    assert case.objective(p, loss, terms) <= case.objective(case.p, loss, terms)
    for _ in range(500 if loss == "ols" else 0):  # its steps minimise a bound
        p = update.apply(p, case.statistics)
    assert case.gradient(p, loss, terms).abs().max() < 1e-7
    assert update.needs_overlap == (loss == "ols")


@each_objective
@each_terms
def test_normal_matrix_is_the_hessian(make_config, loss, terms):
    case, k, d = Case(1), 3, 4
    regularization = make_config(k, regularization=terms).regularization
    hessian = torch.autograd.functional.hessian(
        lambda p: case.objective(p, loss, terms), case.p.clone()
    ).reshape(k * d, k * d)
    matrix = normal_matrix(
        loss, case.statistics, regularization.separation, regularization.quadratic_for(k)
    )
    torch.testing.assert_close(torch.kron(matrix, torch.eye(d, dtype=torch.float64)), hessian)
    assert torch.linalg.eigvalsh(matrix)[0] > 0


@each_objective
@each_terms
@pytest.mark.parametrize("n_and_d", [(30, 4), (6, 20)], ids=["tall", "wide"])
@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_gram_step_is_a_gradient_step_in_the_dual_weights(
    make_config, wrap, loss, terms, n_and_d, rate
):
    """P = W^T Y: a step in W, taken by autograd, moves P as the Gram form does."""
    case = Case(2, *n_and_d, weighted=False)
    rows = wrap(case.y.numpy().copy())
    rows = rows.__class__(case.y, None, rows.device, rows.frame)  # Gram of y itself
    gram = gram_of(rows, torch.Generator().manual_seed(0))
    config = make_config(3, loss=loss, regularization=terms, flow={"dual_learning_rate": rate})
    w = torch.linalg.lstsq(case.y.T, case.p.T).solution.clone().requires_grad_()
    before = dual_prototypes(case.y, w)
    (slope,) = torch.autograd.grad(case.objective(before, loss, terms), w)
    regularization = config.regularization
    curvature = normal_matrix(
        loss, case.statistics, regularization.separation, regularization.quadratic_for(3)
    )
    steepest = torch.linalg.eigvalsh(curvature)[-1] * gram.largest * len(case.y)
    after = dual_prototypes(case.y, w - rate / steepest * slope)
    moved = make_update(config, gram).apply(before.detach(), case.statistics)
    torch.testing.assert_close(moved, after.detach(), rtol=1e-8, atol=1e-10)


@each_objective
@checked
@given(seed=st.integers(0, 10_000))
def test_gram_steps_of_full_size_never_raise_the_objective(make_config, wrap, loss, seed):
    case = Case(seed)
    product = case.y.T @ (case.w[:, None] * case.y) / case.w.sum()
    gram = Gram(lambda g: g @ product, float(torch.linalg.eigvalsh(product)[-1]))
    update = make_update(make_config(3, loss=loss, flow={"dual_learning_rate": 1.0}), gram)
    p, values = case.p, []
    for _ in range(30):
        values.append(float(case.objective(p, loss, {})))
        p = update.apply(p, case.statistics)
    assert all(np.diff(values) <= 1e-12)


def test_without_a_rate_the_update_is_exact(make_config):
    case = Case(3)
    exact = case.statistics.sums / case.statistics.mass[:, None]
    torch.testing.assert_close(
        make_update(make_config(), None).apply(case.p, case.statistics), exact
    )


def test_class_means():
    p, sums = torch.zeros(2, 1), torch.tensor([[6.0], [2.0]])
    means = class_means(p, torch.tensor([3.0, 1.0]), sums)
    assert means.tolist() == [[2.0], [2.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_unused_prototypes_stay(make_config, dtype):
    p = torch.tensor([[5.0], [7.0]], dtype=dtype)
    mass, sums = torch.tensor([0.0, 2.0]), torch.tensor([[0.0], [6.0]])
    expected = [[5.0], [3.0]]
    assert class_means(p, mass, sums).tolist() == expected
    statistics = SoftPass(mass.double(), sums.double(), None)
    assert make_exact_update(make_config(2)).apply(p, statistics).tolist() == expected


def test_coinciding_assignments_leave_ols_solvable(make_config):
    case = Case(4)
    q = torch.full((30, 3), 1 / 3, dtype=torch.float64)
    statistics = SoftPass(q.sum(0), q.T @ case.y, q.T @ q)
    p = make_exact_update(make_config(loss="ols")).apply(case.p, statistics)
    assert torch.isfinite(p).all()
    torch.testing.assert_close(p.mean(0), case.y.mean(0))


def test_hard_assignments_need_no_overlap_for_ols(make_config):
    mass, sums = torch.tensor([2.0, 4.0]).double(), torch.tensor([[4.0], [2.0]]).double()
    p = make_exact_update(make_config(2, loss="ols")).apply(sums, SoftPass(mass, sums, None))
    torch.testing.assert_close(p, torch.tensor([[2.0], [0.5]]).double())


def test_separation_pushes_apart_and_quadratic_pulls_in(make_config):
    case = Case(5)
    plain, pulled, apart = (
        make_exact_update(make_config(regularization=terms)).apply(case.p, case.statistics)
        for terms in ({}, {"quadratic": 0.5}, {"separation": 0.2, "quadratic": 0.5})
    )
    assert pulled.norm() < plain.norm()
    assert torch.pdist(apart).mean() > torch.pdist(pulled).mean()


@pytest.mark.parametrize("quadratic", [0.0, 0.1, 0.59])
def test_weights_that_would_drive_prototypes_away_are_refused(make_config, quadratic):
    config = make_config(3, regularization={"separation": 0.3, "quadratic": quadratic})
    with pytest.raises(ValueError, match=r"quadratic must be > 0\.6 for separation=0\.3"):
        make_exact_update(config)
    with pytest.raises(ValueError, match=r"to infinity"):
        make_update(config, None)


def test_unknown_loss_is_refused():
    with pytest.raises(KeyError, match="cosine"):
        normal_matrix("cosine", Case(6).statistics, 0.0, 0.0)
