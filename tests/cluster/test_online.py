import pickle
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

from sklearn_ddcl import OnlineDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import (
    adjusted_rand_score,
    assignment_entropy,
    clustering_accuracy_score,
)
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import CombinationAssignment, MarginalEntropy, SinkhornAssignment

X, Y = make_blobs(150, centers=3, n_features=6, random_state=0)
SHORT = {"epochs": 60, "random_state": 0, "device": "cpu"}


few_steps = pytest.mark.filterwarnings("ignore::sklearn_ddcl.exceptions.CollapseWarning")


def make(n_clusters=3, **changes):
    return OnlineDeepClustering(n_clusters, **{**SHORT, **changes})


def stream(model, n_batches):
    for _ in range(n_batches):
        model.partial_fit(X)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X)


def test_blobs_are_found_and_predict_gives_the_labels(fitted):
    assert adjusted_rand_score(Y, fitted.labels_) > 0.9
    np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
    np.testing.assert_array_equal(fitted.transform(X).argmin(axis=1), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict_proba(X).argmax(axis=1), fitted.labels_)
    assert fitted.score(X) > 0.5


def test_fitted_attributes_agree(fitted):
    nearest = fitted.transform(X).min(axis=1)
    assert fitted.inertia_ == pytest.approx(np.square(nearest).sum())
    assert fitted.cluster_centers_.shape == (3, fitted.encode(X).shape[1])
    assert (fitted.n_active_clusters_, fitted.n_iter_, fitted.n_features_in_) == (3, 60, 6)
    assert fitted.n_samples_seen_ == 60 * 150
    assert (np.diff(np.bincount(fitted.labels_)) <= 0).all()
    assert [record["epoch"] for record in fitted.history_] == list(range(1, 61))


def test_history_has_what_the_paper_measures(fitted):
    last = fitted.history_[-1]
    assert last["cluster_size_variance"] < 1.0
    hard = assignment_entropy(fitted.predict_proba(X))
    assert last["hard_entropy"] == pytest.approx(hard, abs=0.05)
    soft = assignment_entropy(fitted.predict_proba(X), kind="soft")
    assert last["soft_entropy"] == pytest.approx(soft, abs=0.05)
    assert last["soft_size_variance"] < 2.0
    assert last["temperature"] == fitted.temperature_


def test_the_module_is_the_estimator(fitted):
    with torch.no_grad():
        output = fitted.module_(torch.from_numpy(X))
    np.testing.assert_allclose(output.z.numpy(), fitted.encode(X))
    np.testing.assert_allclose(output.assignments.numpy(), fitted.predict_proba(X))


@pytest.mark.parametrize("support", ["combination", "sinkhorn"])
def test_assigned_batches_keep_all_clusters(support):
    model = make(partition_support=support).fit(X)
    assert adjusted_rand_score(Y, model.labels_) > 0.9
    assert model.history_[-1]["cluster_size_variance"] < 1.0


@few_steps
@pytest.mark.parametrize("support", ["entropy", "sum_of_squares"])
def test_penalties_keep_some(support):
    """Soft assignments to a far prototype have no gradient that could bring it back."""
    model = make(partition_support=support).fit(X)
    assert model.n_active_clusters_ >= 2
    assert model.history_[-1]["soft_entropy"] > 0.9


def test_without_support_all_collapses_and_says_so():
    with pytest.warns(CollapseWarning, match=r"1 of n_clusters=3 .*'combination'"):
        model = make(partition_support=None).fit(X)
    assert model.n_active_clusters_ == 1
    assert model.history_[-1]["cluster_size_variance"] == pytest.approx(150 * (1 - 1 / 3))
    assert model.history_[-1]["hard_entropy"] == 0.0
    with pytest.warns(CollapseWarning):
        assert model.score(X) == -1.0


def test_digits_are_shared_out_evenly():
    data, labels = load_digits(return_X_y=True)
    model = make(10, epochs=60).fit(data)
    assert model.history_[-1]["cluster_size_variance"] < 20
    assert clustering_accuracy_score(labels, model.labels_) > 0.4


