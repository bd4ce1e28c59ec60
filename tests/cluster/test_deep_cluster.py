import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering, DeepClusterBaseline
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import adjusted_rand_score, clustering_accuracy_score
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import NeighborContrast

X, Y = make_blobs(150, centers=4, n_features=6, random_state=0)
SHORT = {"epochs": 3, "n_init": 3, "random_state": 0, "device": "cpu"}


def make(n_clusters=4, **changes):
    return DeepClusterBaseline(n_clusters, **{**SHORT, **changes})


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X)


def test_blobs_are_found_and_predict_gives_the_labels(fitted):
    assert adjusted_rand_score(Y, fitted.labels_) > 0.9
    np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
    np.testing.assert_array_equal(fitted.transform(X).argmin(axis=1), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict_proba(X).argmax(axis=1), fitted.labels_)


def test_fitted_attributes_agree(fitted):
    Z = fitted.encode(X)
    np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1.0)
    nearest = fitted.transform(X).min(axis=1)
    assert fitted.inertia_ == pytest.approx(np.square(nearest).sum())
    assert fitted.temperature_ == pytest.approx(np.square(nearest).mean())
    assert fitted.cluster_centers_.shape == (fitted.n_active_clusters_, Z.shape[1])
    assert (fitted.n_iter_, fitted.n_features_in_) == (3, 6)
    assert (np.diff(np.bincount(fitted.labels_)) <= 0).all()
    assert [record["phase"] for record in fitted.history_] == ["alternation"] * 3 + ["final"]
    assert fitted.score(X) > 0.3


def test_the_module_is_the_estimator(fitted):
    with torch.no_grad():
        output = fitted.module_(torch.from_numpy(X))
    np.testing.assert_allclose(output.z.numpy(), fitted.encode(X))
    np.testing.assert_allclose(output.assignments.numpy(), fitted.predict_proba(X))


def test_one_row_is_predicted_as_many_are(fitted):
    np.testing.assert_array_equal([fitted.predict(row[None])[0] for row in X], fitted.labels_)


def test_digits_beat_what_the_paper_found():
    digits, classes = load_digits(return_X_y=True)
    labels = make(10, epochs=10, n_init=3).fit_predict(digits / 16)
    assert clustering_accuracy_score(classes, labels) > 0.65  # Table 8: 0.17


@pytest.mark.parametrize("warm_up", ["neighbors", "autoencoder", "simclr"])
def test_every_warm_up_is_taken_by_name(warm_up):
    model = make(warm_up=warm_up).set_params(warm_up__n_steps=20).fit(X)
    phases = {record["phase"] for record in model.history_}
    assert phases == {"pretext", "alternation", "final"}
    assert model.warm_up.n_steps == 20
    assert not model.warm_up.fitted


def test_a_fitted_warm_up_is_shared_with_ddcl():
    warm_up = NeighborContrast(n_steps=60).fit(X)
    before = [p.clone() for p in warm_up.backbone_.parameters()]
    baseline = clone(make(warm_up=warm_up)).fit(X)
    assert baseline.warm_up is warm_up
    assert {record["phase"] for record in baseline.history_} == {"alternation", "final"}
    assert DDCLClustering(4, warm_up=warm_up, random_state=0).fit(X).n_active_clusters_ == 4
    pairs = zip(before, warm_up.backbone_.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_images_and_frames_and_sparse_rows():
    images = load_digits().images[:200, :, :, None]
    model = make(backbone="cnn").fit(images)
    assert model.predict(images[:3]).shape == (3,)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert make().fit(frame).feature_names_in_.tolist() == list("abcdef")
    loose = make().fit(sparse.csr_matrix(X))
    np.testing.assert_array_equal(loose.labels_, make().fit(X).labels_)
    np.testing.assert_array_equal(loose.predict(sparse.csr_matrix(X)), loose.labels_)


def test_heavy_samples_draw_clusters():
    weight = np.where(Y == 0, 1e-30, 1.0)
    model = make(3).fit(X, sample_weight=weight)
    assert adjusted_rand_score(Y[Y > 0], model.labels_[Y > 0]) > 0.9


@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e200])
def test_the_scale_of_the_weights_is_that_of_the_inertia(factor):
    weight = np.arange(1.0, 151.0)
    one, other = make().fit(X, sample_weight=weight), make().fit(X, sample_weight=weight * factor)
    np.testing.assert_array_equal(one.labels_, other.labels_)
    assert other.inertia_ == pytest.approx(one.inertia_ * factor, rel=1e-6)


