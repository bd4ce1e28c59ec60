import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from sklearn_ddcl.engine._mixture import MIXTURES, Mixture, fit_mixture, log_joint, posterior

checked = settings(deadline=None, max_examples=25)
LABELS = np.repeat(np.arange(3), [40, 70, 130])
SCALES = np.array([[0.3, 1.0], [1.0, 0.2], [0.6, 0.6]])


def draw(seed=0, offset=0.0):
    generator = np.random.default_rng(seed)
    means = np.array([[0.0, 0.0], [3.0, 2.0], [0.0, 5.0]])
    noise = SCALES[LABELS] * generator.normal(size=(len(LABELS), 2))
    return means[LABELS] + noise + offset, generator.uniform(0.1, 2.0, size=len(LABELS))


def ordered(mixture):
    return [part[np.argsort(mixture.weights)] for part in mixture[:3]]


def test_gaussian_mixture_is_that_of_scikit_learn():
    z, _ = draw()
    start = fit_mixture(z, None, 3, "kmeans", 5, seed=0)
    found = fit_mixture(z, None, 3, "gaussian", 0, seed=0, start=start.means)
    oracle = GaussianMixture(
        3,
        covariance_type="diag",
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=1 / start.variances,
        reg_covar=1e-6 * z.var(axis=0).mean(),
    ).fit(z)
    np.testing.assert_allclose(found.weights, oracle.weights_, atol=2e-3)
    np.testing.assert_allclose(found.means, oracle.means_, atol=2e-2)
    np.testing.assert_allclose(found.variances, oracle.covariances_, atol=2e-2)
    assert found.score == pytest.approx(oracle.score(z), abs=2e-3)
    np.testing.assert_array_equal(log_joint(found, z).argmax(axis=1), oracle.predict(z))


def test_kmeans_mixture_describes_the_clusters():
    z, weight = draw()
    found = fit_mixture(z, weight, 3, "kmeans", 5, seed=0)
    kmeans = KMeans(3, n_init=10, random_state=0).fit(z, sample_weight=weight)
    share = weight / weight.sum()
    assert found.score == pytest.approx(-kmeans.inertia_ / weight.sum(), rel=1e-6)
    order = np.argsort([share[kmeans.labels_ == j].sum() for j in range(3)])
    for j, (part, mean, variance) in zip(order, zip(*ordered(found), strict=True), strict=True):
        own = kmeans.labels_ == j
        expected = np.average(z[own], axis=0, weights=weight[own])
        assert part == pytest.approx(share[own].sum())
        assert mean == pytest.approx(expected)
        spread = np.average((z[own] - expected) ** 2, axis=0, weights=weight[own])
        assert variance == pytest.approx(spread, rel=1e-4)


@checked
@given(seed=st.integers(0, 1_000), k=st.integers(1, 4), d=st.integers(1, 4))
def test_log_joint_is_that_of_scipy(seed, k, d):
    generator = np.random.default_rng(seed)
    weights = generator.dirichlet(np.ones(k))
    means, variances = generator.normal(size=(k, d)), generator.uniform(0.1, 3.0, size=(k, d))
    z = generator.normal(size=(7, d))
    found = log_joint(Mixture(weights, means, variances, 0.0), z)
    for j in range(k):
        density = multivariate_normal(means[j], np.diag(variances[j])).logpdf(z)
        np.testing.assert_allclose(found[:, j], np.log(weights[j]) + density, rtol=1e-9)


def test_posterior_is_that_of_scikit_learn_in_the_rows_dtype():
    z, _ = draw()
    found = fit_mixture(z, None, 3, "gaussian", 3, seed=0)
    oracle = GaussianMixture(3, covariance_type="diag")
    oracle.weights_, oracle.means_, oracle.covariances_ = found[:3]
    oracle.precisions_cholesky_ = 1 / np.sqrt(found.variances)
    many = np.tile(z, (40, 1))  # more than one block
    np.testing.assert_allclose(posterior(found, many), oracle.predict_proba(many), atol=1e-12)
    assert posterior(found, z.astype("f")).dtype == np.float32


