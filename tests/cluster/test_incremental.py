"""IncrementalDDCL beside MiniBatchKMeans and DDCLClustering, and with encoders."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering, IncrementalDDCL
from sklearn_ddcl.engine import _learning_stream
from sklearn_ddcl.metrics import adjusted_rand_score, clustering_accuracy_score, silhouette_scorer
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import ExponentialTemperature, SoftmaxAssignment, WidrowHoff

RNG = np.random.default_rng(0)
Y = RNG.integers(3, size=600)
X = 9.0 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1]])[Y] + RNG.normal(size=(600, 3))


def one_pass(model, X, order, size=50):
    rows = np.random.default_rng(order).permutation(len(X))
    for start in range(0, len(X) - size + 1, size):
        model.partial_fit(X[rows[start : start + size]])
    return model


def test_one_pass_over_digits_beats_mini_batch_k_means_and_is_near_batch_ddcl():
    X, y = load_digits(return_X_y=True)
    ours, theirs, whole = [], [], []
    for order in range(5):
        model = one_pass(IncrementalDDCL(10, random_state=order), X, order)
        ours.append(clustering_accuracy_score(y, model.predict(X)))
        model = one_pass(MiniBatchKMeans(10, random_state=order), X, order)
        theirs.append(clustering_accuracy_score(y, model.predict(X)))
        model = DDCLClustering(10, backbone=None, random_state=order).fit(X)
        whole.append(clustering_accuracy_score(y, model.labels_))
    assert np.mean(ours) >= np.mean(theirs)
    assert np.mean(ours) >= 0.95 * np.mean(whole)


def test_separation_stays_positive_along_the_stream():
    X, _ = load_digits(return_X_y=True)
    model = one_pass(IncrementalDDCL(10, random_state=0), X, 0)
    separation = np.array([record["separation"] for record in model.history_])
    assert (separation > 0).all()
    assert np.ptp(separation[-10:]) < 0.2 * separation[-1]  # stabilises
    assert all(record["variance"] >= 0 for record in model.history_)


@pytest.mark.parametrize("assignment", ["softmax", "widrow_hoff", WidrowHoff(step_size=1.0)])
@pytest.mark.parametrize("standardize", [False, True])
def test_all_modes_find_what_is_plain(assignment, standardize):
    model = IncrementalDDCL(3, assignment=assignment, standardize=standardize, random_state=0)
    one_pass(model, X, 0)
    assert adjusted_rand_score(Y, model.predict(X)) > 0.95


def test_the_paper_s_rule_keeps_no_summary():
    model = IncrementalDDCL(
        3,
        assignment=SoftmaxAssignment(dual_learning_rate=0.5),
        temperature=ExponentialTemperature(2.0, 0.3, 30.0, relative=False),
        summary_size=0,
        random_state=0,
    )
    one_pass(model, X, 0)
    assert adjusted_rand_score(Y, model.predict(X)) > 0.95
    assert model.temperature_ == pytest.approx(2.0 * np.exp(-600 / 50 / 30))


def test_standardised_features_are_those_of_a_scaler_on_all_that_was_seen():
    scale = np.array([1.0, 100.0, 1e-3])
    model = IncrementalDDCL(3, standardize=True, random_state=0, batch_size=60).fit(X * scale)
    np.testing.assert_allclose(model.encode(X * scale), StandardScaler().fit_transform(X))
    assert adjusted_rand_score(Y, model.labels_) == 1
    out = model.module_(torch.from_numpy(X * scale))
    np.testing.assert_allclose(out.assignments, model.predict_proba(X * scale), atol=1e-9)


def test_decay_follows_a_change_that_no_memory_hides():
    moved = X + [[40.0, 0.0, 0.0]]
    forgets, keeps = (IncrementalDDCL(3, decay=d, random_state=0) for d in (0.01, 0.0))
    for model in (forgets, keeps):
        for _ in range(3):
            one_pass(model, X, 0)
        one_pass(model, moved, 1)
    assert adjusted_rand_score(Y, forgets.predict(moved)) == 1
    assert adjusted_rand_score(Y, keeps.predict(moved)) < 1
    assert max(record["drift"] for record in forgets.history_[36:]) > 1


class TestEncoders:
    def test_a_fitted_model_is_a_frozen_encoder(self):
        fitted = DDCLClustering(3, backbone=torch.nn.Linear(3, 2), random_state=0).fit(X)
        before = [p.clone() for p in fitted.module_.parameters()]
        model = one_pass(IncrementalDDCL(3, backbone=fitted, random_state=0), X, 0)
        np.testing.assert_allclose(model.encode(X), fitted.encode(X))
        assert adjusted_rand_score(Y, model.predict(X)) > 0.9
        assert model.cluster_centers_.shape == (3, 2)
        assert all(map(torch.equal, before, fitted.module_.parameters()))

    def test_a_clone_needs_a_frozen_estimator(self):
        fitted = DDCLClustering(3, backbone=torch.nn.Linear(3, 2), random_state=0).fit(X)
        kept = clone(IncrementalDDCL(3, backbone=FrozenEstimator(fitted), random_state=0))
        assert kept.partial_fit(X).n_samples_seen_ == 600
        with pytest.raises(ValueError, match=r"not fitted.*FrozenEstimator"):
            clone(IncrementalDDCL(3, backbone=fitted)).partial_fit(X)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"backbone": "mlp"}, TypeError, "torch.nn.Module or a fitted estimator"),
            ({"backbone": torch.nn.Linear}, TypeError, "torch.nn.Module or a fitted estimator"),
            ({"backbone": DDCLClustering(3)}, ValueError, "not fitted"),
            ({"backbone": torch.nn.Linear(5, 2)}, ValueError, r"samples of shape \(3,\)"),
            ({"train_backbone": True}, ValueError, "must name or be a network"),
            ({"summary_size": 2}, ValueError, "at least n_clusters=3"),
            ({"decay": 1.0}, ValueError, "decay"),
            ({"replay_size": 3}, ValueError, "replay_size"),
            ({"assignment": "hard"}, ValueError, "assignment"),
            ({"assignment": WidrowHoff(step_size=-1)}, ValueError, "step_size"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, options, error, message):
        with pytest.raises(error, match=message):
            IncrementalDDCL(3, **options).partial_fit(X)

    def test_images_go_through_a_convolutional_encoder(self):
        images = np.random.default_rng(0).random((40, 1, 6, 6)).astype("f4")
        encoder = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        )
        model = IncrementalDDCL(2, backbone=encoder, random_state=0)
        for start in range(0, 40, 8):
            model.partial_fit(images[start : start + 8])
        assert model.predict(images).shape == (40,)
        assert model.cluster_centers_.dtype == np.float32
        with pytest.raises(ValueError, match="shape"):
            model.partial_fit(images[:, :, :5])

    def test_a_backbone_learns_from_the_stream(self, monkeypatch):
        monkeypatch.setattr(_learning_stream, "_FIRST_LESSON", 100)
        monkeypatch.setattr(_learning_stream, "_LATER_STEPS", 30)
        model = IncrementalDDCL(
            3, backbone="mlp", train_backbone=True, replay_size=200, random_state=0
        )
        one_pass(model, X, 0)
        assert adjusted_rand_score(Y, model.predict(X)) == 1
        assert model.cluster_centers_.shape == (3, 10)
        assert model.n_samples_seen_ == 600
        out = model.module_(torch.from_numpy(X))
        np.testing.assert_array_equal(out.assignments.argmax(1), model.predict(X))


def test_it_works_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(StandardScaler(), IncrementalDDCL(random_state=0, batch_size=60))
    search = GridSearchCV(
        pipeline,
        {
            "incrementalddcl__n_clusters": [2, 3, 5],
            "incrementalddcl__temperature__minimum": [0.05, 0.1],
            "incrementalddcl__assignment__n_steps": [1, 2],
        },
        scoring=silhouette_scorer,
        cv=SingleSplit(),
    ).fit(X)
    assert search.best_params_["incrementalddcl__n_clusters"] == 3
    assert adjusted_rand_score(Y, search.predict(X)) == 1


def test_output_and_feature_names_follow_k_means():
    model = IncrementalDDCL(3, random_state=0).fit(X)
    assert model.transform(X).shape == (600, 3)
    assert model.get_feature_names_out().tolist() == [f"incrementalddcl{j}" for j in range(3)]
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_array_equal(proba.argmax(1), model.predict(X))
    assert -1 <= model.score(X) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_first_batch_is_kept(dtype):
    model = IncrementalDDCL(3, random_state=0)
    model.partial_fit(X[:50].astype(dtype)).partial_fit(X[50:100].tolist())
    assert model.cluster_centers_.dtype == dtype
    assert model.transform(X.astype(dtype)).dtype == dtype


def test_equal_seeds_give_equal_streams():
    first, second, other = (
        one_pass(IncrementalDDCL(3, random_state=seed), X, 0) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.cluster_centers_, second.cluster_centers_)
    assert not np.array_equal(first.history_[0]["separation"], other.history_[0]["separation"])
