import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    assignment_covariance,
    ols_gradient_assignments,
    ols_gradient_prototypes,
    ols_loss,
    prototype_variance,
    quantization_gradient_assignments,
    quantization_gradient_prototypes,
    soft_quantization_loss,
    squared_distances,
    variance_gradient_assignments,
    variance_gradient_prototypes,
)
from sklearn_ddcl.nn.numerics import weighted_mean

checked = settings(deadline=None, max_examples=40)
sizes = {"n": st.integers(1, 10), "d": st.integers(1, 5), "k": st.integers(1, 6)}
close = {"rtol": 1e-9, "atol": 1e-11}


def gradient(function, argument):
    argument = argument.clone().requires_grad_()
    return torch.autograd.grad(function(argument), argument)[0]


@checked
@given(seed=st.integers(0, 10_000), weighted=st.booleans(), **sizes)
def test_prototype_gradients_against_autograd(make_problem, seed, weighted, n, d, k):
    z, p, q, weight = make_problem(seed, n, d, k, offset=1.0)
    weight = weight if weighted else None
    lq = gradient(lambda p: soft_quantization_loss(squared_distances(z, p), q, weight), p)
    ols = gradient(lambda p: ols_loss(z, p, q, weight), p)
    variance = gradient(lambda p: prototype_variance(p, q, weight), p)
    torch.testing.assert_close(quantization_gradient_prototypes(z, p, q, weight), lq, **close)
    torch.testing.assert_close(ols_gradient_prototypes(z, p, q, weight), ols, **close)
    torch.testing.assert_close(variance_gradient_prototypes(p, q, weight), variance, **close)
    torch.testing.assert_close(lq, ols + variance, **close)


@checked
@given(seed=st.integers(0, 10_000), weighted=st.booleans(), **sizes)
def test_assignment_gradients_against_autograd(make_problem, seed, weighted, n, d, k):
    z, p, q, weight = make_problem(seed, n, d, k, offset=1.0)
    weight = weight if weighted else None
    distances = squared_distances(z, p)

    def variance(q):  # the extension off the simplex that Eq. 28 differentiates
        moment = (q * p.square().sum(1)).sum(1) - (q @ p).square().sum(1)
        return weighted_mean(moment, weight)

    torch.testing.assert_close(
        quantization_gradient_assignments(distances, weight),
        gradient(lambda q: soft_quantization_loss(distances, q, weight), q),
        **close,
    )
    torch.testing.assert_close(
        ols_gradient_assignments(z, p, q, weight),
        gradient(lambda q: ols_loss(z, p, q, weight), q),
        **close,
    )
    torch.testing.assert_close(
        variance_gradient_assignments(p, q, weight), gradient(variance, q), **close
    )


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_extensions_of_the_variance_agree_along_the_simplex(make_problem, seed, n, d, k):
    _, p, q, _ = make_problem(seed, n, d, k)
    ours = gradient(lambda q: prototype_variance(p, q), q)
    paper = variance_gradient_assignments(p, q)
    centred = (ours - paper) - (ours - paper).mean(1, keepdim=True)
    torch.testing.assert_close(centred, torch.zeros_like(centred), rtol=0, atol=1e-10)


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_variance_gradient_is_the_covariance_form(make_problem, seed, n, d, k):
    _, p, q, _ = make_problem(seed, n, d, k)
    expected = 2 * (assignment_covariance(q) @ p).mean(0)
    torch.testing.assert_close(variance_gradient_prototypes(p, q), expected, **close)


def test_variance_gradient_keeps_its_digits_under_an_offset(make_problem):
    _, p, q, _ = make_problem(0, 6, 3, 4)
    shifted = variance_gradient_prototypes((p + 2.0**20) - 2.0**20, q)
    torch.testing.assert_close(variance_gradient_prototypes(p + 2.0**20, q), shifted, **close)


@pytest.mark.parametrize(
    "function",
    [ols_gradient_prototypes, quantization_gradient_prototypes, ols_gradient_assignments],
)
def test_a_transposed_assignment_is_refused(make_problem, function):
    z, p, q, _ = make_problem(1, 5, 3, 2)
    with pytest.raises(ValueError, match=r"q must have shape \(5, 2\)"):
        function(z, p, q.T)


def test_other_bad_arguments_are_refused(make_problem):
    _, p, q, _ = make_problem(2, 5, 3, 2)
    with pytest.raises(ValueError, match=r"q and p\.T"):
        variance_gradient_prototypes(p[:1], q)
    with pytest.raises(ValueError, match=r"q and p\.T"):
        variance_gradient_assignments(p, q[:, :1])
    with pytest.raises(ValueError, match="weight must have shape"):
        quantization_gradient_assignments(q, torch.ones(4))
