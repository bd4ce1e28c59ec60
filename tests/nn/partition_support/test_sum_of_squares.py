import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import SumOfSquares, sum_of_squares

checked = settings(deadline=None, max_examples=30)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 10), k=st.integers(1, 6))
def test_against_the_variance_of_the_marginal(make_problem, seed, n, k):
    """The mean of squares is the square of the mean plus the variance (section 2)."""
    _, _, q, weight = make_problem(seed, n, 1, k)
    for mean, value in (
        (q.mean(dim=0), sum_of_squares(q)),
        (weight @ q / weight.sum(), sum_of_squares(q, weight)),
    ):
        variance = float(mean.var(correction=0))
        assert float(value) == pytest.approx(k * (variance + 1 / k**2), abs=1e-12)


def test_extremes():
    assert float(sum_of_squares(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))) == 1.0
    assert float(sum_of_squares(torch.eye(4))) == 0.25


def test_gradients(make_problem):
    _, _, q, weight = make_problem(0, 5, 2, 3)
    q.requires_grad_()
    assert torch.autograd.gradcheck(lambda q: sum_of_squares(q, weight), (q,))
    (found,) = torch.autograd.grad(SumOfSquares(3.0).penalty(q, weight), q)
    share = weight / weight.sum()
    by_hand = 3.0 * 2.0 * share[:, None] * (share @ q)
    torch.testing.assert_close(found, by_hand.detach())


def test_a_step_down_the_penalty_evens_the_clusters():
    scores = torch.tensor([[2.0, 0.0], [1.0, 0.0]], requires_grad=True)
    before = torch.softmax(scores, dim=1)
    SumOfSquares(strength=1.0).penalty(before).backward()
    after = torch.softmax(scores.detach() - 0.1 * scores.grad, dim=1)
    assert float(sum_of_squares(after)) < float(sum_of_squares(before.detach()))


def test_it_assigns_nothing():
    assert SumOfSquares().targets(torch.zeros(2, 2)) is None


@pytest.mark.parametrize("strength", [-1.0, math.nan, math.inf, None])
def test_bad_options(strength):
    with pytest.raises(ValueError, match="strength must be a finite number >= 0"):
        SumOfSquares(strength).validate()


def test_bad_assignments():
    with pytest.raises(ValueError, match="q must be a 2-D"):
        sum_of_squares(torch.zeros(3))


def test_relative_must_be_a_bool():
    with pytest.raises(ValueError, match="relative must be a bool, got 1"):
        SumOfSquares(relative=1).validate()
