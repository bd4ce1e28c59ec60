import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from sklearn_ddcl.nn import balance_loss, entropy_loss, quadratic_loss, separation_loss

checked = settings(deadline=None, max_examples=30)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 10), k=st.integers(1, 6))
def test_balance_and_entropy_against_scipy(make_problem, seed, n, k):
    _, _, q, weight = make_problem(seed, n, 1, k)
    share = weight / weight.sum()
    uniform = [1 / k] * k
    assert float(balance_loss(q)) == pytest.approx(entropy(q.mean(0), uniform), abs=1e-12)
    assert float(balance_loss(q, weight)) == pytest.approx(entropy(share @ q, uniform), abs=1e-12)
    rows = torch.tensor([entropy(row) for row in q], dtype=torch.float64)
    assert float(entropy_loss(q)) == pytest.approx(float(rows.mean()), abs=1e-12)
    assert float(entropy_loss(q, weight)) == pytest.approx(float(share @ rows), abs=1e-12)


def test_extremes():
    one_cluster = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert float(balance_loss(one_cluster)) == pytest.approx(math.log(2))
    assert float(balance_loss(torch.eye(2))) == 0.0
    assert float(entropy_loss(torch.eye(2))) == 0.0
    assert float(entropy_loss(torch.full((3, 4), 0.25))) == pytest.approx(math.log(4))


@pytest.mark.parametrize("function", [balance_loss, entropy_loss])
def test_gradients_are_finite_for_hard_assignments(function):
    q = torch.tensor([[1.0, 0.0]], requires_grad=True)
    function(q).backward()
    assert torch.isfinite(q.grad).all()


def test_gradients(make_problem):
    _, p, q, weight = make_problem(0, 5, 2, 3)
    q.requires_grad_()
    p.requires_grad_()
    assert torch.autograd.gradcheck(lambda q: balance_loss(q, weight), (q,))
    assert torch.autograd.gradcheck(lambda q: entropy_loss(q, weight), (q,))
    assert torch.autograd.gradcheck(lambda p: separation_loss(p, "sum"), (p,))
    assert torch.autograd.gradcheck(quadratic_loss, (p,))


@checked
@given(seed=st.integers(0, 10_000), d=st.integers(1, 5), k=st.integers(1, 7))
def test_separation_is_equation_15(make_problem, seed, d, k):
    p = make_problem(seed, 1, d, k, offset=2.0).p
    pairs = [float((a - b).square().sum()) for a, b in itertools.combinations(p, 2)]
    assert float(separation_loss(p, "sum")) == pytest.approx(-sum(pairs), rel=1e-11)
    mean = sum(pairs) / max(len(pairs), 1)
    assert float(separation_loss(p)) == pytest.approx(-mean, rel=1e-11)


def test_quadratic_is_half_the_squared_norm(make_problem):
    p = make_problem(1, 1, 3, 4).p
    assert float(quadratic_loss(p)) == pytest.approx(0.5 * float((p * p).sum()))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="reduction must be 'sum' or 'mean', got 'total'"):
        separation_loss(torch.zeros(2, 2), "total")
    with pytest.raises(ValueError, match="p must be a 2-D"):
        separation_loss(torch.zeros(2, 2, 2))
    with pytest.raises(ValueError, match="q must be a 2-D"):
        entropy_loss(torch.zeros(2))
    with pytest.raises(ValueError, match="non-negative"):
        balance_loss(torch.eye(2), torch.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match="p must be"):
        quadratic_loss(torch.zeros(3))
