"""Pipelines that learn from batches: what learns, what is refused, and that nothing is lost."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA, IncrementalPCA, MiniBatchDictionaryLearning
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    StandardScaler,
)

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.model_selection import (
    IncrementalPipeline,
    SingleSplit,
    make_incremental_pipeline,
)

X, Y = make_blobs(400, centers=20 * np.eye(5)[:4], random_state=0)
WITH_NAN = np.where(np.arange(20).reshape(4, 5) == 7, np.nan, X[:4])


def cluster(**params):
    return IncrementalDDCL(4, random_state=0, **params)


def batches(size=50):
    return [X[start : start + size] for start in range(0, len(X), size)]


def state(estimator):
    return pickle.dumps(estimator)


class Doubler(TransformerMixin, BaseEstimator):
    """Takes weights, and notes what it got."""

    def partial_fit(self, X, y=None, sample_weight=None):
        self.got_ = [*getattr(self, "got_", []), (len(X), y, sample_weight)]
        return self

    def fit(self, X, y=None):
        return self.partial_fit(X, y)

    def transform(self, X, factor=2.0):
        self.factor_ = factor
        return np.asarray(X) * factor


@pytest.mark.parametrize(
    "first",
    [
        StandardScaler(),
        MinMaxScaler(),
        IncrementalPCA(3),
        MiniBatchDictionaryLearning(3, random_state=0),
        MiniBatchKMeans(6, random_state=0),
    ],
    ids=lambda step: type(step).__name__,
)
def test_each_step_learns_from_what_the_step_before_passes_on(first):
    pipeline = make_incremental_pipeline(clone(first), cluster())
    step, last = clone(first), cluster()
    for batch in batches():
        assert pipeline.partial_fit(batch) is pipeline
        last.partial_fit(step.partial_fit(batch).transform(batch))
    np.testing.assert_array_equal(pipeline.predict(X), last.predict(step.transform(X)))
    np.testing.assert_array_equal(pipeline[-1].cluster_centers_, last.cluster_centers_)
    assert pipeline[-1].n_batches_seen_ == 8


def test_clusters_are_found_through_a_pipeline():
    pipeline = make_incremental_pipeline(StandardScaler(), IncrementalPCA(4), cluster())
    for batch in batches():
        pipeline.partial_fit(batch)
    assert clustering_accuracy_score(Y, pipeline.predict(X)) > 0.99
    assert pipeline.transform(X).shape == pipeline.predict_proba(X).shape == (400, 4)
    assert pipeline.score(X) > 0.5


@pytest.mark.parametrize(
    "step",
    [
        Normalizer(),
        FunctionTransformer(np.tanh),
        PCA(3).fit(X),
        FrozenEstimator(PCA(3).fit(X)),
        FrozenEstimator(StandardScaler().fit(X)),
        make_pipeline(StandardScaler(), PCA(2)).fit(X),
        FeatureUnion([("a", Normalizer()), ("b", FunctionTransformer())]),
        "passthrough",
        None,
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_that_need_no_fit_or_have_it_only_transform(step):
    before = state(step)
    pipeline = IncrementalPipeline([("first", step), ("last", cluster())])
    last = cluster()
    for batch in batches():
        pipeline.partial_fit(batch)
        plain = step in (None, "passthrough")
        last.partial_fit(batch if plain else step.transform(batch))
    np.testing.assert_array_equal(pipeline["last"].cluster_centers_, last.cluster_centers_)
    assert state(step) == before


@pytest.mark.parametrize(
    "last", ["passthrough", None, Normalizer(), FrozenEstimator(KMeans(2, n_init=1).fit(X))]
)
def test_the_last_step_need_not_learn(last):
    pipeline = IncrementalPipeline([("scale", StandardScaler()), ("last", last)])
    for batch in batches():
        pipeline.partial_fit(batch)
    assert pipeline["scale"].n_samples_seen_ == 400


def test_texts_stream_through_a_hashing_vectorizer():
    texts = ["red green", "green red", "up down", "down up"] * 3
    pipeline = make_incremental_pipeline(
        HashingVectorizer(n_features=32),
        FunctionTransformer(lambda rows: rows.toarray(), accept_sparse=True),
        IncrementalDDCL(2, random_state=0),
    )
    labels = pipeline.partial_fit(texts).predict(texts)
    assert len(set(labels[:2])) == len(set(labels[2:4])) == 1
    assert labels[0] != labels[2]


def test_labels_reach_every_step_that_learns():
    pipeline = IncrementalPipeline(
        [("note", Doubler()), ("last", SGDClassifier(random_state=0))]
    ).partial_fit(X, Y, last__classes=np.arange(4))
    assert pipeline["note"].got_[0][1] is Y
    assert pipeline.partial_fit(X, Y).predict(X).shape == (400,)


def test_pipelines_nest():
    inner = make_incremental_pipeline(StandardScaler(), IncrementalPCA(3))
    pipeline = IncrementalPipeline([("inner", inner), ("last", cluster())])
    for batch in batches():
        pipeline.partial_fit(batch)
    assert pipeline["inner"][-1].n_samples_seen_ == 400
    assert clustering_accuracy_score(Y, pipeline.predict(X)) > 0.99


def test_frames_keep_their_names():
    frame = pd.DataFrame(X, columns=list("abcde"))
    pipeline = make_incremental_pipeline(StandardScaler(), cluster())
    pipeline.set_output(transform="pandas").partial_fit(frame).partial_fit(frame)
    assert pipeline[-1].feature_names_in_.tolist() == list("abcde")
    assert pipeline.feature_names_in_.tolist() == list("abcde")


# --- metadata


def test_weights_go_to_the_step_that_is_named():
    weight = np.arange(50.0)
    pipeline = IncrementalPipeline([("scale", StandardScaler()), ("last", cluster())])
    pipeline.partial_fit(X[:50], scale__sample_weight=weight, last__sample_weight=weight + 1)
    scaler = StandardScaler().partial_fit(X[:50], sample_weight=weight)
    np.testing.assert_array_equal(pipeline["scale"].mean_, scaler.mean_)
    last = cluster().partial_fit(scaler.transform(X[:50]), sample_weight=weight + 1)
    np.testing.assert_array_equal(pipeline["last"].cluster_centers_, last.cluster_centers_)


def test_weights_are_routed_where_they_are_requested():
    weight = np.arange(50.0)
    with sklearn.config_context(enable_metadata_routing=True):
        note = Doubler().set_partial_fit_request(sample_weight=True)
        note.set_transform_request(factor=True)
        last = cluster().set_partial_fit_request(sample_weight=False)
        last.set_fit_request(sample_weight=False)
        pipeline = IncrementalPipeline([("note", note), ("last", last)])
        pipeline.partial_fit(X[:50], sample_weight=weight, factor=3.0)
        pipeline.partial_fit(X[50:60])
    assert pipeline["note"].got_[0][2] is weight
    assert pipeline["last"].n_samples_seen_ == 60


@pytest.mark.parametrize("name", ["sample_weight", "other__a", "norm__sample_weight", "last__"])
def test_parameters_for_no_step_that_learns_are_refused(name):
    pipeline = IncrementalPipeline([("norm", Normalizer()), ("last", cluster())])
    with pytest.raises(ValueError, match=rf"not accept the '{name}' parameter.*\['last'\]"):
        pipeline.partial_fit(X, **{name: None})
    assert not hasattr(pipeline["last"], "n_samples_seen_")


def test_metadata_to_be_transformed_is_refused():
    with sklearn.config_context(enable_metadata_routing=True):
        last = cluster().set_partial_fit_request(sample_weight=True)
        pipeline = IncrementalPipeline(
            [("scale", StandardScaler()), ("last", last)], transform_input=["sample_weight"]
        )
        with pytest.raises(ValueError, match="'transform_input' parameter must be None"):
            pipeline.partial_fit(X, sample_weight=np.ones(len(X)))


# --- refusals


@pytest.mark.parametrize(
    ("step", "last"),
    [
        (PCA(2), cluster()),
        (PowerTransformer(), cluster()),
        (make_pipeline(StandardScaler(), PCA(2)), cluster()),
        (FrozenEstimator(PCA(2)), cluster()),
        (Normalizer(), KMeans(2)),
        (Normalizer(), KMeans(2, n_init=1).fit(X)),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_that_cannot_learn_is_named_before_any_has_learned(step, last):
    steps = [("scale", StandardScaler()), ("middle", step), ("last", last)]
    pipeline = IncrementalPipeline(steps)
    culprit = "last" if isinstance(last, KMeans) else "middle"
    with pytest.raises(
        TypeError, match=rf"Step '{culprit}' of IncrementalPipeline is of type .*Allowed"
    ):
        pipeline.partial_fit(X)
    assert not hasattr(pipeline["scale"], "mean_")


def test_a_fitted_step_is_no_longer_fitted_in_a_clone():
    pipeline = IncrementalPipeline([("pca", PCA(2).fit(X)), ("last", cluster())])
    pipeline.partial_fit(X)
    with pytest.raises(TypeError, match="where the pipeline is not cloned"):
        clone(pipeline).partial_fit(X)


@pytest.mark.parametrize(
    ("n_before", "batch", "message"),
    [
        (0, WITH_NAN, "contains NaN"),
        (3, WITH_NAN, "contains NaN"),
        (3, X[:5, :3], "3 features.*expecting 5"),
        (0, X[:0], "0 sample"),
        (3, X[:0], "0 sample"),
    ],
)
def test_a_batch_that_a_step_refuses_changes_none(n_before, batch, message):
    # scalers take NaN: the first step learns from it before the last one refuses
    pipeline = make_incremental_pipeline(StandardScaler(), MinMaxScaler(), cluster())
    for part in batches()[:n_before]:
        pipeline.partial_fit(part)
    steps = list(pipeline)
    before, attributes = copy.deepcopy(pipeline), [set(vars(step)) for step in steps]
    with pytest.raises(ValueError, match=message):
        pipeline.partial_fit(batch)
    assert [set(vars(step)) for step in steps] == attributes
    assert all(now is then for now, then in zip(pipeline, steps, strict=True))
    for part in batches()[n_before:]:
        pipeline.partial_fit(part)
        before.partial_fit(part)
    np.testing.assert_array_equal(pipeline[-1].cluster_centers_, before[-1].cluster_centers_)
    np.testing.assert_array_equal(pipeline[0].var_, before[0].var_)


def test_a_first_batch_with_fewer_rows_than_components_is_refused_in_whole():
    pipeline = make_incremental_pipeline(StandardScaler(), IncrementalPCA(4), cluster())
    with pytest.raises(ValueError, match="n_components=4") as caught:
        pipeline.partial_fit(X[:3])
    assert "step 'incrementalpca'" in caught.value.__notes__[0]
    assert not hasattr(pipeline[0], "mean_")
    pipeline.partial_fit(X[:4]).partial_fit(X[4:5])
    assert pipeline[0].n_samples_seen_ == 5


def test_an_interrupted_batch_changes_no_transformer():
    def interrupt(rows):
        if len(rows) == 7:
            raise KeyboardInterrupt
        return rows

    pipeline = make_incremental_pipeline(
        StandardScaler(), FunctionTransformer(interrupt), cluster()
    ).partial_fit(X)
    with pytest.raises(KeyboardInterrupt):
        pipeline.partial_fit(X[:7])
    assert pipeline[0].n_samples_seen_ == pipeline[-1].n_samples_seen_ == 400


def test_before_the_first_clusters_it_is_not_fitted():
    pipeline = make_incremental_pipeline(Normalizer(), cluster())
    with pytest.raises(NotFittedError):
        pipeline.predict(X)
    with pytest.raises(NotFittedError):
        pipeline.partial_fit(X[:2]).predict(X)
    assert pipeline.partial_fit(X).predict(X).shape == (400,)


@pytest.mark.parametrize("steps", [[], [("a", cluster()), ("a", cluster())]])
def test_impossible_steps_are_refused(steps):
    with pytest.raises(ValueError, match=r"empty|not unique|not enough values"):
        IncrementalPipeline(steps).partial_fit(X)


# --- as a pipeline


def test_it_is_a_pipeline_and_fits_as_one():
    steps = [("scale", StandardScaler()), ("pca", PCA(3)), ("last", cluster())]
    plain = Pipeline([(name, clone(step)) for name, step in steps]).fit(X)
    pipeline = IncrementalPipeline(steps).fit(X)
    np.testing.assert_array_equal(pipeline.predict(X), plain.predict(X))
    components = pipeline["pca"].components_.copy()
    pipeline.partial_fit(X[:50])
    np.testing.assert_array_equal(pipeline["pca"].components_, components)
    assert pipeline["last"].n_samples_seen_ == 450
    assert type(pipeline[:-1]) is IncrementalPipeline


def test_a_clone_has_learned_nothing_but_what_is_frozen():
    pipeline = make_incremental_pipeline(
        StandardScaler(), FrozenEstimator(PCA(3).fit(X)), cluster()
    ).partial_fit(X)
    copied = clone(pipeline)
    assert not hasattr(copied[0], "mean_")
    copied.partial_fit(X)
    np.testing.assert_array_equal(copied.predict(X), pipeline.predict(X))


def test_pickled_between_batches_it_goes_on_to_the_same_bits():
    pipeline = make_incremental_pipeline(StandardScaler(), IncrementalPCA(3), cluster())
    other = copy.deepcopy(pipeline)
    for batch in batches(30):
        pipeline.partial_fit(batch)
        other = pickle.loads(pickle.dumps(other)).partial_fit(batch)
    np.testing.assert_array_equal(pipeline[-1].cluster_centers_, other[-1].cluster_centers_)


def test_a_search_over_its_steps():
    search = GridSearchCV(
        IncrementalPipeline([("scale", StandardScaler()), ("last", cluster())]),
        {"scale": [StandardScaler(), "passthrough"], "last__n_clusters": [2, 4]},
        cv=SingleSplit(),
        error_score="raise",
    ).fit(X)
    assert search.best_params_["last__n_clusters"] == 4
    assert search.best_estimator_.partial_fit(X)["last"].n_samples_seen_ == 800


def test_steps_are_named_by_their_types():
    pipeline = make_incremental_pipeline(Normalizer(), Normalizer(), cluster())
    assert list(pipeline.named_steps) == ["normalizer-1", "normalizer-2", "incrementalddcl"]
    assert re.match(r"IncrementalPipeline\(steps=", repr(pipeline))
