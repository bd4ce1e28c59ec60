import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from sklearn_ddcl.nn import MarginalEntropy, balance_loss, marginal_entropy

checked = settings(deadline=None, max_examples=30)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 10), k=st.integers(1, 6))
def test_against_scipy_and_the_balance_loss(make_problem, seed, n, k):
    _, _, q, weight = make_problem(seed, n, 1, k)
    share = weight / weight.sum()
    assert float(marginal_entropy(q)) == pytest.approx(entropy(q.mean(dim=0)), abs=1e-12)
    assert float(marginal_entropy(q, weight)) == pytest.approx(entropy(share @ q), abs=1e-12)
    balance = float(balance_loss(q, weight))
    assert float(marginal_entropy(q, weight)) == pytest.approx(math.log(k) - balance, abs=1e-12)


def test_the_matrices_of_section_4_3():
    sharp = torch.tensor(
        [[0.98, 0.01, 0.01], [0.98, 0.01, 0.01], [0.49, 0.5, 0.01], [0.49, 0.01, 0.5]]
    )
    flat = torch.tensor([[0.34, 0.33, 0.33]]).repeat(4, 1)
    bits = [float(marginal_entropy(q)) / math.log(2) for q in (sharp, flat)]
    assert bits == pytest.approx([1.1, 1.58], abs=0.01)


def test_gradients(make_problem):
    _, _, q, weight = make_problem(0, 5, 2, 3)
    q.requires_grad_()
    assert torch.autograd.gradcheck(lambda q: marginal_entropy(q, weight), (q,))
    (found,) = torch.autograd.grad(marginal_entropy(q, weight), q)
    share = weight / weight.sum()
    by_hand = -share[:, None] * ((share @ q).log() + 1)
    torch.testing.assert_close(found, by_hand.detach())


def test_a_collapsed_batch_has_a_finite_gradient():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    MarginalEntropy().penalty(q).backward()
    assert bool(torch.isfinite(q.grad).all())


def test_a_step_down_the_penalty_evens_the_clusters():
    scores = torch.tensor([[2.0, 0.0], [1.0, 0.0]], requires_grad=True)
    before = torch.softmax(scores, dim=1)
    MarginalEntropy(strength=1.0).penalty(before).backward()
    after = torch.softmax(scores.detach() - 0.1 * scores.grad, dim=1)
    assert float(marginal_entropy(after)) > float(marginal_entropy(before.detach()))


def test_it_assigns_nothing():
    assert MarginalEntropy().targets(torch.zeros(2, 2)) is None


@pytest.mark.parametrize("strength", [-1.0, math.nan, math.inf, "strong", True])
def test_bad_options(strength):
    with pytest.raises(ValueError, match="strength must be a finite number >= 0"):
        MarginalEntropy(strength).validate()


def test_bad_assignments():
    with pytest.raises(ValueError, match="q must be a 2-D"):
        marginal_entropy(torch.zeros(3))


def test_relative_must_be_a_bool():
    with pytest.raises(ValueError, match="relative must be a bool, got 1"):
        MarginalEntropy(relative=1).validate()
