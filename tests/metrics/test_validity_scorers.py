"""Label-free scorers: input space, sparse and image input, searches, and collapse."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn import metrics as sklearn_metrics
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import (
    _validity_scorers,
    calinski_harabasz_scorer,
    davies_bouldin_scorer,
    silhouette_scorer,
)

SCORERS = {
    "silhouette": silhouette_scorer,
    "davies_bouldin": davies_bouldin_scorer,
    "calinski_harabasz": calinski_harabasz_scorer,
}
WORST = {"silhouette": -1.0, "davies_bouldin": -1e6, "calinski_harabasz": 0.0}
FUNCTIONS = {
    "silhouette": sklearn_metrics.silhouette_score,
    "davies_bouldin": lambda X, labels: -sklearn_metrics.davies_bouldin_score(X, labels),
    "calinski_harabasz": sklearn_metrics.calinski_harabasz_score,
}
each_scorer = pytest.mark.parametrize("name", SCORERS)


class Fixed(ClusterMixin, BaseEstimator):
    """Predict the labels that it was given."""

    def __init__(self, labels):
        self.labels = labels

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.asarray(self.labels)


@pytest.fixture(scope="module")
def blobs():
    X, _ = make_blobs(90, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
    return X


@each_scorer
def test_values_are_those_of_the_input_space(name):
    X = load_iris().data
    model = make_pipeline(StandardScaler(), KMeans(3, n_init=2, random_state=0)).fit(X)
    expected = FUNCTIONS[name](X, model.predict(X))
    assert SCORERS[name](model, X) == pytest.approx(expected)
    assert SCORERS[name](model, X, y="ignored") == pytest.approx(expected)


@each_scorer
def test_sparse_input_through_a_pipeline(name):
    X = np.maximum(load_iris().data - 2, 0)
    model = make_pipeline(MaxAbsScaler(), KMeans(3, n_init=2, random_state=0))
    expected = SCORERS[name](model.fit(X), X)
    rows = sparse.csr_matrix(X)
    assert SCORERS[name](model.fit(rows), rows) == pytest.approx(expected)


@each_scorer
def test_images_are_flattened(name, blobs):
    images = blobs.reshape(-1, 2, 1)
    flatten = FunctionTransformer(_flatten)
    model = make_pipeline(flatten, KMeans(3, n_init=2, random_state=0)).fit(images)
    assert SCORERS[name](model, images) == pytest.approx(SCORERS[name](model[-1], blobs))


def _flatten(X):
    return X.reshape(len(X), -1)


@each_scorer
def test_greater_is_better(name, blobs):
    good = KMeans(3, n_init=2, random_state=0).fit(blobs)
    bad = Fixed(np.arange(len(blobs)) % 3)
    assert SCORERS[name](good, blobs) > SCORERS[name](bad, blobs) > WORST[name]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_search_without_classes_finds_the_clusters(blobs, n_jobs):
    search = GridSearchCV(
        KMeans(n_init=3, random_state=0),
        {"n_clusters": [2, 3, 6]},
        scoring=SCORERS,
        refit="silhouette",
        cv=2,
        n_jobs=n_jobs,
    ).fit(blobs)
    for name in SCORERS:
        assert search.cv_results_[f"rank_test_{name}"].tolist().index(1) == 1


@each_scorer
@pytest.mark.parametrize(
    "labels", [np.zeros(6, dtype=int), np.arange(6), ["only"] * 6], ids=["one", "all", "string"]
)
def test_one_cluster_or_a_cluster_a_sample_scores_worst(name, labels):
    X = np.arange(12.0).reshape(6, 2)
    with pytest.warns(CollapseWarning, match=f"{name}_scorer is not defined"):
        assert SCORERS[name](Fixed(labels), X) == WORST[name]


@each_scorer
def test_one_sample_scores_worst(name):
    with pytest.warns(CollapseWarning):
        assert SCORERS[name](Fixed([0]), [[1.0, 2.0]]) == WORST[name]


@pytest.mark.filterwarnings("ignore::sklearn_ddcl.exceptions.CollapseWarning")
def test_a_search_survives_collapsed_candidates(blobs):
    search = GridSearchCV(
        KMeans(n_init=1, random_state=0),
        {"n_clusters": [1, 3, 45]},
        scoring=SCORERS,
        cv=2,
        refit="davies_bouldin",
    ).fit(blobs)
    assert search.best_params_ == {"n_clusters": 3}
    for name in SCORERS:
        results = search.cv_results_
        assert np.isfinite(results[f"mean_test_{name}"]).all()
        assert np.isfinite(results[f"std_test_{name}"]).all()


def test_silhouette_of_a_large_sample_uses_a_fixed_subset(blobs, monkeypatch):
    model = KMeans(3, n_init=1, random_state=0).fit(blobs)
    full = silhouette_scorer(model, blobs)
    monkeypatch.setattr(_validity_scorers, "_SILHOUETTE_ROWS", 40)
    part = silhouette_scorer(model, blobs)
    assert part == silhouette_scorer(model, blobs)
    assert part != full
    assert part == pytest.approx(full, abs=0.1)


@each_scorer
def test_scorers_pickle_to_themselves(name):
    assert pickle.loads(pickle.dumps(SCORERS[name])) is SCORERS[name]


@each_scorer
def test_bad_input_is_refused(name):
    with pytest.raises(TypeError, match="must have a predict method to be scored, got DBSCAN"):
        SCORERS[name](DBSCAN(), [[0.0], [1.0]])
    with pytest.raises(ValueError, match="X contains NaN"):
        SCORERS[name](Fixed([0, 1, 1]), [[np.nan], [0.0], [1.0]])
