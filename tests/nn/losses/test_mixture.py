import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, Normal, kl_divergence

from sklearn_ddcl.nn import (
    gaussian_divergences,
    gaussian_mixture_loss,
    nearest_center_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=60)
sizes = {"n": st.integers(1, 8), "d": st.integers(1, 5), "k": st.integers(1, 6)}


def draw_variances(seed, n, d, k, spread=1.0):
    generator = torch.Generator().manual_seed(seed + 1)
    return (
        torch.exp(spread * torch.randn(rows, d, generator=generator, dtype=torch.float64))
        for rows in (n, k)
    )


@checked
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100.0), **sizes)
def test_divergences_are_those_of_torch(make_problem, seed, scale, n, d, k):
    z, p, _, _ = make_problem(seed, n, d, k, scale)
    v, s = draw_variances(seed, n, d, k)
    found = gaussian_divergences(z, v, p, s)
    for i in range(n):
        for j in range(k):
            sample, component = (
                Independent(Normal(mean, variance.sqrt()), 1)
                for mean, variance in ((z[i], v[i]), (p[j], s[j]))
            )
            expected = float(kl_divergence(sample, component))
            assert float(found[i, j]) == pytest.approx(expected, rel=1e-9, abs=1e-10)


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_lemma_1_under_unit_variance_kl_is_half_the_loss_of_abc(make_problem, seed, n, d, k):
    z, p, _, weight = make_problem(seed, n, d, k)
    found = gaussian_divergences(z, torch.ones_like(z), p, torch.ones_like(p))
    torch.testing.assert_close(found, 0.5 * squared_distances(z, p))
    for shares in (None, weight):
        abc = nearest_center_loss(z, p, shares)
        torch.testing.assert_close(gaussian_mixture_loss(found, None, shares), 0.5 * abc)


@checked
@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 10.0), **sizes)
def test_one_variance_for_all_only_scales_the_gradient(make_problem, seed, factor, n, d, k):
    z, p, _, _ = make_problem(seed, n, d, k)
    z.requires_grad_()
    v, s = torch.full_like(z.detach(), 2.0), torch.full_like(p, factor)
    (kl,) = torch.autograd.grad(gaussian_mixture_loss(gaussian_divergences(z, v, p, s)), z)
    (abc,) = torch.autograd.grad(nearest_center_loss(z, p), z)
    torch.testing.assert_close(kl * factor, 0.5 * abc, rtol=1e-7, atol=1e-10)


def test_unequal_variances_are_beyond_lemma_1():
    """The counterexample: the nearer centre is not the component of the least divergence."""
    z, one = torch.tensor([[2.0]]), torch.ones(1, 1)
    centers, variances = torch.tensor([[0.0], [3.0]]), torch.tensor([[4.0], [0.05]])
    divergences = gaussian_divergences(z, one, centers, variances)
    assert squared_distances(z, centers).argmin() == 1
    assert divergences.argmin() == 0


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_scale_and_shift_change_no_divergence(make_problem, seed, n, d, k):
    z, p, _, _ = make_problem(seed, n, d, k)
    v, s = draw_variances(seed, n, d, k)
    found = gaussian_divergences(z, v, p, s)
    moved = gaussian_divergences(3 * z + 5, 9 * v, 3 * p + 5, 9 * s)
    torch.testing.assert_close(moved, found, rtol=1e-8, atol=1e-8)
    assert (found > -1e-12).all()


def test_a_gaussian_does_not_diverge_from_itself(make_problem):
    z, _, _, _ = make_problem(0, 6, 3, 2, dtype=torch.float32)
    v = torch.rand(6, 3) + 1e-3
    assert (gaussian_divergences(z, v, z, v).diagonal() == 0.0).all()


def test_a_common_offset_keeps_the_digits(make_problem):
    z, p, _, _ = make_problem(3, 40, 4, 5, dtype=torch.float32)
    offset = 4096.0  # exact in float32, where the sums below are not
    near = nearest_center_loss((z + offset).double(), (p + offset).double())
    assert float(nearest_center_loss(z + offset, p + offset)) == pytest.approx(
        float(near), rel=1e-5
    )


def test_labels_choose_the_component(make_problem):
    _, _, _, weight = make_problem(2, 3, 2, 2)
    divergences = torch.tensor([[1.0, 2.0], [5.0, 4.0], [0.0, 7.0]]).double()
    labels = torch.tensor([1, 0, 1])
    expected = float((weight * torch.tensor([2.0, 5.0, 7.0])).sum() / weight.sum())
    assert float(gaussian_mixture_loss(divergences, labels, weight)) == pytest.approx(expected)
    nearest = gaussian_mixture_loss(divergences, divergences.argmin(dim=1), weight)
    torch.testing.assert_close(gaussian_mixture_loss(divergences, weight=weight), nearest)


def test_gradients_and_types(make_problem):
    z, p, _, _ = (t.requires_grad_() for t in make_problem(4, 4, 3, 2))
    v, s = (t.requires_grad_() for t in draw_variances(4, 4, 3, 2))
    assert torch.autograd.gradcheck(gaussian_divergences, (z, v, p, s))
    assert torch.autograd.gradcheck(nearest_center_loss, (z, p.detach()))
    halves = [t.detach().float() for t in (z, v, p, s)]
    assert gaussian_mixture_loss(gaussian_divergences(*halves)).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z, p: nearest_center_loss(z, p[:, :1]), "z and centers must have the same number"),
        (lambda z, p: nearest_center_loss(z, p, torch.ones(3)), "weight must have shape"),
        (lambda z, p: nearest_center_loss(z.long(), p), "z must be a 2-D floating"),
        (lambda z, p: gaussian_divergences(z, z[:1], p, p), "z and sample_variances must have"),
        (lambda z, p: gaussian_divergences(z, z**2, p, p[:1]), "centers and variances must have"),
        (
            lambda z, p: gaussian_divergences(z, 0 * z, p, p**2),
            "sample_variances must be > 0, got",
        ),
        (lambda z, p: gaussian_divergences(z, z**2, p, -(p**2)), "variances must be > 0, got -"),
        (lambda z, p: gaussian_divergences(z, z**2, p, p * torch.nan), "variances must be > 0"),
        (lambda z, p: gaussian_mixture_loss(z[0]), "divergences must be a 2-D"),
        (lambda z, p: gaussian_mixture_loss(z, torch.zeros(4)), "labels must have shape"),
        (lambda z, p: gaussian_mixture_loss(z, torch.full((4,), 3)), r"labels must be in 0 ... 2"),
        (lambda z, p: gaussian_mixture_loss(z, torch.full((4,), -1)), r"labels must be in 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(make_problem, call, message):
    z, p, _, _ = make_problem(5, 4, 3, 2)
    with pytest.raises(ValueError, match=message):
        call(z, p)
