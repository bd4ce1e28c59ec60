"""Corollary 4 and Remark 3 together: a coercive separation term does not separate."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    coercive_quadratic,
    coercivity_bound,
    pairwise_separation,
    quadratic_loss,
    separation_loss,
)


def added(p, separation, quadratic):
    return separation * separation_loss(p, reduction="sum") + quadratic * quadratic_loss(p)


def prototypes(seed, k, d=3):
    return torch.randn(k, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 9), eta=st.floats(1e-3, 10))
def test_both_terms_are_two_squares(seed, k, eta):
    """The sum is (lambda/2 - eta k) of the spread plus lambda k/2 of the mean's norm."""
    p = prototypes(seed, k)
    quadratic = 1.3 * coercivity_bound(eta, k, "sum")
    mean = p.mean(0)
    spread = (p - mean).square().sum()
    squares = (quadratic / 2 - eta * k) * spread + quadratic / 2 * k * mean.square().sum()
    torch.testing.assert_close(added(p, eta, quadratic), squares, rtol=1e-9, atol=1e-9)
    assert quadratic / 2 - eta * k > 0


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 9), margin=st.floats(1.001, 5))
def test_descent_on_a_coercive_pair_lowers_the_separation(seed, k, margin):
    p = prototypes(seed, k).requires_grad_()
    quadratic = margin * coercivity_bound(1.0, k, "sum")
    (gradient,) = torch.autograd.grad(added(p, 1.0, quadratic), p)
    stepped = p.detach() - 1e-3 / quadratic * gradient
    assert pairwise_separation(stepped) < pairwise_separation(p.detach())


def test_only_a_pair_that_is_not_coercive_separates():
    p = prototypes(0, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(added(p, 1.0, 0.9 * coercivity_bound(1.0, 4, "sum")), p)
    assert pairwise_separation(p.detach() - 1e-3 * gradient) > pairwise_separation(p.detach())


@pytest.mark.parametrize("k", [2, 5, 10])
def test_the_default_quadratic_is_coercive_and_so_contracts(k):
    p = prototypes(1, k).requires_grad_()
    eta = 0.1
    loss = eta * separation_loss(p) + coercive_quadratic(eta, k) * quadratic_loss(p)
    (gradient,) = torch.autograd.grad(loss, p)
    assert pairwise_separation(p.detach() - 1e-3 * gradient) < pairwise_separation(p.detach())
