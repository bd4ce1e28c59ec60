"""A fitted estimator with a backbone, several prototypes to a cluster, or images as samples."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from torch import nn

from sklearn_ddcl.cluster._base import PrototypeClusterer, check_training_input
from sklearn_ddcl.engine import make_module
from sklearn_ddcl.exceptions import CollapseWarning

METHODS = ("predict", "predict_proba", "transform", "encode", "score")
OUTPUTS = ("distances", "embedding", "assignments")
each_method = pytest.mark.parametrize("method", METHODS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


class Planted(PrototypeClusterer):
    """What a fit would leave behind: random prototypes in random clusters."""

    def __init__(self, m=7, k=3, d=None, nd=False, output="distances", device="cpu", seed=0):
        self.m = m
        self.k = k
        self.d = d
        self.nd = nd
        self.output = output
        self.device = device
        self.seed = seed

    def fit(self, X, y=None, sample_weight=None):
        X = check_training_input(self, X, self.k, allow_nd=self.nd)
        rng, width = np.random.default_rng(self.seed), int(np.prod(X.shape[1:]))
        backbone = None if self.d is None else linear(width, self.d, X.dtype)
        d = width if self.d is None else self.d
        self.prototypes_ = rng.normal(size=(self.m, d)).astype(X.dtype)
        more = rng.integers(self.k, size=self.m - self.k)
        self.prototype_labels_ = np.concatenate([np.arange(self.k), more]).astype(np.int32)
        if self.m > self.k:
            self.prototype_labels_ = rng.permutation(self.prototype_labels_)
        labels = self.prototype_labels_
        means = [self.prototypes_[labels == j].mean(0) for j in range(self.k)]
        self.cluster_centers_ = np.array(means)
        self.temperature_ = 0.9
        self.module_ = make_module(self.prototypes_, 0.9, backbone, labels)
        self.labels_ = np.zeros(len(labels), dtype=np.int32)
        return self


class OldStyle(Planted):
    """As before several prototypes: centres are all there is."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X)
        self.cluster_centers_ = self.prototypes_
        del self.prototypes_, self.prototype_labels_
        return self


def linear(width, d, dtype):
    rng = np.random.default_rng(5)
    module = nn.Sequential(nn.Flatten(), nn.Linear(width, d), nn.Tanh())
    module = module.to(torch.float32 if dtype == np.float32 else torch.float64)
    with torch.no_grad():
        module[1].weight.copy_(torch.from_numpy(rng.normal(size=(d, width)) / width**0.5))
        module[1].bias.copy_(torch.from_numpy(rng.normal(size=d)))
    return module


def latent(model, X):
    """Features in numpy."""
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    X = X.reshape(len(X), -1).astype(float)
    if model.d is None:
        return X
    layer = model.module_.backbone[1]
    return np.tanh(X @ layer.weight.detach().numpy().T + layer.bias.detach().numpy())


def images(n=40, shape=(1, 3, 4), dtype="float64", seed=1):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(dtype)


def silhouette(distances):
    """Macro mean of the simplified silhouette, also against clusters without a sample."""
    labels, (own, other) = distances.argmin(1), np.sort(distances, axis=1)[:, :2].T
    values = (other - own) / other
    used = [values[labels == j] for j in np.unique(labels)]
    return np.mean([part.mean() if len(part) > 1 else 0.0 for part in used])


def brute_force(model, X):
    """Labels, distances and assignments, in float64."""
    groups, k = model.prototype_labels_, model.k
    d = cdist(latent(model, X), model.prototypes_.astype(float))
    q = np.exp(-(d**2 - d.min(1, keepdims=True) ** 2) / model.temperature_)
    q /= q.sum(1, keepdims=True)
    return {
        "labels": groups[d.argmin(1)],
        "distances": np.stack([d[:, groups == j].min(1) for j in range(k)], axis=1),
        "assignments": np.stack([q[:, groups == j].sum(1) for j in range(k)], axis=1),
    }


