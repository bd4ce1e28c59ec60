import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import leading_eigenvalue, normalize_weights, safe_xlogx
from sklearn_ddcl.nn.numerics import row_blocks, weighted_mean

checked = settings(deadline=None, max_examples=40)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_safe_xlogx_value_and_gradient(dtype):
    x = torch.tensor([0.0, 1e-30, 0.25, 1.0, 7.0], dtype=dtype, requires_grad=True)
    y = safe_xlogx(x)
    torch.testing.assert_close(y, torch.xlogy(x, x))
    y.sum().backward()
    assert torch.isfinite(x.grad).all()
    torch.testing.assert_close(x.grad[1:], (x.log() + 1)[1:].detach())


def test_safe_xlogx_of_a_hard_softmax_has_no_nan_gradient():
    logits = torch.tensor([[0.0, 1e6]], requires_grad=True)
    safe_xlogx(torch.softmax(logits, 1)).sum().backward()
    assert torch.equal(logits.grad, torch.zeros(1, 2))


@checked
@given(n=st.integers(1, 20), seed=st.integers(0, 1000), exponent=st.integers(-30, 37))
def test_normalized_weights_sum_to_one_at_any_scale(n, seed, exponent):
    raw = torch.rand(n, generator=torch.Generator().manual_seed(seed)) + 0.1
    share = normalize_weights(raw * 10.0**exponent, n, raw)
    torch.testing.assert_close(share.sum(), torch.tensor(1.0))
    torch.testing.assert_close(share, raw / raw.sum())


def test_equal_weights_take_dtype_of_like():
    share = normalize_weights(None, 4, torch.zeros(1, dtype=torch.float64))
    assert share.dtype == torch.float64
    assert torch.equal(share, torch.full((4,), 0.25, dtype=torch.float64))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.ones(3), r"weight must have shape \(2,\)"),
        (torch.ones(2, 1), "weight must have shape"),
        (torch.tensor([1.0, -1.0]), "non-negative"),
        (torch.tensor([1.0, math.nan]), "finite"),
        (torch.tensor([1.0, math.inf]), "finite"),
        (torch.zeros(2), "positive sum"),
    ],
)
def test_normalize_weights_rejects(weight, message):
    with pytest.raises(ValueError, match=message):
        normalize_weights(weight, 2, torch.zeros(1))


def test_weighted_mean_repeats_like_integer_weights():
    values = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    repeated = values[[0, 1, 1, 1]]
    torch.testing.assert_close(
        weighted_mean(values, torch.tensor([1.0, 3.0])), weighted_mean(repeated)
    )
    torch.testing.assert_close(
        weighted_mean(values[:, 0], torch.tensor([1.0, 3.0])), repeated[:, 0].mean()
    )


@checked
@given(n=st.integers(1, 5000), width=st.integers(1, 3_000_000))
def test_row_blocks_cover_all_rows_once(n, width):
    blocks = list(row_blocks(n, width))
    assert blocks[0].start == 0
    assert blocks[-1].stop == n
    assert all(a.stop == b.start for a, b in itertools.pairwise(blocks))


@checked
@given(
    size=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    exponent=st.integers(-30, 30),
    warm=st.booleans(),
)
def test_leading_eigenvalue_against_eigvalsh(size, seed, exponent, warm):
    generator = torch.Generator().manual_seed(seed)
    half = torch.randn(size, size, generator=generator, dtype=torch.float64)
    matrix = half @ half.T * 10.0**exponent
    start = torch.randn(size, generator=generator, dtype=torch.float64) if warm else None
    pair = leading_eigenvalue(matrix, start=start, generator=generator)
    exact = float(torch.linalg.eigvalsh(matrix)[-1])
    assert pair.value == pytest.approx(exact, rel=1e-2)
    assert float(torch.linalg.vector_norm(pair.vector)) == pytest.approx(1.0)


def test_leading_eigenvalue_of_a_function_equals_that_of_its_matrix():
    matrix = torch.diag(torch.tensor([1.0, 2.0, 5.0]))
    from_function = leading_eigenvalue(lambda v: matrix @ v, start=torch.ones(3))
    assert from_function.value == pytest.approx(leading_eigenvalue(matrix).value, rel=1e-5)


def test_a_warm_start_saves_products_and_leaves_a_wrong_eigenvector():
    matrix = torch.diag(torch.tensor([1.0, 2.0, 2.5], dtype=torch.float64))
    wrong = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    assert leading_eigenvalue(matrix, start=wrong).value == pytest.approx(2.5, rel=1e-4)


def test_leading_eigenvalue_of_zero_is_zero():
    assert leading_eigenvalue(torch.zeros(3, 3)).value == 0.0


def test_leading_eigenvalue_keeps_the_global_random_state():
    before = torch.random.get_rng_state()
    leading_eigenvalue(torch.eye(3))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operator": torch.zeros(2, 3)}, "square"),
        ({"operator": torch.zeros(0, 0)}, "square"),
        ({"operator": torch.full((2, 2), math.nan)}, "finite"),
        ({"operator": torch.full((2, 2), math.inf)}, "finite"),
        ({"operator": lambda v: v}, "start must be given"),
        ({"operator": torch.eye(2), "start": torch.ones(3)}, "start must have shape"),
        ({"operator": torch.eye(2), "tolerance": 0.0}, "tolerance"),
        ({"operator": torch.eye(2), "max_iter": 0}, "max_iter"),
    ],
)
def test_leading_eigenvalue_rejects(arguments, message):
    operator = arguments.pop("operator")
    with pytest.raises(ValueError, match=message):
        leading_eigenvalue(operator, **arguments)


def test_weights_may_have_a_gradient(make_problem):
    weight = make_problem(3, 5, 2, 2).weight.requires_grad_()
    assert torch.autograd.gradcheck(lambda w: normalize_weights(w, 5, weight), (weight,))
