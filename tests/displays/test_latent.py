"""Samples in the space of the prototypes: pipelines, encoders, what is missing."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays._latent import dense, latent_space

X = load_iris().data


def test_a_pipeline_leads_to_its_last_step():
    pipeline = make_pipeline(StandardScaler(), KMeans(4, n_init=1, random_state=0)).fit(X)
    final, features, prototypes = latent_space(pipeline, X)
    assert final is pipeline[-1]
    np.testing.assert_allclose(features, StandardScaler().fit_transform(X))
    np.testing.assert_array_equal(prototypes, final.cluster_centers_)
    single = make_pipeline(final)
    np.testing.assert_array_equal(latent_space(single, X).features, X)


def test_an_encoder_is_asked_and_all_prototypes_come():
    model = SimpleNamespace(
        encode=lambda values: values[:, :2] * 2,
        prototypes_=np.ones((5, 2), dtype=np.float32),
        cluster_centers_=np.ones((3, 2)),
    )
    latent = latent_space(model, X)
    np.testing.assert_array_equal(latent.features, X[:, :2] * 2)
    assert latent.prototypes.shape == (5, 2)
    assert latent.prototypes.dtype == np.float64


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, np.float32, list])
def test_all_kinds_become_dense_floats(kind):
    values = dense(kind([[1.0, 0.0], [0.0, 2.0]]))
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, np.diag([1.0, 2.0]))
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    np.testing.assert_array_equal(latent_space(model, sparse.csr_array(X)).features, X)


@pytest.mark.parametrize(
    "estimator", [KMeans(), DBSCAN(), DDCLClustering(), make_pipeline(KMeans())]
)
def test_estimators_without_prototypes_are_named(estimator):
    with pytest.raises(
        ValueError, match="must be fitted and have prototypes_ or cluster_centers_"
    ):
        latent_space(estimator, X)


@pytest.mark.parametrize("samples", [X[:, :3], X[0], np.ones((2, 4, 1))])
def test_samples_of_another_space_are_refused(samples):
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match="X must have 4 features in the space of the prototypes"):
        latent_space(model, samples)
