import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    ols_gradient_features,
    ols_loss,
    prototype_variance,
    quantization_gradient_features,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)
sizes = {"n": st.integers(1, 10), "d": st.integers(1, 5), "k": st.integers(1, 6)}
close = {"rtol": 1e-8, "atol": 1e-10}


def gradient(function, argument):
    argument = argument.clone().requires_grad_()
    return torch.autograd.grad(function(argument), argument)[0]


@checked
@given(
    seed=st.integers(0, 10_000), weighted=st.booleans(), temperature=st.floats(0.05, 50), **sizes
)
def test_full_gradients_against_autograd(make_problem, seed, weighted, temperature, n, d, k):
    z, p, _, weight = make_problem(seed, n, d, k)
    weight = weight if weighted else None

    def assign(z):
        return soft_assignments(squared_distances(z, p), temperature)

    q = assign(z)
    lq = gradient(lambda z: soft_quantization_loss(squared_distances(z, p), assign(z), weight), z)
    ols = gradient(lambda z: ols_loss(z, p, assign(z), weight), z)
    variance = gradient(lambda z: prototype_variance(p, assign(z), weight), z)
    ours = quantization_gradient_features(z, p, q, temperature, weight)
    torch.testing.assert_close(ours, lq, **close)
    ours_ols = ols_gradient_features(z, p, q, temperature, weight)
    torch.testing.assert_close(ours_ols, ols, **close)
    torch.testing.assert_close(ours - ours_ols, variance, **close)


@checked
@given(seed=st.integers(0, 10_000), weighted=st.booleans(), **sizes)
def test_stop_gradients_coincide(make_problem, seed, weighted, n, d, k):
    z, p, q, weight = make_problem(seed, n, d, k)
    weight = weight if weighted else None
    lq = gradient(lambda z: soft_quantization_loss(squared_distances(z, p), q, weight), z)
    ours = quantization_gradient_features(z, p, q, weight=weight)
    torch.testing.assert_close(ours, lq, **close)
    assert torch.equal(ours, ols_gradient_features(z, p, q, weight=weight))


@pytest.mark.parametrize("function", [ols_gradient_features, quantization_gradient_features])
def test_bad_arguments_are_refused(make_problem, function):
    z, p, q, _ = make_problem(0, 5, 3, 2)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0"):
        function(z, p, q, temperature=0.0)
    with pytest.raises(ValueError, match="q must have shape"):
        function(z, p, q.T)
    with pytest.raises(ValueError, match="weight must have shape"):
        function(z, p, q, weight=torch.ones(2))
