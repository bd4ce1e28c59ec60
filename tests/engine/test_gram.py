import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_ddcl.engine import _gram
from sklearn_ddcl.engine._data import wrap_rows
from sklearn_ddcl.engine._gram import measure_gram, rows_at

CPU = torch.device("cpu")


def make(n, d, seed=0, weighted=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5.0
    return X, rng.uniform(0.5, 2.0, size=n) if weighted else None


def covariance(X, weight):
    return np.cov(X.T, aweights=weight, ddof=0).reshape(X.shape[1], X.shape[1])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_mean_gram_matrix_is_the_covariance(weighted, kind):
    X, weight = make(40, 3, weighted=weighted)
    rows = wrap_rows(kind(X), weight, CPU)
    scale = 2.0
    gram = measure_gram(rows, scale, torch.Generator())
    expected = covariance(X, weight) / (rows.frame.unit * scale) ** 2
    np.testing.assert_allclose(gram.factor, expected, rtol=1e-9)
    values = np.linalg.eigvalsh(expected)
    assert gram.rank == pytest.approx(values.sum() ** 2 / np.square(values).sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_with_more_features_than_rows_the_rows_give_the_same(weighted):
    X, weight = make(6, 9, weighted=weighted)
    rows = wrap_rows(X, weight, CPU)
    gram = measure_gram(rows, 1.0, torch.Generator())
    assert not gram.square
    assert gram.factor.shape == (6, 9)
    expected = covariance(X, weight) / rows.frame.unit**2
    g = np.random.default_rng(1).normal(size=(4, 9))
    np.testing.assert_allclose(gram.apply(torch.from_numpy(g)), g @ expected, rtol=1e-9)
    values = np.linalg.eigvalsh(expected)
    assert gram.rank == pytest.approx(values.sum() ** 2 / np.square(values).sum())


def test_rows_stand_for_all_where_both_sides_are_long(monkeypatch):
    monkeypatch.setattr(_gram, "_WIDE", 50)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 60)) * np.linspace(3, 0.1, 60)
    rows = wrap_rows(X, None, CPU)
    gram = measure_gram(rows, 1.0, torch.Generator().manual_seed(0))
    assert gram.factor.shape == (50, 60)
    estimate = (gram.factor.T @ gram.factor).numpy() * rows.frame.unit**2
    assert np.trace(estimate) == pytest.approx(np.trace(covariance(X, None)), rel=0.2)


@pytest.mark.parametrize("d", [3, 30])
def test_samples_have_the_covariance_of_the_rows(d):
    X, weight = make(12, d)
    rows = wrap_rows(X, weight, CPU)
    gram = measure_gram(rows, 1.0, torch.Generator())
    drawn = gram.sample(40_000, torch.Generator().manual_seed(0)).numpy()
    expected = covariance(X, weight) / rows.frame.unit**2
    assert np.abs(np.cov(drawn.T) - expected).max() < 0.05 * expected.max()
    # in the span of the centred rows
    basis = np.linalg.svd(X - np.average(X, axis=0, weights=weight), full_matrices=False)
    span = basis[2][basis[1] > 1e-9]
    np.testing.assert_allclose(drawn[:5] @ span.T @ span, drawn[:5], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["array", "read-only", "sparse", "memmap"])
def test_chosen_rows_are_centred_and_scaled(tmp_path, dtype, kind):
    X = make(20, 4)[0].astype(dtype)
    data = X.copy()
    if kind == "sparse":
        data = sparse.csr_array(X)
    elif kind == "memmap":
        data = np.memmap(tmp_path / "X", dtype=dtype, mode="w+", shape=X.shape)
        data[:] = X
    elif kind == "read-only":
        data.setflags(write=False)
    rows = wrap_rows(data, None, CPU)
    chosen = rows_at(rows, torch.tensor([3, 17]), 0.5)
    expected = (X[[3, 17]] - X.mean(0, dtype=np.float64)) / (0.5 * rows.frame.unit)
    assert chosen.dtype == (torch.float32 if dtype == np.float32 else torch.float64)
    np.testing.assert_allclose(chosen, expected, rtol=1e-4, atol=1e-5)


def test_a_far_offset_costs_no_digits():
    X = make(20, 3)[0].astype(np.float32)
    X = np.round(X * 64) / 64
    near = rows_at(wrap_rows(X, None, CPU), torch.arange(20), 1.0)
    far = rows_at(wrap_rows(X + np.float32(2**17), None, CPU), torch.arange(20), 1.0)
    torch.testing.assert_close(near, far, rtol=1e-5, atol=1e-5)


def test_constant_rows_have_rank_one():
    assert measure_gram(wrap_rows(np.ones((5, 2)), None, CPU), 1.0, torch.Generator()).rank == 1