CASES = {
    "given": {"m": 7, "k": 3, "shape": (12,)},
    "given_permuted": {"m": 5, "k": 5, "shape": (12,)},
    "backbone": {"m": 3, "k": 3, "d": 4, "shape": (12,)},
    "deep": {"m": 9, "k": 4, "d": 5, "shape": (12,)},
    "images": {"m": 9, "k": 4, "d": 5, "nd": True, "shape": (1, 3, 4)},
    "sequences": {"m": 6, "k": 2, "d": 1, "nd": True, "shape": (6, 2)},
}


def case(name, dtype="float64", **params):
    """A fitted model and new samples."""
    options = {**CASES[name], **params}
    shape = options.pop("shape")
    model = Planted(**options).fit(images(30, shape, dtype, seed=2))
    if name == "given_permuted":
        model.prototype_labels_ = np.array([3, 0, 4, 1, 2])
    return model, images(40, shape, dtype)


@pytest.mark.parametrize("name", CASES)
@each_dtype
def test_everything_is_the_brute_force(name, dtype):
    model, X = case(name, dtype)
    expected, close = brute_force(model, X), {"rtol": 1e-4, "atol": 1e-5}
    if dtype == "float64":
        close = {"rtol": 1e-9, "atol": 1e-11}
    labels, Z = model.predict(X), model.encode(X)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected["labels"])
    np.testing.assert_allclose(model.transform(X), expected["distances"], **close)
    np.testing.assert_allclose(model.predict_proba(X), expected["assignments"], **close)
    np.testing.assert_allclose(Z, latent(model, X), **close)
    assert not np.shares_memory(Z, X)
    score = silhouette(expected["distances"])
    assert model.score(X) == pytest.approx(score, rel=1e-4 if dtype == "float32" else 1e-9)
    for output, found in (("embedding", Z), ("assignments", model.predict_proba(X))):
        np.testing.assert_array_equal(model.set_params(output=output).transform(X), found)
    for found in (Z, model.transform(X), model.predict_proba(X)):
        assert found.dtype == dtype