@pytest.mark.parametrize(("far", "finite"), [(1e30, True), (1e200, False)])
def test_posterior_far_out_is_one_sided_or_nan(far, finite):
    one = np.ones((2, 1))
    mixture = Mixture(np.array([0.5, 0.5]), np.array([[-1.0], [1.0]]), one, 0.0)
    found = posterior(mixture, np.array([[far]]))
    assert np.isfinite(found).all() == finite
    assert not finite or found.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", sorted(MIXTURES))
def test_integer_weights_repeat_rows(kind):
    z, _ = draw()
    counts = np.random.default_rng(1).integers(0, 4, size=len(z))
    start = z[[0, 60, 200]]
    weighted = fit_mixture(z, counts.astype(float), 3, kind, 0, 0, start)
    repeated = fit_mixture(np.repeat(z, counts, axis=0), None, 3, kind, 0, 0, start)
    for first, second in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-7)


@pytest.mark.parametrize("kind", sorted(MIXTURES))
def test_scale_and_offset_change_nothing_else(kind):
    z, weight = draw()
    start = z[[0, 60, 200]]
    found = ordered(fit_mixture(z, weight, 3, kind, 0, 0, start))
    moved = ordered(fit_mixture(64 * z + 4096, weight * 1e30, 3, kind, 0, 0, 64 * start + 4096))
    np.testing.assert_allclose(moved[0], found[0], rtol=1e-6)
    np.testing.assert_allclose((moved[1] - 4096) / 64, found[1], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(moved[2] / 64**2, found[2], rtol=1e-6)


@pytest.mark.parametrize("kind", sorted(MIXTURES))
def test_more_starts_are_no_worse_and_seeds_repeat(kind):
    z, weight = draw(3)
    bad = z[:3]  # all of one cluster
    alone = fit_mixture(z, weight, 3, kind, 0, 7, bad)
    several = fit_mixture(z, weight, 3, kind, 5, 7, bad)
    assert several.score >= alone.score
    again = fit_mixture(z, weight, 3, kind, 5, 7, bad)
    for first, second in zip(several, again, strict=True):
        np.testing.assert_array_equal(first, second)


def test_em_gains_on_kmeans():
    z, weight = draw(4)
    share = weight / weight.sum()
    start = fit_mixture(z, weight, 3, "kmeans", 3, 0)
    before = share @ np.logaddexp.reduce(log_joint(start, z), axis=1)
    found = fit_mixture(z, weight, 3, "gaussian", 0, 0, start.means)
    after = share @ np.logaddexp.reduce(log_joint(found, z), axis=1)
    assert found.score >= before
    assert after == pytest.approx(found.score)


@pytest.mark.parametrize("kind", sorted(MIXTURES))
@pytest.mark.parametrize("rows", [[0.0, 0.0, 0.0], [0.0, 0.0, 5.0], [1e150, 1e150, 0.0]])
def test_fewer_distinct_rows_than_components(kind, rows):
    z = np.array(rows)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        found = fit_mixture(z, None, 3, kind, 2, 0)
    assert 1 <= len(found.weights) <= 3
    assert (found.weights > 0).all()
    assert found.weights.sum() == pytest.approx(1.0)
    assert (found.variances > 0).all()
    assert np.isfinite(log_joint(found, z)).all()


def test_rows_of_weight_zero_and_read_only_input():
    z, _ = draw()
    weight = np.r_[np.ones(239), 0.0]
    far = np.r_[z[:-1], [[1e6, 1e6]]]
    far.setflags(write=False)
    weight.setflags(write=False)
    found = fit_mixture(far, weight, 3, "gaussian", 3, 0)
    assert found.means.max() < 100


def test_float32_rows_make_a_mixture_in_float64():
    found = fit_mixture(draw()[0].astype("f"), None, 2, "gaussian", 1, 0)
    assert {part.dtype for part in found[:3]} == {np.dtype(np.float64)}


@pytest.mark.parametrize("n_init", [0, -1])
def test_no_start_is_refused(n_init):
    with pytest.raises(ValueError, match=f"n_init must be >= 1 without a start, got {n_init}"):
        fit_mixture(draw()[0], None, 2, "kmeans", n_init, 0)


def test_more_components_than_rows_are_refused():
    with pytest.raises(ValueError, match="n_samples=2 should be >= n_clusters=3"):
        fit_mixture(np.eye(2), None, 3, "kmeans", 1, 0)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of 'gaussian', 'kmeans', got 'sph"):
        fit_mixture(np.eye(2), None, 1, "spherical", 1, 0)
