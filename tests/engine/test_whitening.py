import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from sklearn_ddcl.engine._whitening import MOST_COMPONENTS, Whitening, fit_whitening


def features(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3.0)


@pytest.mark.parametrize("count", [None, 1, 4])
def test_it_is_scikit_learns_whitened_pca_divided_by_the_norm(count):
    z = features()
    found = fit_whitening(z, None, count)(z).numpy()
    expected = normalize(PCA(count, whiten=True).fit_transform(z.numpy()))
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-9)


def test_integer_weights_are_repetitions():
    z = features()
    times = torch.arange(200) % 4
    weighted = fit_whitening(z, times, 3)(z)
    repeated = fit_whitening(z.repeat_interleave(times, dim=0), None, 3)(z)
    torch.testing.assert_close(weighted.abs(), repeated.abs())


@pytest.mark.parametrize(("n", "d", "expected"), [(50, 40, 10), (4000, 300, MOST_COMPONENTS)])
def test_as_many_components_as_the_rows_bear(n, d, expected):
    z = torch.randn(n, d, generator=torch.Generator().manual_seed(0))
    assert fit_whitening(z, None, None).basis.shape == (d, expected)
    assert fit_whitening(z, None, 12).basis.shape == (d, 12)


@settings(deadline=None, max_examples=30)
@given(scale=st.floats(1e-12, 1e12), offset=st.floats(-1e3, 1e3))
def test_scale_and_offset_do_not_matter(scale, offset):
    z = features(60, 3)
    moved = (z + offset) * scale
    found = fit_whitening(moved, None, None)(moved)
    torch.testing.assert_close(
        found.abs(), fit_whitening(z, None, None)(z).abs(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e30])
def test_features_that_do_not_vary_become_zero(value):
    z = torch.full((7, 3), value, dtype=torch.float64)
    found = fit_whitening(z, None, None)(z)
    assert torch.isfinite(found).all()
    assert found.square().sum(dim=1).max() <= 1.0 + 1e-9


def test_directions_of_rounding_alone_are_left_out():
    z = features(100, 2)
    flat = torch.cat([z, z @ torch.tensor([[1.0], [2.0]]).double()], dim=1).float()
    assert fit_whitening(flat, None, 3).basis.shape == (3, 2)


def test_huge_features_do_not_overflow():
    z = features(100, 3) * 1e200
    assert torch.isfinite(fit_whitening(z, None, None)(z)).all()


def test_it_moves_and_saves_with_a_module():
    whitening = Whitening(torch.zeros(2), torch.eye(2))
    assert set(whitening.state_dict()) == {"mean", "basis"}
    assert whitening.double()(torch.ones(1, 2).double()).dtype == torch.float64
