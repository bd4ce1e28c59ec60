import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._passes import (
    hard_pass,
    linear_scores,
    soft_pass,
    softmax_over_prototypes,
    two_winner_pass,
)

checked = settings(deadline=None, max_examples=25)


def draw(seed, n=60, d=4, k=5, dtype=np.float64, offset=0.0, weighted=False):
    """Rows with zeros among them, prototypes in the data's coordinates, weights or None."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    x[rng.random(x.shape) < 0.4] = 0.0
    p = rng.normal(size=(k, d)) + offset
    return (x + offset).astype(dtype), p, rng.random(n) if weighted else None


def in_frame(rows, x, p, inverse=False):
    """Rows and prototypes in frame coordinates, for the oracle."""
    origin, unit = rows.frame.origin.numpy(), rows.frame.unit
    return (x.astype(float) - origin) / unit, (p - origin) / unit


@pytest.fixture(params=["one_block", "small_blocks"])
def blocks(request, monkeypatch):
    if request.param == "small_blocks":
        monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 7)


layouts = pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
dtypes = pytest.mark.parametrize(
    ("dtype", "atol"), [(np.float32, 2e-4), (np.float64, 1e-10)], ids=["float32", "float64"]
)
weights = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
few_and_many = pytest.mark.parametrize("k", [5, 40])


@layouts
@dtypes
@weights
@few_and_many
def test_soft_pass(wrap, oracle, blocks, layout, dtype, atol, weighted, k):
    x, p, w = draw(0, k=k, dtype=dtype, weighted=weighted)
    rows = wrap(layout(x), w)
    y, p = in_frame(rows, x, p)
    found = soft_pass(rows, torch.from_numpy(p), 0.7, overlap=True)
    for value, expected in zip(found, oracle(y, p, w).soft(0.7), strict=True):
        np.testing.assert_allclose(value, expected, atol=atol * 10)
        assert value.dtype == torch.float64


@dtypes
@weights
def test_soft_pass_with_bias(wrap, oracle, dtype, atol, weighted):
    x, p, w = draw(1, dtype=dtype, weighted=weighted)
    rows, bias = wrap(x, w), np.linspace(-1, 2, 5)
    y, p = in_frame(rows, x, p)
    found = soft_pass(rows, torch.from_numpy(p), 0.3, torch.from_numpy(bias))
    mass, sums, _ = oracle(y, p, w).soft(0.3, bias)
    np.testing.assert_allclose(found.mass, mass, atol=atol * 10)
    np.testing.assert_allclose(found.sums, sums, atol=atol * 10)
    assert found.overlap is None


@layouts
@dtypes
@weights
@few_and_many
def test_hard_pass(wrap, oracle, blocks, layout, dtype, atol, weighted, k):
    x, p, w = draw(2, k=k, dtype=dtype, weighted=weighted)
    rows = wrap(layout(x), w)
    y, p = in_frame(rows, x, p)
    expected = oracle(y, p, w)
    found = hard_pass(rows, torch.from_numpy(p))
    np.testing.assert_array_equal(found.labels, expected.labels)
    mass, sums = expected.hard()
    np.testing.assert_allclose(found.mass, mass, atol=atol)
    np.testing.assert_allclose(found.sums, sums, atol=atol)
    assert found.inertia == pytest.approx(expected.inertia, rel=atol)


@layouts
@dtypes
@weights
@few_and_many
def test_utility_is_the_exact_rise_of_the_inertia(
    wrap, oracle, blocks, layout, dtype, atol, weighted, k
):
    x, p, w = draw(3, k=k, dtype=dtype, weighted=weighted)
    rows = wrap(layout(x), w)
    y, p = in_frame(rows, x, p)
    expected = oracle(y, p, w)
    found = two_winner_pass(rows, torch.from_numpy(p))
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(found.utility, expected.utility(), atol=atol * 10)


def test_hard_pass_with_bias_prefers_what_it_lowers(wrap):
    x = np.random.default_rng(4).normal(size=(50, 2))
    p, bias = torch.zeros(3, 2, dtype=torch.float64), torch.tensor([0.0, -1.0, 1.0])
    assert (hard_pass(wrap(x), p, bias).labels == 1).all()


@checked
@given(
    seed=st.integers(0, 10_000), n=st.integers(3, 40), k=st.integers(2, 8), step=st.integers(1, 9)
)
def test_passes_agree_with_brute_force_on_any_blocks(wrap, oracle, seed, n, k, step):
    x, p, w = draw(seed, n=n, k=k, weighted=True)
    rows = wrap(x, w)
    rows.block_rows = lambda n_prototypes: step
    y, p = in_frame(rows, x, p)
    expected, centre = oracle(y, p, w), torch.from_numpy(p)
    temperature = 10.0 ** np.random.default_rng(seed).uniform(-2, 2)
    found = soft_pass(rows, centre, temperature, overlap=True)
    for value, wanted in zip(found, expected.soft(temperature), strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-8)
    np.testing.assert_allclose(
        two_winner_pass(rows, centre).utility, expected.utility(), atol=1e-8
    )
    np.testing.assert_allclose(hard_pass(rows, centre).mass, expected.hard()[0], atol=1e-10)


@dtypes
def test_offset_costs_no_more_digits_than_the_data_have(wrap, oracle, dtype, atol):
    """Float32 rows near 1e6 have a spacing of 1/16: so much, not more, may be lost."""
    x, p, _ = draw(5, n=400, dtype=dtype, offset=1e6)
    rows = wrap(x)
    y, p = in_frame(rows, x, p)
    expected, centre = oracle(y, p), torch.from_numpy(p)
    tolerance = 0.1 if dtype == np.float32 else 1e-7
    hard = hard_pass(rows, centre)
    lost = expected.d[np.arange(400), hard.labels.numpy()] - expected.d.min(1)
    assert lost.max() <= 3 * tolerance
    soft = soft_pass(rows, centre, 0.5)
    mass, sums, _ = expected.soft(0.5)
    np.testing.assert_allclose(soft.mass / 400, mass / 400, atol=tolerance)
    np.testing.assert_allclose(
        soft.sums / soft.mass[:, None], sums / mass[:, None], atol=tolerance
    )


@pytest.mark.parametrize("pass_of", [hard_pass, lambda rows, p: soft_pass(rows, p, 1.0)])
@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_sums_over_long_blocks_of_offset_float32_rows(wrap, pass_of, offset):
    """Sums in float32 over one long block would shift means by many standard deviations."""
    rng = np.random.default_rng(6)
    x = (rng.normal(size=(16_000, 2)) + offset).astype(np.float32)
    rows = wrap(x)
    found = pass_of(rows, torch.zeros(1, 2, dtype=torch.float64))
    np.testing.assert_allclose(found.sums / found.mass[:, None], 0.0, atol=0.1)


def test_two_equal_prototypes_have_no_utility(wrap):
    x = np.random.default_rng(7).normal(size=(30, 2))
    p = torch.tensor([[0.3, 0.1], [0.3, 0.1], [0.8, 0.6]], dtype=torch.float64)
    utility = two_winner_pass(wrap(x), p).utility
    np.testing.assert_array_equal(utility[:2], 0.0)
    assert utility[2] > 0


def test_overlap_of_a_hard_limit_is_diagonal(wrap):
    x, p, w = draw(8, weighted=True)
    rows = wrap(x, w)
    p = torch.from_numpy(in_frame(rows, x, p)[1])
    found, hard = soft_pass(rows, p, 1e-9, overlap=True), hard_pass(rows, p)
    torch.testing.assert_close(found.overlap, torch.diag(hard.mass), atol=1e-9, rtol=0)
    torch.testing.assert_close(found.sums, hard.sums, atol=1e-9, rtol=0)


@pytest.mark.parametrize("temperature", [1e-30, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_temperatures_give_finite_sums(wrap, temperature, dtype):
    x, p, _ = draw(9, dtype=dtype)
    found = soft_pass(wrap(x), torch.from_numpy(p), temperature, overlap=True)
    assert all(torch.isfinite(value).all() for value in found)
    assert float(found.mass.sum()) == pytest.approx(60, rel=1e-5)


@pytest.mark.parametrize("scale", [1e30, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scales(wrap, oracle, scale, dtype):
    x, p, _ = draw(10)
    rows = wrap((x * scale).astype(dtype))
    y, p = in_frame(rows, x * scale, p * scale)
    expected, found = oracle(y, p), hard_pass(rows, torch.from_numpy(p))
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.inertia == pytest.approx(expected.inertia, rel=1e-4)


def test_scores_are_distances_less_the_norm(wrap):
    x, p, _ = draw(11, offset=3.0)
    rows = wrap(x)
    y, p = in_frame(rows, x, p)
    slope, constant = linear_scores(rows, torch.from_numpy(p), -2.5)
    expected = -2.5 * ((p**2).sum(1) - 2 * y @ p.T)
    np.testing.assert_allclose(x @ slope.numpy().T + constant.numpy(), expected, atol=1e-10)


def test_softmax_does_not_care_for_the_memory_layout():
    logits = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    strided = logits.T.contiguous().T
    torch.testing.assert_close(softmax_over_prototypes(strided), torch.softmax(logits, 1))
    torch.testing.assert_close(softmax_over_prototypes(logits), torch.softmax(logits, 1))


def test_weight_zero_rows_count_for_nothing(wrap):
    x, p, _ = draw(12)
    w = np.r_[np.ones(40), np.zeros(20)]
    rows, part = wrap(x, w), wrap(x[:40])
    p = torch.from_numpy(in_frame(part, x, p)[1])
    torch.testing.assert_close(hard_pass(rows, p).sums, hard_pass(part, p).sums)
    torch.testing.assert_close(soft_pass(rows, p, 0.5).mass, soft_pass(part, p, 0.5).mass)


@pytest.mark.parametrize("call", [hard_pass, two_winner_pass])
def test_prototypes_of_another_width_are_refused(wrap, call):
    with pytest.raises(RuntimeError, match=r"size|shape"):
        call(wrap(np.eye(4)), torch.zeros(2, 3, dtype=torch.float64))
