"""Scorers with classes: values, searches, processes, pickles and a missing y."""

import pickle

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.metrics import (
    accuracy_scorer,
    ari_scorer,
    clustering_accuracy_score,
    nmi_scorer,
)

SCORERS = {"acc": accuracy_scorer, "nmi": nmi_scorer, "ari": ari_scorer}


@pytest.fixture(scope="module")
def iris():
    data = load_iris()
    return data.data, data.target_names[data.target]


def test_values_equal_the_functions(iris):
    X, y = iris
    model = make_pipeline(StandardScaler(), KMeans(3, n_init=2, random_state=0)).fit(X)
    labels = model.predict(X)
    assert accuracy_scorer(model, X, y) == clustering_accuracy_score(y, labels)
    assert ari_scorer(model, X, y) == sklearn_metrics.adjusted_rand_score(y, labels)
    assert nmi_scorer(model, X, y) == pytest.approx(
        sklearn_metrics.normalized_mutual_info_score(y, labels, average_method="geometric")
    )


def test_several_scorers_in_a_search_with_string_classes(iris):
    rows = np.arange(len(iris[0]))  # iris is sorted by class: folds would lack one
    search = GridSearchCV(
        KMeans(n_init=2, random_state=0),
        {"n_clusters": [2, 3, 9]},
        scoring=SCORERS,
        refit="acc",
        cv=[(rows, rows)],
    )
    search.fit(*iris)
    assert search.best_params_ == {"n_clusters": 3}
    for name in SCORERS:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()


def test_scorers_travel_to_other_processes(iris):
    result = cross_validate(
        KMeans(3, n_init=1, random_state=0), *iris, scoring=SCORERS, cv=2, n_jobs=2
    )
    expected = cross_validate(
        KMeans(3, n_init=1, random_state=0), *iris, scoring=SCORERS, cv=2, n_jobs=1
    )
    for name in SCORERS:
        np.testing.assert_array_equal(result[f"test_{name}"], expected[f"test_{name}"])


@pytest.mark.parametrize("scorer", SCORERS.values())
def test_scorers_pickle_to_themselves(scorer):
    assert pickle.loads(pickle.dumps(scorer)) is scorer


@pytest.mark.parametrize("scorer", SCORERS.values())
def test_without_classes_the_error_names_y(scorer, iris):
    model = KMeans(2, n_init=1).fit(iris[0])
    with pytest.raises(ValueError, match=f"{scorer.__name__} .* y must be given, got None"):
        scorer(model, iris[0])


@pytest.mark.parametrize("scorer", SCORERS.values())
def test_a_clusterer_without_predict_is_refused(scorer, iris):
    with pytest.raises(TypeError, match="must have a predict method to be scored, got DBSCAN"):
        scorer(DBSCAN().fit(iris[0]), *iris)