@given(st.integers(0, 999), st.integers(1, 6), st.integers(0, 9), st.sampled_from([None, 1, 4]))
def test_methods_agree_with_each_other(seed, k, more, d):
    model = Planted(k + more, k, d, seed=seed).fit(images(20, (3,), seed=seed))
    X = images(15, (3,), seed=seed + 1)
    q, distances, labels = model.predict_proba(X), model.transform(X), model.predict(X)
    assert q.shape == distances.shape == (15, k)
    np.testing.assert_allclose(q.sum(1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(distances[np.arange(15), labels], distances.min(1), rtol=1e-9)
    rows = [model.transform(row[None])[0] for row in X]
    np.testing.assert_allclose(rows, distances, rtol=1e-9, atol=1e-12)


def test_a_cluster_each_is_exactly_what_it_was():
    X, new = images(30, (12,)), images(40, (12,), seed=3)
    model, old = Planted(4, 4).fit(X), OldStyle(4, 4).fit(X)
    for data in (new, sparse.csr_array(new), new.astype(np.float32)):
        for method in ("predict", "transform", "score"):
            found, expected = getattr(model, method)(data), getattr(old, method)(data)
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.predict_proba(new), old.predict_proba(new))


def test_a_backbone_measures_from_prototypes_not_from_cluster_means():
    model, X = case("backbone")
    model.cluster_centers_ = model.cluster_centers_ + 100.0
    np.testing.assert_array_equal(model.predict(X), brute_force(model, X)["labels"])


def test_the_second_prototype_of_the_same_cluster_is_no_other_cluster():
    model = Planted(3, 2).fit(np.zeros((4, 1)))
    model.prototypes_ = np.array([[0.0], [1.0], [10.0]])
    model.prototype_labels_ = np.array([0, 0, 1])
    X = np.array([[0.0], [0.5], [10.0], [9.0]])
    silhouettes = [1.0, (9.5 - 0.5) / 9.5, 1.0, (8.0 - 1.0) / 8.0]
    expected = (np.mean(silhouettes[:2]) + np.mean(silhouettes[2:])) / 2
    assert model.score(X) == pytest.approx(expected, rel=1e-12)


def test_one_cluster_of_many_prototypes_scores_the_worst():
    model, X = case("given", k=1)
    assert not model.predict(X).any()
    with pytest.warns(CollapseWarning, match="at least 2 clusters"):
        assert model.score(X) == -1.0


@pytest.mark.parametrize("name", ["given", "deep", "images"])
def test_score_takes_weights(name):
    model, X = case(name)
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    repeated = model.score(np.repeat(X, weight, axis=0))
    assert model.score(X, sample_weight=weight) == pytest.approx(repeated, rel=1e-9)
    with pytest.raises(ValueError, match="sample_weight"):
        model.score(X, sample_weight=np.ones(3))


@pytest.mark.parametrize("name", ["given", "deep"])
def test_sparse_is_dense(name):
    model, X = case(name)
    X = np.where(np.abs(X) < 0.7, 0.0, X)
    S = sparse.csr_array(X)
    np.testing.assert_array_equal(model.predict(S), model.predict(X))
    np.testing.assert_allclose(model.transform(S), model.transform(X), rtol=1e-9)
    assert model.score(S) == pytest.approx(model.score(X), rel=1e-9)
    assert sparse.issparse(model.encode(S)) == (name == "given")
    with pytest.raises(TypeError, match="output='assignments'"):
        model.predict_proba(S)


@pytest.mark.parametrize("name", ["deep", "images"])
@pytest.mark.parametrize(("trained", "new"), [("float32", "float64"), ("float64", "float32")])
def test_samples_of_the_other_type_give_the_models_type(name, trained, new):
    model, _ = case(name, trained)
    _, X = case(name, new)
    for method in ("encode", "transform", "predict_proba"):
        found = getattr(model, method)(X)
        assert found.dtype == trained
        np.testing.assert_array_equal(found, getattr(model, method)(X.astype(trained)))


@each_method
@pytest.mark.parametrize("name", ["given", "deep", "images"])
def test_a_pickled_model_says_the_same(name, method):
    model, X = case(name)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(getattr(again, method)(X), getattr(model, method)(X))


@each_method
@pytest.mark.parametrize("name", ["given", "deep", "images"])
def test_mapped_and_read_only_samples(name, method, tmp_path):
    model, X = case(name)
    X.tofile(tmp_path / "x")
    mapped, frozen = np.memmap(tmp_path / "x", float, "r", shape=X.shape), X.copy()
    frozen.flags.writeable = False
    for data in (mapped, frozen, X.tolist(), np.asfortranarray(X)):
        np.testing.assert_allclose(
            getattr(model, method)(data), getattr(model, method)(X), rtol=1e-9, atol=1e-12
        )


@each_method
@pytest.mark.parametrize("name", ["given", "deep", "images"])
@pytest.mark.parametrize(("value", "message"), [(np.nan, "contains NaN"), (np.inf, "infinity")])
def test_samples_that_are_not_finite_are_refused(name, method, value, message):
    model, X = case(name)
    X[3].flat[1] = value
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X)


@each_method
@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((5, 12), r"\(5, 12\)"),
        ((5, 3, 4), r"\(5, 3, 4\)"),
        ((5, 1, 4, 3), r"\(5, 1, 4, 3\)"),
        ((5, 2, 3, 4), r"\(5, 2, 3, 4\)"),
        ((12,), r"\(12,\)"),
    ],
)
def test_images_of_another_shape_are_refused(method, shape, told):
    model, _ = case("images")
    message = rf"shape \(n_samples, 1, 3, 4\) that Planted was fitted with. Got {told} instead"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(np.zeros(shape))


@each_method
def test_other_containers_are_no_images(method):
    model, X = case("images")
    for data in (pd.DataFrame(X.reshape(40, 12)), sparse.csr_array(X.reshape(40, 12))):
        with pytest.raises((ValueError, TypeError), match=r"shape|does not accept sparse"):
            getattr(model, method)(data)
    with pytest.raises(ValueError, match="0 sample"):
        getattr(model, method)(X[:0])


@each_method
@pytest.mark.parametrize("name", ["given", "deep"])
def test_images_are_refused_by_a_model_of_rows(name, method):
    model, X = case(name)
    with pytest.raises(ValueError, match="dim 3"):
        getattr(model, method)(X[:, None])
    with pytest.raises(ValueError, match="X has 11 features, but Planted is expecting 12"):
        getattr(model, method)(X[:, :11])


