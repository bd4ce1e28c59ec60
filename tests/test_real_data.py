"""Real data: as good as KMeans with ten starts, and less left to chance than with one.

Labels are used to score, never to fit or to choose.
"""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import adjusted_rand_score, clustering_accuracy_score

SEEDS = range(3)


def scaled(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


DATA = {
    "digits": (*load_digits(return_X_y=True), 10),
    "iris": (*load_iris(return_X_y=True), 3),
    "wine": (*scaled(load_wine), 3),
    "breast cancer": (*scaled(load_breast_cancer), 2),
}
each_set = pytest.mark.parametrize("name", DATA)


def inertias(make, X, seeds):
    return np.array([make(seed).fit(X).inertia_ for seed in seeds])


@each_set
def test_inertia_is_that_of_the_best_of_ten_starts(name):
    X, _, k = DATA[name]
    best = inertias(lambda seed: KMeans(k, n_init=10, random_state=seed), X, SEEDS).min()
    ours = inertias(lambda seed: DDCLClustering(k, backbone=None, random_state=seed), X, SEEDS)
    assert ours.max() <= 1.001 * best


@pytest.mark.parametrize(("name", "k"), [("digits", 10), ("iris", 8), ("wine", 8)])
def test_seeds_matter_less_than_to_one_start_of_kmeans(name, k):
    X = DATA[name][0]
    ours = inertias(lambda seed: DDCLClustering(k, backbone=None, random_state=seed), X, range(6))
    theirs = inertias(lambda seed: KMeans(k, n_init=1, random_state=seed), X, range(6))
    assert ours.std() < theirs.std()
    assert np.median(ours) <= np.median(theirs)


@each_set
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_partition_agrees_with_predict_and_inertia_in_both_dtypes(name, dtype):
    X, _, k = DATA[name]
    X = X.astype(dtype)
    model = DDCLClustering(k, backbone=None, random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    gaps = X.astype(float) - model.cluster_centers_.astype(float)[model.labels_]
    assert model.inertia_ == pytest.approx(np.square(gaps).sum(), rel=1e-6)
    for label in range(k):
        mean = X[model.labels_ == label].mean(0, dtype=float)
        scale = X.std() * 0.02  # tol stops the finish a little before rest
        np.testing.assert_allclose(model.cluster_centers_[label], mean, atol=scale)


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [("digits", 0.78), ("iris", 0.88), ("wine", 0.94), ("breast cancer", 0.89)],
)
def test_clusters_are_the_classes_where_kmeans_finds_them(name, accuracy):
    X, y, k = DATA[name]
    for seed in SEEDS:
        labels = DDCLClustering(k, backbone=None, random_state=seed).fit_predict(X)
        assert clustering_accuracy_score(y, labels) > accuracy


def test_weighted_digits_are_repeated_digits():
    X = DATA["digits"][0][:500]
    weight = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = DDCLClustering(10, backbone=None, random_state=0).fit(X, sample_weight=weight)
    repeated = DDCLClustering(10, backbone=None, random_state=0).fit(np.repeat(X, weight, axis=0))
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=0.01)
    assert adjusted_rand_score(weighted.labels_, repeated.predict(X)) > 0.7


def test_learned_features_of_digits_are_clearly_better_than_given_ones():
    X, y, k = DATA["digits"]
    labels = DDCLClustering(k, random_state=0).fit_predict(X)
    given = KMeans(k, n_init=10, random_state=0).fit_predict(X)
    accuracy = clustering_accuracy_score(y, labels)
    assert accuracy >= 0.88
    assert accuracy >= clustering_accuracy_score(y, given) + 0.05
