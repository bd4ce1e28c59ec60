import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from sklearn_ddcl.engine import _projection, principal_projection
from sklearn_ddcl.engine._projection import project_rows


def rows(seed, n, d, rank=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.linspace(3, 0.5, d)
    return x if rank is None else rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))


def generator():
    return torch.Generator().manual_seed(0)


def projected(x, weight=None, dtype=torch.float64):
    return project_rows(x, principal_projection(x, generator(), weight), dtype).numpy()


@given(st.integers(0, 999), st.integers(12, 30), st.integers(1, 8))
def test_components_are_those_of_scikit_learn_but_for_sign_and_one_scale(seed, n, d):
    x = rows(seed, n, d)
    z, expected = projected(x), PCA().fit_transform(x)
    z = z / np.sqrt(z.var(0).mean()) * np.sqrt(expected.var(0).mean())
    np.testing.assert_allclose(np.abs(z), np.abs(expected), atol=1e-6)


def test_at_most_128_components_are_kept_and_their_mean_variance_is_1():
    z = projected(rows(0, 200, 150))
    assert z.shape == (200, 128)
    assert z.var(0).mean() == pytest.approx(1.0)
    assert (np.diff(z.var(0)) <= 1e-12).all()


@given(st.integers(0, 99), st.sampled_from([1e-300, 1e-8, 1e8, 1e300]))
def test_distances_are_kept_but_for_one_factor_at_any_scale(seed, scale):
    x = rows(seed, 12, 3)
    ratio = pdist(projected(x * scale)) / pdist(x)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_an_offset_is_taken_off_before_its_digits_are():
    x = rows(0, 40, 3)
    z, far = projected(x), projected(x + 1e8)
    np.testing.assert_allclose(np.abs(far), np.abs(z), atol=1e-5)


def test_sketched_components_of_wide_rows_span_the_exact_ones():
    x = rows(1, 60, 2100, rank=20)
    z, expected = projected(x), PCA(20).fit_transform(x)
    assert z.shape == (60, 128)
    ratio = pdist(z) / pdist(expected)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    np.testing.assert_allclose(z[:, 20:], 0.0, atol=1e-6)


@pytest.mark.parametrize("width", [5, 2100])
def test_sparse_rows_are_dense_rows(width):
    x = rows(2, 30, width)
    x[np.abs(x) < 0.8] = 0.0
    np.testing.assert_array_equal(projected(sparse.csr_array(x)), projected(x))


def test_weights_are_repetitions():
    x, weight = rows(3, 30, 4), np.random.default_rng(3).integers(0, 4, 30)
    weighted = principal_projection(x, generator(), weight)
    repeated = principal_projection(np.repeat(x, weight, axis=0), generator())
    torch.testing.assert_close(weighted.mean, repeated.mean)
    torch.testing.assert_close(weighted.basis.abs(), repeated.basis.abs())


@pytest.mark.parametrize("value", [0.0, 1.0, 7.1, -1e8, 1e300])
def test_equal_rows_are_mapped_to_zero(value):
    z = projected(np.full((30, 3), value))
    assert z.shape == (30, 3)
    assert not z.any()


def test_blocks_make_no_difference(monkeypatch):
    x = rows(4, 50, 4)
    expected = projected(x)
    monkeypatch.setattr(_projection, "_BLOCK_ELEMENTS", 7 * 4)
    np.testing.assert_allclose(projected(x), expected, atol=1e-12)


def test_images_are_flattened_and_float32_stays_exact():
    x = rows(5, 20, 12).astype(np.float32)
    z = projected(x.reshape(20, 3, 2, 2), dtype=torch.float32)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, projected(x, dtype=torch.float32))


def test_read_only_rows_are_read():
    x = rows(6, 10, 2)
    x.flags.writeable = False
    assert np.isfinite(projected(x)).all()


def test_one_row_is_the_origin():
    assert not projected(np.array([[3.0, 4.0]])).any()


def test_values_whose_differences_overflow_are_refused():
    x = np.array([[1.7e308], [-1.7e308], [-1.7e308], [-1.7e308]])
    with pytest.raises(ValueError, match="too large for float64"):
        principal_projection(x, generator())