@each_method
@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (nn.Flatten(0), r"must return floating point features of shape \(40, d\)"),
        (nn.Flatten(1), "as many features as prototypes_ have, 5. Got 12 instead"),
        (nn.Unflatten(1, (3, 4)), "must return floating point features"),
    ],
)
def test_backbones_that_return_another_shape_are_refused(method, backbone, message):
    model, X = case("deep")
    model.module_.backbone = backbone
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X)


@each_method
def test_features_that_are_not_finite_are_refused(method):
    model, X = case("deep")
    with torch.no_grad():
        model.module_.backbone[1].bias[0] = torch.nan
    with pytest.raises(ValueError, match="features of rows 0 to 39 are not finite"):
        getattr(model, method)(X)


@pytest.mark.parametrize("method", ["transform", "score"])
def test_given_features_too_far_for_squares_are_refused(method):
    model, X = case("given")
    X[0] = 1e308
    with pytest.raises(ValueError, match="X has values so far"):
        getattr(model, method)(X)


def test_prediction_leaves_module_and_samples_alone():
    model, X = case("images")
    model.module_.backbone.insert(0, nn.LeakyReLU(0.5, inplace=True))
    model.module_.train()
    before, state = X.copy(), {k: v.clone() for k, v in model.module_.state_dict().items()}
    for method in METHODS:
        getattr(model, method)(X)
    np.testing.assert_array_equal(X, before)
    assert all(part.training for part in model.module_.modules())
    assert all(torch.equal(v, state[k]) for k, v in model.module_.state_dict().items())


# --- names, containers, attributes


@pytest.mark.parametrize("name", ["given", "deep", "images"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_names_fit_the_columns(name, output):
    model, X = case(name, output=output)
    names = [f"planted{i}" for i in range(model.transform(X).shape[1])]
    assert model.get_feature_names_out().tolist() == names
    frame = model.set_output(transform="pandas").transform(X)
    assert frame.columns.tolist() == names
    assert len(names) == {"given": 12}.get(name, 5) if output == "embedding" else model.k


def test_the_shape_of_a_sample_is_remembered():
    model, _ = case("images")
    assert model.input_shape_ == (1, 3, 4)
    assert model.n_features_in_ == 1
    assert not hasattr(model, "feature_names_in_")
    rows = pd.DataFrame(np.eye(12), columns=list("abcdefghijkl"))
    model.fit(rows)
    assert model.input_shape_ == (12,)
    assert model.n_features_in_ == 12
    assert model.predict(rows).shape == (12,)
    model.fit(rows.to_numpy())
    with pytest.raises(ValueError, match="dim 4"):
        model.predict(images())


def test_a_clone_can_be_fitted_anew():
    model, X = case("images")
    again = clone(model).fit(images(30, (1, 3, 4), seed=2))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("X", "k", "message"),
    [
        (np.zeros((1, 2, 2)), None, "n_samples=1 should be >= 2"),
        (np.zeros((3, 2, 2)), 4, "n_samples=3 should be >= n_clusters=4"),
        (np.zeros((3, 2, 0)), 2, r"at least one value in each sample, got shape \(3, 2, 0\)"),
        (np.full((3, 2, 2), np.nan), 2, "contains NaN"),
        (np.zeros(3), 2, "Expected 2D array, got 1D"),
        (np.zeros((3, 2, 2)) + 1j, 2, "Complex data"),
    ],
)
def test_bad_training_images_are_refused(X, k, message):
    with pytest.raises(ValueError, match=message):
        check_training_input(Planted(), X, k, allow_nd=True)


def test_training_images_need_permission():
    with pytest.raises(ValueError, match="dim 4"):
        check_training_input(Planted(), images(), 2)
    assert check_training_input(Planted(), images(2), None, allow_nd=True).shape == (2, 1, 3, 4)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float32", "float32"), ("uint8", "float64"), (">f4", "float64"), ("object", "float64")],
)
def test_training_images_become_numbers(dtype, expected):
    X = np.arange(24).reshape(2, 3, 4).astype(dtype)
    found = check_training_input(Planted(), X, None, allow_nd=True)
    assert found.dtype == expected
    np.testing.assert_array_equal(found, np.arange(24).reshape(2, 3, 4))
    assert (found is X) == (dtype == "float32")
