import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    DualPrototypes,
    PrototypeGenerator,
    dual_prototypes,
    exact_dual_weights,
    random_dual_weights,
    soft_quantization_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), d=st.integers(1, 8), k=st.integers(1, 4))
def test_exact_weights_solve_the_least_squares_problem(make_problem, seed, n, d, k):
    z, _, q, weight = make_problem(seed, n, d, k)
    p = dual_prototypes(z, exact_dual_weights(q, weight))
    for j in range(k):
        # weighted least squares of z on a constant, by a general solver
        root = (weight * q[:, j]).sqrt().unsqueeze(1)
        solution = torch.linalg.lstsq(root, root * z, driver="gelsd").solution[0]
        torch.testing.assert_close(p[j], solution, rtol=1e-6, atol=1e-8)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), d=st.integers(1, 8), k=st.integers(1, 4))
def test_no_other_weights_are_better(make_problem, seed, n, d, k):
    z, _, q, weight = make_problem(seed, n, d, k)
    exact = exact_dual_weights(q, weight)

    def loss(w):
        return soft_quantization_loss(squared_distances(z, dual_prototypes(z, w)), q, weight)

    least = float(loss(exact))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(5):
        other = exact + 0.1 * torch.randn(n, k, generator=generator, dtype=torch.float64)
        assert float(loss(other)) >= least - 1e-12
    exact.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(exact), exact)
    # a distance that rounds to zero has no gradient: up to about sqrt(eps) is lost there
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clusters_without_mass_become_the_mean(dtype):
    q = torch.tensor([[1.0, 0.0, 1e-45], [1.0, 0.0, 0.0]], dtype=dtype)
    weights = exact_dual_weights(q)
    assert weights.dtype == dtype
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(weights[:, 1], torch.tensor([0.5, 0.5], dtype=dtype))


def test_samples_without_weight_do_not_count():
    weights = exact_dual_weights(torch.ones(2, 1), torch.tensor([0.0, 2.0]))
    assert torch.equal(weights, torch.tensor([[0.0], [1.0]]))


def test_random_weights_spread_prototypes_like_the_data(make_problem):
    z = make_problem(0, 300, 2, 1, offset=50.0).z * torch.tensor([1.0, 3.0])
    w = random_dual_weights(300, 4000, torch.Generator().manual_seed(0), torch.float64)
    p = dual_prototypes(z, w)
    torch.testing.assert_close(p.mean(0), z.mean(0), rtol=0, atol=0.2)
    torch.testing.assert_close(torch.cov(p.T), torch.cov(z.T, correction=0), rtol=0.1, atol=0.2)


def test_the_layer_is_the_transposed_product(make_problem):
    z = make_problem(1, 6, 3, 1).z
    layer = DualPrototypes(6, 4, dtype=torch.float64)
    assert isinstance(layer, PrototypeGenerator)
    assert layer.needs_fixed_batch
    torch.testing.assert_close(layer(z), layer.weight.T @ z)
    assert torch.autograd.gradcheck(dual_prototypes, (z.requires_grad_(), layer.weight))
    assert "n_samples=6" in repr(layer)


def test_the_global_random_state_is_left_alone():
    state = torch.random.get_rng_state()
    assert torch.equal(DualPrototypes(5, 2).weight, DualPrototypes(5, 2).weight)
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="n_samples"):
        DualPrototypes(0, 2)
    with pytest.raises(ValueError, match="n_prototypes"):
        DualPrototypes(3, -1)
    with pytest.raises(ValueError, match="z must have 3 rows, one a row of weight, got 4"):
        DualPrototypes(3, 2)(torch.zeros(4, 2))
    with pytest.raises(ValueError, match="weight must have shape"):
        exact_dual_weights(torch.ones(3, 2), torch.ones(2))
