import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from sklearn_ddcl.nn import one_hot, soft_cross_entropy

checked = settings(deadline=None, max_examples=30)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 10), k=st.integers(1, 6))
def test_against_torch_and_a_shift(make_problem, seed, n, k):
    logits, _, q, _ = make_problem(seed, n, k, k)
    expected = torch.nn.functional.cross_entropy(logits, q)
    torch.testing.assert_close(soft_cross_entropy(logits, q), expected)
    torch.testing.assert_close(soft_cross_entropy(logits + 1e3, q), expected)


def test_hard_weighted_targets_against_sklearn(make_problem):
    logits, _, q, weight = make_problem(0, 20, 4, 4)
    labels = q.argmax(1)
    ours = soft_cross_entropy(logits, one_hot(labels, 4, torch.float64), weight)
    oracle = log_loss(labels, torch.softmax(logits, 1), sample_weight=weight, labels=range(4))
    assert float(ours) == pytest.approx(oracle)


def test_the_entropy_is_the_least_value(make_problem):
    logits, _, q, _ = make_problem(1, 10, 3, 3)
    entropy = -torch.xlogy(q, q).sum(1).mean()
    torch.testing.assert_close(soft_cross_entropy(q.log(), q), entropy)
    assert soft_cross_entropy(logits, q) > entropy


def test_a_class_nobody_asks_for_may_have_probability_zero():
    logits = torch.tensor([[0.0, -math.inf]], requires_grad=True)
    loss = soft_cross_entropy(logits, torch.tensor([[1.0, 0.0]]))
    assert float(loss.detach()) == 0.0
    loss.backward()
    assert torch.isfinite(logits.grad).all()


def test_gradient(make_problem):
    logits, _, q, weight = make_problem(2, 5, 3, 3)
    assert torch.autograd.gradcheck(
        lambda x: soft_cross_entropy(x, q, weight), (logits.requires_grad_(),)
    )


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="logits and q must have the same shape"):
        soft_cross_entropy(torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="weight must have shape"):
        soft_cross_entropy(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(3))
