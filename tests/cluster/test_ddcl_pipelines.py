"""DDCLClustering inside the rest of scikit-learn: pipelines, unions, searches."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import (
    accuracy_scorer,
    ari_scorer,
    calinski_harabasz_scorer,
    clustering_accuracy_score,
    davies_bouldin_scorer,
    nmi_scorer,
    silhouette_scorer,
    stability_scorer,
)
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import GeometricTemperature, ReducedFlow, Regularization

CENTRES = [[0, 0], [0, 9], [9, 0], [9, 9], [20, 20]]
X, Y = make_blobs(250, centers=CENTRES, random_state=0)
LABEL_FREE = {
    "silhouette": silhouette_scorer,
    "davies_bouldin": davies_bouldin_scorer,
    "calinski_harabasz": calinski_harabasz_scorer,
    "stability": stability_scorer,
}
WITH_LABELS = {"accuracy": accuracy_scorer, "nmi": nmi_scorer, "ari": ari_scorer}
LABELS = {
    "none": None,
    "int": Y,
    "str": np.array(list("abcde"))[Y],
    "object": np.array(["a", "b", None, 3, 4.5], dtype=object)[Y],
    "float": Y * 1.5,
    "negative": Y - 7,
    "list": Y.tolist(),
    "series": pd.Series(np.array(list("abcde"))[Y]),
}


def cluster(**params):
    return DDCLClustering(backbone=None, random_state=0, **params)


def search(grid, estimator=None, **params):
    params = {"cv": SingleSplit(), "error_score": "raise", **params}
    return GridSearchCV(estimator or cluster(), grid, **params)


# --- pipelines


def test_last_step_of_a_pipeline():
    pipe = make_pipeline(StandardScaler(), cluster(n_clusters=5))
    labels = pipe.fit_predict(X)
    assert clustering_accuracy_score(Y, labels) == 1.0
    np.testing.assert_array_equal(pipe.predict(X), labels)
    assert pipe.transform(X).shape == (250, 5)
    assert pipe.predict_proba(X).shape == (250, 5)
    scaled = StandardScaler().fit_transform(X)
    assert pipe.score(X) == cluster(n_clusters=5).fit(scaled).score(scaled)
    assert pipe.fit_transform(X).shape == (250, 5)


def test_weights_reach_the_last_step():
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    pipe = Pipeline([("scale", StandardScaler()), ("cluster", cluster(n_clusters=5))])
    pipe.fit(X, cluster__sample_weight=weight)
    alone = cluster(n_clusters=5).fit(StandardScaler().fit_transform(X), sample_weight=weight)
    np.testing.assert_array_equal(pipe["cluster"].labels_, alone.labels_)


@pytest.mark.parametrize("output", ["embedding", "distances", "assignments"])
def test_before_a_classifier(output):
    pipe = make_pipeline(
        StandardScaler(),
        cluster(n_clusters=5, output=output),
        LogisticRegression(max_iter=500),
    )
    assert cross_val_score(pipe, X, Y, cv=3).min() == 1.0
    names = np.array(list("abcde"))[Y]
    assert pipe.fit(X, names).score(X, names) == 1.0


def test_sparse_pipeline():
    pipe = make_pipeline(MaxAbsScaler(), cluster(n_clusters=5))
    labels = pipe.fit_predict(sparse.csr_matrix(X))
    assert clustering_accuracy_score(Y, labels) == 1.0


def test_feature_union_and_names():
    union = FeatureUnion([("near", cluster(n_clusters=3)), ("plain", StandardScaler())])
    result = union.fit_transform(pd.DataFrame(X, columns=["a", "b"]))
    assert result.shape == (250, 5)
    assert union.get_feature_names_out().tolist() == [
        *(f"near__ddclclustering{number}" for number in range(3)),
        "plain__a",
        "plain__b",
    ]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_column_transformer_on_a_frame(library):
    frames = pytest.importorskip(library)
    colour = ["red", "green"] * 125
    frame = frames.DataFrame({"a": X[:, 0], "b": X[:, 1], "colour": colour})
    columns = ColumnTransformer(
        [
            ("near", cluster(n_clusters=5, output="assignments"), ["a", "b"]),
            ("colour", OneHotEncoder(sparse_output=False), ["colour"]),
        ]
    ).set_output(transform=library)
    result = columns.fit_transform(frame)
    assert isinstance(result, frames.DataFrame)
    assert result.columns[0] == "near__ddclclustering0"
    assert result.shape == (250, 7)
    np.testing.assert_allclose(result.to_numpy()[:, :5].sum(1), 1.0)
    pipe = make_pipeline(columns, LogisticRegression(max_iter=500))
    assert pipe.fit(frame, Y).score(frame, Y) == 1.0


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_labels_do_no_harm(y):
    plain = cluster(n_clusters=5).fit(X)
    model = cluster(n_clusters=5).fit(X, y)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_array_equal(cluster(n_clusters=5).fit_predict(X, y), plain.labels_)
    np.testing.assert_array_equal(cluster(n_clusters=5).fit_transform(X, y), plain.transform(X))
    assert model.score(X, y) == plain.score(X)


# --- searches


@pytest.mark.parametrize("y", [LABELS["none"], LABELS["str"]], ids=["no y", "y"])
def test_the_default_score_finds_the_number_of_clusters(y):
    found = search({"n_clusters": [2, 3, 4, 5, 6, 8, 12]}).fit(X, y)
    assert found.best_params_ == {"n_clusters": 5}
    assert found.best_estimator_.n_active_clusters_ == 5
    assert found.score(X) == found.best_estimator_.score(X)


@pytest.mark.parametrize("seed", range(5))
def test_the_score_peaks_at_the_true_number_whatever_the_seed(seed):
    data, _ = make_blobs(250, centers=CENTRES, random_state=seed)
    scores = {
        k: DDCLClustering(k, backbone=None, random_state=seed).fit(data).score(data)
        for k in (2, 4, 5, 6, 10)
    }
    assert max(scores, key=scores.get) == 5


@pytest.mark.parametrize("y", [None, Y], ids=["no y", "y"])
def test_search_in_two_processes_with_folds(y):
    grid = {"n_clusters": [3, 5, 7]}
    alone = search(grid, cv=3).fit(X, y)
    found = search(grid, cv=3, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert found.best_params_ == {"n_clusters": 5}


@pytest.mark.parametrize("name", LABEL_FREE)
def test_search_with_a_label_free_scorer(name):
    found = search({"n_clusters": [3, 5]}, scoring=LABEL_FREE[name]).fit(X)
    assert found.best_params_ == {"n_clusters": 5}
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("name", WITH_LABELS)
@pytest.mark.parametrize("kind", ["int", "str", "negative"])
def test_search_with_a_scorer_of_labels(name, kind):
    found = search({"n_clusters": [3, 5]}, scoring=WITH_LABELS[name]).fit(X, LABELS[kind])
    assert found.best_params_ == {"n_clusters": 5}
    assert found.best_score_ == pytest.approx(1.0)


def test_search_with_all_scorers_at_once():
    scorers = {**LABEL_FREE, **WITH_LABELS}
    found = search({"n_clusters": [3, 5]}, scoring=scorers, refit="silhouette", n_jobs=2)
    found.fit(X, Y)
    assert found.best_params_ == {"n_clusters": 5}
    for name in scorers:
        assert np.isfinite(found.cv_results_[f"mean_test_{name}"]).all()


def test_search_over_nested_options_in_a_pipeline():
    estimator = make_pipeline(
        StandardScaler(),
        cluster(
            n_clusters=5,
            temperature=GeometricTemperature(),
            training=ReducedFlow(),
            regularization=Regularization(),
        ),
    )
    grid = {
        "ddclclustering__temperature__minimum": np.array([0.01, 0.2], dtype=np.float32),
        "ddclclustering__training__n_init": np.array([1, 2]),
        "ddclclustering__training__hard_finish": np.array([True, False]),
        "ddclclustering__regularization__balance": [0.0, 0.1],
    }
    found = search(grid, estimator).fit(X)
    assert len(found.cv_results_["params"]) == 16
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    assert set(found.best_params_) == set(grid)
    assert estimator[-1].training == ReducedFlow(), "a search must not change what it is given"


def test_search_over_whole_options():
    grid = {
        "temperature": ["auto", "paper", GeometricTemperature(minimum=0.1)],
        "training": [None, ReducedFlow(n_init=1)],
        "loss": ["quantization", "ols"],
        "output": ["distances", "embedding"],
    }
    found = search(grid, cluster(n_clusters=5)).fit(X)
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], found.best_score_, rtol=1e-6)


def test_cross_val_predict_gives_every_row_a_cluster():
    labels = cross_val_predict(cluster(n_clusters=5), X, cv=3)
    assert set(labels) <= set(range(5))