def test_a_prior_shapes_the_clusters():
    uneven = np.random.default_rng(0).normal(size=(400, 2))
    support = CombinationAssignment(sigma=5.0, prior=[6.0, 1.0, 1.0])
    model = make(partition_support=support, batch_size=100).fit(uneven)
    sizes = np.sort(np.bincount(model.labels_, minlength=3))
    assert sizes[2] > 0.55 * 400


def test_batches_that_come_one_by_one_teach_as_well():
    model = make(learning_rate=5e-3)
    order = np.random.default_rng(0).integers(0, 150, size=(120, 50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        for rows in order:
            model.partial_fit(X[rows])
    assert adjusted_rand_score(Y, model.predict(X)) > 0.9
    assert (model.n_iter_, model.n_samples_seen_) == (120, 6000)
    assert model.labels_.shape == (50,)
    assert model.cluster_centers_.shape[0] == model.n_active_clusters_ == 3


def test_training_goes_on_after_fit_with_the_same_numbers(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = model.predict(X)
    model.partial_fit(X[:60])
    assert np.mean(model.predict(X) == before) > 0.95
    assert model.n_iter_ == 61


def test_a_pickle_between_batches_goes_on_to_the_same_bits():
    first = make().partial_fit(X[:50])
    second = pickle.loads(pickle.dumps(first))
    for model in (first, second):
        model.partial_fit(X[50:100]).partial_fit(X[100:])
    np.testing.assert_array_equal(first.cluster_centers_, second.cluster_centers_)


def test_a_collapsed_stream_says_so():
    model = make(partition_support=None, n_clusters=3)
    with pytest.warns(CollapseWarning, match="of n_clusters=3"):
        stream(model, 8)
    assert model.n_active_clusters_ < 3
    assert model.cluster_centers_.shape[0] == 3


@few_steps
def test_images_frames_and_sparse_rows_are_taken():
    images = np.random.default_rng(0).random((40, 8, 8, 1)).astype(np.float32)
    model = make(2, backbone="cnn", epochs=3).fit(images)
    assert model.predict(images).shape == (40,)
    assert model.cluster_centers_.dtype == np.float32
    assert model.partial_fit(images[:9]).labels_.shape == (9,)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert make(epochs=2).fit(frame).feature_names_in_.tolist() == list("abcdef")
    dense, rows = make().fit(X), make().fit(sparse.csr_array(X))
    np.testing.assert_array_equal(dense.labels_, rows.labels_)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_only_ratios_of_weights_matter(factor):
    weight = np.linspace(1, 2, 150)
    plain, scaled = make().fit(X, sample_weight=weight), make()
    scaled.fit(X, sample_weight=factor * weight)
    np.testing.assert_array_equal(plain.labels_, scaled.labels_)
    assert scaled.inertia_ == pytest.approx(factor * plain.inertia_, rel=1e-3)


def test_rows_of_weight_zero_teach_nothing_and_get_a_label():
    weight, wild = np.ones(150), X.copy()
    weight[:20], wild[:20] = 0.0, 1e3
    first, second = (make().fit(data, sample_weight=weight) for data in (X, wild))
    np.testing.assert_array_equal(first.cluster_centers_, second.cluster_centers_)
    assert second.labels_.shape == (150,)


def test_it_works_in_a_pipeline_and_a_search():
    pipe = make_pipeline(StandardScaler(), make(epochs=5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        grid = GridSearchCV(
            pipe,
            {"onlinedeepclustering__partition_support__sigma": [0.1, 1.0]},
            cv=SingleSplit(),
        ).fit(X)
    support = grid.best_estimator_[-1].partition_support
    assert isinstance(support, CombinationAssignment)
    assert clone(make(partition_support=MarginalEntropy(3.0))).get_params()[
        "partition_support__strength"
    ] == pytest.approx(3.0)


def test_equal_seeds_give_equal_fits_and_others_do_not(fitted):
    np.testing.assert_array_equal(make().fit(X).cluster_centers_, fitted.cluster_centers_)
    other = make(random_state=1).fit(X)
    assert not np.array_equal(other.cluster_centers_, fitted.cluster_centers_)


@few_steps
def test_verbose_writes_a_line_an_epoch(capsys):
    make(epochs=2, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("[OnlineDeepClustering] online")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters"),
        ({"n_clusters": 151}, ValueError, "n_samples=150 should be >= n_clusters=151"),
        ({"partition_support": "kmeans"}, ValueError, "partition_support"),
        ({"partition_support": 3}, ValueError, "partition_support"),
        ({"partition_support": CombinationAssignment}, TypeError, "an object such as"),
        ({"partition_support": CombinationAssignment(prior=[1, 2])}, ValueError, "3 clusters"),
        ({"partition_support": SinkhornAssignment(epsilon=-1)}, ValueError, "epsilon"),
        ({"partition_support": "sinkhorn", "sigma": 1.0}, ValueError, "'sigma' parameter"),
        ({"partition_support": None, "sigma": 1.0}, ValueError, "'sigma' parameter"),
        ({"sigma": 0.0}, ValueError, "sigma"),
        ({"sigma": np.nan}, ValueError, "sigma"),
        ({"temperature": 0.0}, ValueError, "temperature"),
        ({"backbone": "resnet"}, ValueError, "backbone"),
        ({"backbone": None}, ValueError, "backbone"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate"),
        ({"learning_rate": 1e30}, FloatingPointError, "learning rate"),
        ({"output": "labels"}, ValueError, "output"),
        ({"device": "abacus"}, ValueError, "device"),
    ],
)
def test_parameters_that_are_wrong_are_named(changes, error, message):
    with pytest.raises(error, match=message):
        make(**changes).fit(X)


@pytest.mark.parametrize(
    ("data", "weight", "message"),
    [
        (np.full((20, 6), np.nan), None, "NaN"),
        (np.full((20, 6), np.inf), None, "infinity"),
        (X[:2], None, "n_samples=2 should be >= n_clusters=3"),
        (np.empty((0, 6)), None, "0 sample"),
        (X, np.zeros(150), "at least one non-zero"),
        (X, -np.ones(150), "Negative"),
        (X, np.ones(3), "inconsistent|shape"),
    ],
)
def test_a_refused_call_leaves_the_fitted_state_as_it_was(data, weight, message, fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match=message):
        model.fit(data, sample_weight=weight)
    if len(data) != 2:  # a later batch may be as small as one sample
        with pytest.raises(ValueError, match=message):
            model.partial_fit(data, sample_weight=weight)
    assert pickle.dumps(model) == before
    assert model.predict(X).shape == (150,)


def test_a_batch_that_diverges_leaves_the_state_as_it_was(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="learning rate"):
        stream(model, 3)
    assert np.isfinite(model.cluster_centers_).all()
    assert model.predict(X).shape == (150,)


@pytest.mark.parametrize("changes", [{"n_clusters": 4}, {"backbone": "cnn"}])
def test_what_must_stay_within_a_training_is_named(changes, fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(**changes)
    with pytest.raises(ValueError, match="when training began and is"):
        model.partial_fit(X)
    assert model.predict(X).shape == (150,)


def test_a_batch_beyond_the_range_of_the_first_is_refused(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(FloatingPointError, match="must be finite, got NaN or an infinity: X or"):
        model.partial_fit(1e200 * X)
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)


def test_a_batch_of_another_width_is_refused(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="6 features"):
        model.partial_fit(X[:, :5])


@few_steps
def test_read_only_samples_are_left_as_they_are():
    data = X.copy()
    data.flags.writeable = False
    make(epochs=2).fit(data)
    np.testing.assert_array_equal(data, X)


def test_one_cluster_and_one_sample_batches():
    model = make(1, epochs=2).fit(X)
    assert set(model.labels_) == {0}
    assert model.partial_fit(X[:1]).labels_.tolist() == [0]
