import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs, make_moons

from sklearn_ddcl.engine import Mixture, posterior
from sklearn_ddcl.engine._adversarial_finish import finish_gaussian, finish_nearest
from sklearn_ddcl.engine._mixture import fit_mixture
from sklearn_ddcl.metrics import adjusted_rand_score


def nearest(z, means, k, weight=None):
    return finish_nearest(z, weight, means, k, "cpu", torch.Generator().manual_seed(0))


def test_many_means_are_joined_into_clusters_that_are_not_round():
    z, y = make_moons(400, noise=0.05, random_state=0)
    means = fit_mixture(z, None, 20, "kmeans", 3, 0).means
    found = nearest(z, means, 2).clusters
    assert adjusted_rand_score(y, found.labels) > 0.95
    assert len(found.centers) == 2
    assert len(found.prototypes) > 10
    gaps = np.square(z[:, None] - found.prototypes).sum(axis=2)
    np.testing.assert_array_equal(found.groups[gaps.argmin(axis=1)], found.labels)
    assert found.inertia == pytest.approx(gaps.min(axis=1).sum())


@pytest.mark.parametrize("count", [2, 3])
def test_as_many_means_as_clusters_or_fewer_are_the_clusters(count):
    z, _ = make_blobs(60, centers=3, n_features=2, random_state=0)
    means = z[[0, 10, 20][:count]]
    found = nearest(z, means, 3)
    assert found.mixture is None
    assert len(found.clusters.prototypes) == count
    assert found.clusters.prototypes is found.clusters.centers
    assert {tuple(row) for row in found.clusters.prototypes} == {tuple(row) for row in means}


@pytest.mark.parametrize("joined", [False, True])
def test_rows_of_weight_zero_are_labelled_and_count_for_nothing(joined):
    z, _ = make_blobs(60, centers=3, n_features=2, random_state=0)
    means = fit_mixture(z, None, 9 if joined else 3, "kmeans", 3, 0).means
    far, weight = np.r_[z, z[:1] + 50], np.r_[np.ones(60), 0.0]
    found, alone = nearest(far, means, 3, weight).clusters, nearest(z, means, 3).clusters
    np.testing.assert_array_equal(found.labels[:60], alone.labels)
    assert found.labels.shape == (61,)
    np.testing.assert_allclose(found.centers, alone.centers)


def test_gaussians_are_numbered_by_weight_and_label_as_their_posterior():
    z, y = make_blobs([20, 60, 40], centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    mixture = fit_mixture(z, None, 3, "gaussian", 3, 0)
    clusters, final = finish_gaussian(z, None, mixture, "cpu")
    assert np.bincount(clusters.labels).tolist() == [60, 40, 20]
    assert adjusted_rand_score(y, clusters.labels) == 1.0
    np.testing.assert_array_equal(posterior(final, z).argmax(axis=1), clusters.labels)
    np.testing.assert_allclose(np.sort(final.weights), np.sort(mixture.weights))


def test_a_gaussian_that_wins_nothing_is_dropped_and_shares_sum_to_one():
    one = np.ones((3, 1))
    mixture = Mixture(np.array([0.5, 0.3, 0.2]), np.array([[0.0], [9.0], [99.0]]), one, 0.0)
    z, weight = np.array([[0.0], [9.0], [9.5], [99.0]]), np.array([1.0, 1.0, 1.0, 0.0])
    clusters, final = finish_gaussian(z, weight, mixture, "cpu")
    assert clusters.labels.tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(final.weights, [0.375, 0.625])
    assert clusters.inertia == pytest.approx(0.25)


def test_shares_and_variances_that_vanish_in_float32_stay_positive():
    tiny = np.full((2, 1), 1e-60)
    mixture = Mixture(np.array([1.0, 1e-60]), np.array([[0.0], [1.0]]), tiny, 0.0)
    z = np.array([[0.0], [1.0]], dtype=np.float32)
    clusters, final = finish_gaussian(z, None, mixture, "cpu")
    assert clusters.labels.tolist() == [0, 1]
    assert (final.variances > 0).all()
    assert (final.weights > 0).all()
    assert np.isfinite(posterior(final, z)).all()


def test_a_mixture_of_other_width_is_refused():
    one = np.ones((2, 3))
    with pytest.raises(ValueError, match="shapes"):
        finish_gaussian(np.eye(2), None, Mixture(one[:, 0] / 2, one, one, 0.0), "cpu")
