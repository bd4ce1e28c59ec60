"""The plane: scikit-learn's PCA as oracle, signs, extremes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from sklearn_ddcl.displays._plane import drawing_plane


@given(seed=st.integers(0, 999), n=st.integers(4, 30), d=st.integers(3, 40))
def test_projections_are_those_of_pca(seed, n, d):
    X = np.random.default_rng(seed).normal(size=(n, d)) * np.r_[9.0, 4.0, np.ones(d - 2)]
    plane, pca = drawing_plane(X), PCA(2, svd_solver="full").fit(X)
    found, expected = plane.project(X), pca.transform(X)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-8)
    shares = [f"({share:.0%} of" for share in pca.explained_variance_ratio_]
    assert all(share in name for share, name in zip(shares, plane.names, strict=True))
    assert all(column[np.abs(column).argmax()] > 0 for column in plane.basis.T)


def test_two_features_are_drawn_as_they_are():
    X = np.random.default_rng(0).normal(size=(5, 2))
    plane = drawing_plane(X)
    np.testing.assert_array_equal(plane.project(X), X)
    assert plane.names == ("feature 0", "feature 1")


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_the_scale_changes_nothing_but_the_scale(factor):
    X = np.random.default_rng(0).normal(size=(9, 4))
    one, other = drawing_plane(X), drawing_plane(X * factor)
    assert one.names == other.names
    np.testing.assert_allclose(other.project(X * factor) / factor, one.project(X), atol=1e-9)


@pytest.mark.parametrize("X", [np.ones((1, 4)), np.ones((7, 3)), np.zeros((2, 5))])
def test_points_without_spread_are_drawn_at_the_origin(X):
    plane = drawing_plane(X)
    np.testing.assert_allclose(plane.project(X), 0, atol=1e-12)
    assert "0% of the variance" in plane.names[0]


def test_one_feature_is_refused():
    with pytest.raises(ValueError, match="at least 2 features to be drawn in the plane, got 1"):
        drawing_plane(np.ones((3, 1)))