def test_it_works_in_a_pipeline_a_search_and_a_pickle():
    pipeline = make_pipeline(StandardScaler(), make())
    search = GridSearchCV(
        pipeline,
        {"deepclusterbaseline__n_clusters": [2, 4], "deepclusterbaseline__n_components": [None]},
        cv=SingleSplit(),
    ).fit(X)
    assert search.best_params_["deepclusterbaseline__n_clusters"] in (2, 4)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict(X), search.best_estimator_.predict(X))


def test_verbose_writes_a_line_an_epoch(capsys):
    make(verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("[DeepClusterBaseline] alternation   1  loss ")


def test_lost_clusters_are_named():
    with pytest.warns(CollapseWarning, match=r"2 of n_clusters=3 clusters are in use") as caught:
        model = make(3).fit(np.repeat([[0.0, 0.0], [1.0, 0.0]], 10, axis=0))
    assert model.n_active_clusters_ == len(model.cluster_centers_) == 2
    assert {warning.filename for warning in caught} == {__file__}


def test_a_good_fit_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(X)


class TwoOutputs(torch.nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "'n_clusters' parameter"),
        ({"n_clusters": None}, ValueError, "'n_clusters' parameter"),
        ({"backbone": None}, ValueError, "'backbone' parameter"),
        ({"backbone": "resnet"}, ValueError, "'backbone' parameter"),
        ({"backbone": lambda d: d}, TypeError, "which is no torch.nn.Module"),
        ({"backbone": TwoOutputs()}, ValueError, "backbone must return a tensor, got tuple"),
        ({"backbone": torch.nn.Linear(3, 2)}, ValueError, "'backbone' failed on samples"),
        ({"backbone": "cnn"}, ValueError, "takes flat samples for square images"),
        ({"warm_up": "moco"}, ValueError, "'warm_up' parameter"),
        ({"warm_up": NeighborContrast}, TypeError, "got the class itself"),
        ({"warm_up": NeighborContrast(n_steps=0)}, ValueError, "n_steps"),
        ({"epochs": 0}, ValueError, "'epochs' parameter"),
        ({"n_init": "auto"}, ValueError, "'n_init' parameter"),
        ({"kmeans": "lloyd"}, ValueError, "'kmeans' parameter"),
        ({"kmeans": None}, ValueError, "'kmeans' parameter"),
        ({"n_components": 0}, ValueError, "'n_components' parameter"),
        ({"batch_size": 1}, ValueError, "'batch_size' parameter"),
        ({"learning_rate": 0.0}, ValueError, "'learning_rate' parameter"),
        ({"learning_rate": float("nan")}, ValueError, "'learning_rate' parameter"),
        ({"output": "labels"}, ValueError, "'output' parameter"),
        ({"device": "abacus"}, ValueError, "'device' parameter"),
    ],
)
def test_parameters_that_are_wrong_are_named(changes, error, message):
    with pytest.raises(error, match=message):
        make(**changes).fit(X)


@pytest.mark.parametrize(
    ("data", "weight", "message"),
    [
        (X[:3], None, "n_samples=3 should be >= n_clusters=4"),
        (np.where(X > 0, X, np.nan), None, "contains NaN"),
        (np.zeros((9, 2, 0)), None, "at least one value in each sample"),
        (X.astype(str).astype(object) + "a", None, "could not convert"),
        (X, -np.ones(150), "Negative values"),
        (X, np.zeros(150), "at least one non-zero"),
        (X, np.ones(3), "sample_weight.shape"),
    ],
)
def test_a_refused_fit_leaves_the_fitted_state_as_it_was(data, weight, message, fitted):
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match=message):
        model.fit(data, sample_weight=weight)
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)


def test_a_fit_that_fails_within_leaves_the_fitted_state_as_it_was(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(learning_rate=1e30, batch_size=8)
    with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+30 is too large"):
        model.fit(pd.DataFrame(X[:, :2] * 1e30, columns=["a", "b"]))
    assert not hasattr(model, "feature_names_in_")
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)


def test_a_missing_faiss_leaves_the_fitted_state_as_it_was(fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    model = pickle.loads(pickle.dumps(fitted)).set_params(kmeans="faiss")
    with pytest.raises(ImportError, match=r"sklearn-ddcl\[faiss\]"):
        model.fit(X)
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)
    assert make().fit(X).labels_.shape == (150,)  # "auto" does without


def test_read_only_samples_are_left_as_they_are():
    data = X.copy()
    data.setflags(write=False)
    make(backbone=torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Linear(6, 3))).fit(
        data
    )
    np.testing.assert_array_equal(data, X)
