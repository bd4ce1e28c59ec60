import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    ClusterOutput,
    decompose_loss,
    ols_loss,
    ols_term,
    one_hot,
    prototype_variance,
    quantization_term,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
)

checked = settings(deadline=None, max_examples=60)
sizes = {"n": st.integers(1, 12), "d": st.integers(1, 6), "k": st.integers(1, 7)}


def brute_force(z, p, q, weight):
    """The three definitions, written out sample by sample."""
    share = weight / weight.sum()
    quantization = ols = variance = 0.0
    for zn, qn, wn in zip(z, q, share, strict=True):
        mean = sum(a * pj for a, pj in zip(qn, p, strict=True))
        quantization += wn * sum(a * (zn - pj).square().sum() for a, pj in zip(qn, p, strict=True))
        ols += wn * (zn - mean).square().sum()
        variance += wn * sum(a * (pj - mean).square().sum() for a, pj in zip(qn, p, strict=True))
    return float(quantization), float(ols), float(variance)


@checked
@given(
    seed=st.integers(0, 10_000),
    exponent=st.integers(-100, 100),
    offset=st.sampled_from([0.0, 1.0, 100.0]),
    **sizes,
)
def test_identity_to_ten_digits(make_problem, seed, n, d, k, exponent, offset):
    scale = 10.0**exponent
    z, p, q, weight = make_problem(seed, n, d, k, scale=scale, offset=offset * scale)
    for shares in (None, weight):
        quantization, ols, variance = map(float, decompose_loss(z, p, q, shares))
        assert quantization == pytest.approx(ols + variance, rel=1e-10, abs=0.0)
        assert variance >= 0.0


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_all_three_against_their_definitions(make_problem, seed, n, d, k):
    z, p, q, weight = make_problem(seed, n, d, k)
    assert [float(x) for x in decompose_loss(z, p, q, weight)] == pytest.approx(
        brute_force(z, p, q, weight), rel=1e-9, abs=1e-12
    )
    assert float(ols_loss(z, p, q)) == pytest.approx(
        brute_force(z, p, q, torch.ones(n).double())[1], rel=1e-9
    )


@checked
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100.0), **sizes)
def test_identity_for_boltzmann_assignments(make_problem, seed, scale, n, d, k):
    z, p, _, _ = make_problem(seed, n, d, k)
    q = soft_assignments(squared_distances(z, p), scale)
    parts = decompose_loss(z, p, q)
    assert float(parts.quantization) == pytest.approx(float(parts.ols + parts.variance), rel=1e-10)


def test_identity_needs_rows_that_sum_to_one(make_problem):
    z, p, q, _ = make_problem(0, 4, 3, 2)
    parts = decompose_loss(z, p, 2 * q)
    assert float(parts.quantization) != pytest.approx(float(parts.ols + parts.variance), rel=1e-3)


@checked
@given(seed=st.integers(0, 10_000), **sizes)
def test_variance_is_exactly_zero_for_hard_assignments(make_problem, seed, n, d, k):
    _, p, q, _ = make_problem(seed, n, d, k, offset=1e6, dtype=torch.float32)
    assert float(prototype_variance(p, one_hot(q.argmax(1), k))) == 0.0


def test_variance_is_zero_where_active_prototypes_coincide():
    p = torch.tensor([[1e6, 1.0], [1e6, 1.0], [0.0, 0.0]])
    assert float(prototype_variance(p, torch.tensor([[0.3, 0.7, 0.0]]))) == 0.0


def test_variance_of_almost_coinciding_prototypes_keeps_its_digits():
    p = torch.tensor([[1.0], [1.0 + 1e-9], [1e6]], dtype=torch.float64)
    gap = float(p[1, 0] - p[0, 0])
    q = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64)
    assert float(prototype_variance(p, q)) == pytest.approx(gap**2 / 4, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_are_kept_and_terms_read_the_output(make_problem, dtype):
    z, p, q, weight = make_problem(1, 8, 3, 4, dtype=dtype)
    output = ClusterOutput(z, p, squared_distances(z, p), q, 1.0)
    lq, ols, _ = decompose_loss(z, p, q, weight)
    assert lq.dtype == ols.dtype == dtype
    torch.testing.assert_close(quantization_term(output, weight), lq)
    torch.testing.assert_close(ols_term(output, weight), ols)


def test_integer_weights_repeat_samples(make_problem):
    z, p, q, _ = make_problem(2, 3, 2, 2)
    index = torch.tensor([0, 1, 1, 2, 2, 2])
    weighted = decompose_loss(z, p, q, torch.tensor([1.0, 2.0, 3.0]).double())
    repeated = decompose_loss(z[index], p, q[index])
    assert [float(x) for x in weighted] == pytest.approx([float(x) for x in repeated])


def test_gradients_flow_into_features_prototypes_and_assignments(make_problem):
    z, p, q, _ = (t.requires_grad_() for t in make_problem(3, 4, 3, 2))
    assert torch.autograd.gradcheck(ols_loss, (z, p, q))
    assert torch.autograd.gradcheck(prototype_variance, (p, q))
    assert torch.autograd.gradcheck(soft_quantization_loss, (squared_distances(z, p), q))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z, p, q: soft_quantization_loss(q, q[:1]), "distances and q"),
        (lambda z, p, q: ols_loss(z, p, q.T), r"q must have shape \(4, 2\)"),
        (lambda z, p, q: ols_loss(z, p[:, :1], q), "z and p must have the same number"),
        (lambda z, p, q: prototype_variance(p[:1], q), "q and p.T must have the same number"),
        (lambda z, p, q: decompose_loss(z, p, q[:2]), "q must have shape"),
        (lambda z, p, q: decompose_loss(z, p, q, torch.ones(3)), "weight must have shape"),
        (lambda z, p, q: ols_loss(z, p, q, torch.zeros(4)), "positive sum"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make_problem, call, message):
    z, p, q, _ = make_problem(4, 4, 3, 2)
    with pytest.raises(ValueError, match=message):
        call(z, p, q)
