"""Batches of any size, from anywhere; what is refused leaves no trace."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.options import SoftmaxAssignment

RNG = np.random.default_rng(0)
Y = RNG.integers(3, size=600)
X = 9.0 * np.array([[0, 0], [0, 1], [1, 0]])[Y] + RNG.normal(size=(600, 2))


def make(**options):
    return IncrementalDDCL(3, random_state=0, device="cpu", **options)


def feed(model, size=50, data=X):
    for start in range(0, len(data), size):
        model.partial_fit(data[start : start + size])
    return model


def batches(size=50):
    return (X[start : start + size] for start in range(0, len(X), size))


class Rows(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(torch.from_numpy(X))


def memmap(tmp_path):
    stored = np.memmap(tmp_path / "rows.dat", dtype=np.float64, mode="w+", shape=X.shape)
    stored[:] = X
    stored.flush()
    return np.memmap(tmp_path / "rows.dat", dtype=np.float64, mode="r", shape=X.shape)


SOURCES = {
    "array": lambda folder: X,
    "list": lambda folder: X.tolist(),
    "frame": lambda folder: pd.DataFrame(X, columns=["a", "b"]),
    "polars": lambda folder: pytest.importorskip("polars").DataFrame({"a": X[:, 0], "b": X[:, 1]}),
    "memmap": memmap,
    "generator": lambda folder: batches(),
    "pairs": lambda folder: ((batch, None) for batch in batches()),
    "samples": lambda folder: iter(X),
    "frames": lambda folder: (pd.DataFrame(batch) for batch in batches()),
    "lists of rows": lambda folder: (list(batch) for batch in batches()),
    "dataset": lambda folder: Rows(),
    "numbered dataset": lambda folder: torch.utils.data.TensorDataset(torch.from_numpy(X)),
    "loader": lambda folder: torch.utils.data.DataLoader(Rows(), batch_size=50),
    "labelled loader": lambda folder: torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=50
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_what_partial_fit_gives(name, tmp_path):
    expected = feed(make()).cluster_centers_
    model = make(batch_size=50).fit(SOURCES[name](tmp_path))
    np.testing.assert_allclose(model.cluster_centers_, expected)
    assert model.n_samples_seen_ == 600
    assert model.n_batches_seen_ == 12


def test_after_fit_labels_are_of_all_samples_and_after_partial_fit_of_the_last_batch():
    model = make().fit(X)
    assert adjusted_rand_score(Y, model.labels_) == 1
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    squares = model.transform(X).min(1) ** 2
    assert model.inertia_ == pytest.approx(squares.sum())
    model.partial_fit(X[:7])
    np.testing.assert_array_equal(model.labels_, model.predict(X[:7]))


@pytest.mark.parametrize("size", [1, 2, 5, 64, 600])
def test_batches_of_any_size(size):
    model = feed(make(), size)
    assert adjusted_rand_score(Y, model.predict(X)) == 1


def test_before_there_are_k_distinct_samples_predict_says_why():
    model = make()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.predict(X)
    model.partial_fit([[0.0, 0.0]]).partial_fit([[0.0, 0.0], [1.0, 0.0]])
    assert not hasattr(model, "cluster_centers_")
    assert model.n_samples_seen_ == 3
    for method in (model.predict, model.transform, model.predict_proba, model.encode, model.score):
        with pytest.raises(NotFittedError, match="has seen 2 distinct samples so far, fewer than"):
            method(X)
    model.partial_fit([[0.0, 1.0]])
    assert sorted(model.predict([[0, 0], [1, 0], [0, 1]]).tolist()) == [0, 1, 2]


def snapshot(model):
    return (
        model.cluster_centers_.copy(), model.n_samples_seen_, model.n_batches_seen_,
        model.temperature_, len(model.history_), model.labels_.copy(), model.n_features_in_,
    )  # fmt: skip


BAD = {
    "NaN": (np.array([[0.0, np.nan]]), "contains NaN"),
    "infinity": (np.array([[0.0, np.inf]]), "contains infinity"),
    "one feature more": (np.zeros((4, 3)), "3 features, but IncrementalDDCL is expecting 2"),
    "empty": (X[:0], r"0 sample\(s\)"),
    "text": ([["a", "b"]], "could not convert string to float"),
    "one dimension": (X[:, 0], "Expected 2D array"),
    "out of range": (np.full((2, 2), 1e200), "so far from those seen before"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_batch_is_refused_and_the_state_is_as_it_was(name):
    batch, message = BAD[name]
    model, twin = feed(make()), feed(make())
    before = snapshot(model)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(batch)
    for one, other in zip(before, snapshot(model), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(  # and goes on as if nothing had been
        feed(model, 30).cluster_centers_, feed(twin, 30).cluster_centers_
    )


# what a first batch can be wrong about
ALONE = [name for name in BAD if name not in ("one feature more", "out of range")]


@pytest.mark.parametrize("name", ALONE)
def test_a_bad_first_batch_leaves_no_trace(name):
    batch, message = BAD[name]
    model = make()
    with pytest.raises(ValueError, match=message):
        model.partial_fit(batch)
    assert vars(model) == vars(make())
    assert feed(model).n_samples_seen_ == 600


def test_bad_weights_are_refused():
    model = feed(make())
    for weight, message in [
        (np.zeros(4), "at least one non-zero"),
        (-np.ones(4), "Negative values"),
        (np.ones(5), r"\(5,\)"),
        ([1, np.nan, 1, 1], "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X[:4], sample_weight=weight)
    assert model.n_samples_seen_ == 600


def test_a_fit_that_fails_leaves_the_last_one():
    model = make().fit(X)
    before = model.cluster_centers_.copy()
    bad = X.copy()
    bad[-1, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.set_params(batch_size=100).fit(bad)

    def breaks():
        yield X[:50]
        raise OSError("the network went away")

    with pytest.raises(OSError, match="went away"):
        model.fit(breaks())
    np.testing.assert_array_equal(model.cluster_centers_, before)
    assert model.n_samples_seen_ == 600


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (iter([]), ValueError, "at least one batch"),
        (None, TypeError, "table of samples or an iterable"),
        (3.0, ValueError, "Expected 2D array"),
        (sparse.csr_array(X), TypeError, "sparse input is not supported"),
        (X[:2], ValueError, "n_samples=2 should be >= n_clusters=3"),
    ],
)
def test_what_is_no_source_is_refused(source, error, message):
    with pytest.raises(error, match=message):
        make().fit(source)


def test_weights_go_with_tables_alone():
    with pytest.raises(ValueError, match="sample_weight must be None where X is an iterable"):
        make().fit(batches(), sample_weight=np.ones(600))
    with pytest.raises(ValueError, match="sample_weight"):
        make().fit(X, sample_weight=np.ones(599))
    weight = np.r_[np.ones(300), np.zeros(300)]
    model = make(batch_size=100).fit(X, sample_weight=weight)
    assert model.n_samples_seen_ == 300
    assert len(model.labels_) == 600
    np.testing.assert_allclose(
        model.cluster_centers_, make(batch_size=100).fit(X[:300]).cluster_centers_
    )


def test_fewer_distinct_samples_than_clusters_warn_and_are_all_used():
    with pytest.warns(CollapseWarning, match="2 of n_clusters=3 clusters"):
        model = make().fit(np.repeat([[0.0, 1.0], [5.0, 5.0]], 10, axis=0))
    assert model.n_active_clusters_ == 2
    assert len(np.unique(model.labels_)) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_clusters", 4), ("decay", 0.5), ("temperature", "constant"), ("summary_size", 50),
     ("standardize", True), ("assignment", "widrow_hoff"), ("backbone", torch.nn.Identity())],
)  # fmt: skip
def test_a_stream_s_parameters_cannot_change_on_the_way(name, value):
    model = feed(make())
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter of IncrementalDDCL was"):
        model.partial_fit(X[:5])
    model.fit(X)  # begins anew
    assert model.n_samples_seen_ == 600


def test_an_option_changed_in_place_is_noticed():
    model = feed(make(assignment=SoftmaxAssignment()))
    model.assignment.n_steps = 4
    with pytest.raises(ValueError, match="'assignment' parameter"):
        model.partial_fit(X[:5])


def test_what_does_not_concern_the_stream_may_change(capsys):
    model = feed(make())
    model.set_params(verbose=1, output="embedding").partial_fit(X[:5])
    assert "stream  13" in capsys.readouterr().out
    assert model.transform(X).shape == X.shape


def test_pickled_between_two_batches_it_goes_on_to_the_same_bits():
    straight, resumed = make(), make()
    for batch in batches():
        straight.partial_fit(batch)
        resumed = pickle.loads(pickle.dumps(resumed)).partial_fit(batch)
    np.testing.assert_array_equal(straight.cluster_centers_, resumed.cluster_centers_)
    np.testing.assert_array_equal(straight.labels_, resumed.labels_)
    assert straight.temperature_ == resumed.temperature_


def test_a_clone_has_seen_nothing():
    model = clone(feed(make()))
    assert not hasattr(model, "n_samples_seen_")
    assert vars(model) == vars(make())


def test_feature_names_are_those_of_the_first_batch():
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = make().partial_fit(frame[:50])
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(frame[["b", "a"]])


def test_a_buffer_that_is_reused_does_no_harm():
    buffer, model = np.empty((50, 2)), make()
    for batch in batches():
        buffer[:] = batch
        model.partial_fit(buffer)
        buffer[:] = np.nan
    np.testing.assert_array_equal(model.cluster_centers_, feed(make()).cluster_centers_)
    assert model.labels_.shape == (50,)


def test_constant_batches_in_the_middle_are_no_problem():
    model = feed(make())
    for _ in range(20):
        model.partial_fit(np.repeat(X[:1], 50, axis=0))
    assert np.isfinite(model.cluster_centers_).all()
    assert adjusted_rand_score(Y, model.predict(X)) > 0.9
