"""Prototypes of estimators, through pipelines, and nearest samples."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from sklearn_ddcl.displays._sources import estimator_prototypes, nearest_samples

X = load_iris().data


@pytest.fixture(scope="module")
def model():
    return KMeans(3, n_init=1, random_state=0).fit(X)


def test_centres_of_an_estimator_and_of_a_single_step(model):
    np.testing.assert_array_equal(estimator_prototypes(model), model.cluster_centers_)
    np.testing.assert_array_equal(
        estimator_prototypes(make_pipeline(model)), model.cluster_centers_
    )


def test_centres_behind_a_scaler_come_back_to_the_input_space():
    pipeline = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)).fit(X)
    labels = pipeline.predict(X)
    means = [X[labels == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose(estimator_prototypes(pipeline), means)


def test_nearest_samples_are_rows_of_the_data(model):
    expected = X[cdist(X, model.cluster_centers_).argmin(axis=0)]
    np.testing.assert_array_equal(nearest_samples(model, X), expected)


def test_missing_centres_and_steps_without_inverse_are_refused():
    with pytest.raises(ValueError, match="must be fitted and have cluster_centers_, got KMeans"):
        estimator_prototypes(KMeans())
    pipeline = make_pipeline(Normalizer(), KMeans(2, n_init=1)).fit(X)
    with pytest.raises(ValueError, match=r"inverse_transform, got \['normalizer'\]"):
        estimator_prototypes(pipeline)
    with pytest.raises(ValueError, match=r"must be fitted and have transform .* got DBSCAN"):
        nearest_samples(DBSCAN(), X)


def test_feature_selection_is_inverted_with_zeros():
    pipeline = make_pipeline(SelectKBest(k=2), KMeans(2, n_init=1, random_state=0))
    prototypes = estimator_prototypes(pipeline.fit(X, load_iris().target))
    assert prototypes.shape == (2, 4)
