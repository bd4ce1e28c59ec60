"""What DDCLClustering says to input and parameters that it cannot use."""

import re

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_blobs

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.options import (
    ConstantTemperature,
    ExponentialTemperature,
    FourPhases,
    GeometricTemperature,
    ReducedFlow,
    Regularization,
)

X, _ = make_blobs(60, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)


def with_value(value, dtype=float):
    """Return the samples with one number replaced."""
    data = X.astype(dtype)
    data[3, 1] = value
    return data


REFUSED = {
    "NaN": (with_value(np.nan), "Input X contains NaN"),
    "NaN float32": (with_value(np.nan, "f4"), "Input X contains NaN"),
    "NaN sparse": (sparse.csr_array(with_value(np.nan)), "Input X contains NaN"),
    "infinity": (with_value(np.inf), "Input X contains infinity"),
    "minus infinity": (with_value(-np.inf, "f4"), "Input X contains infinity"),
    "None inside": (with_value(None, object), "Input X contains NaN"),
    "None": (None, "Expected 2D array, got scalar array"),
    "number": (3.0, "Expected 2D array, got scalar array"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "no columns": (X[:, :0], r"0 feature\(s\)"),
    "one dimension": (X[:, 0], "Expected 2D array, got 1D array"),
    "three dimensions": (X[None], "Found array with dim 3"),
    "fewer rows than clusters": (X[:2], "n_samples=2 should be >= n_clusters=3"),
    "one row": (X[:1], "n_samples=1 should be >= n_clusters=3"),
    "complex": (X + 1j, "Complex data not supported"),
    "strings": (np.array([["a", "b"]] * 5), "could not convert string to float"),
    "objects": (np.array([["a", 1]] * 5, dtype=object), "could not convert string to float"),
    "ragged": ([[1.0, 2.0], [3.0]], "inhomogeneous"),
    "text": ("abc", "could not convert string to float"),
    "too large": (X * 1e200, r"X has values .* too large for float64"),
    "constant too large": (np.full((9, 2), 1e200), r"X has values .* too large"),
    "too large for float32": ((X * 1e36).astype("f4"), r"too large for float32 .* Scale X first"),
    "dictionary": ({}, "argument must be a string or a real number"),
}
each_refused = pytest.mark.parametrize("name", REFUSED)


@each_refused
@pytest.mark.parametrize("method", ["fit", "fit_predict", "fit_transform"])
def test_bad_samples_are_refused_with_the_cause(name, method):
    data, message = REFUSED[name]
    model = DDCLClustering(3, backbone=None, random_state=0)
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(model, method)(data)
    assert not hasattr(model, "labels_")


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_the_matrix_class_is_refused():
    with pytest.raises(TypeError, match=r"np\.matrix is not supported"):
        DDCLClustering(3, backbone=None).fit(np.asmatrix(X))


def test_a_failed_refit_keeps_the_old_model_usable():
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    labels = model.labels_.copy()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(with_value(np.nan))
    np.testing.assert_array_equal(model.predict(X), labels)


def without_address(value):
    """Names of cases must be the same in every process that runs a part of them."""
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))


INVALID = [
    *[("n_clusters", value) for value in (0, -1, 2.0, 2.5, "3", [3], np.nan, 3j)],
    *[("backbone", value) for value in ("nonsense", 1, object(), ["mlp"])],
    *[("warm_up", value) for value in ("nonsense", 1, object(), torch.nn.Identity())],
    *[("prototypes_per_cluster", value) for value in (0, -1, 2.0, "3", np.nan)],
    *[("loss", value) for value in ("nonsense", None, 1, ["ols"])],
    *[("temperature", value) for value in ("nonsense", None, 1.0, abs, object(), True)],
    *[("regularization", value) for value in ("balance", 1, Regularization, {}, ReducedFlow())],
    *[("training", value) for value in ("fast", 1, ReducedFlow, {}, Regularization())],
    *[("max_iter", value) for value in (0, -1, 1.5, "a", None)],
    *[("tol", value) for value in (-1, "a", None, np.nan, 1j)],
    *[("output", value) for value in ("nonsense", None, 1)],
    *[("device", value) for value in (None, 1, torch.float32)],
    *[("verbose", value) for value in (-1, "a", None, 0.5)],
    *[("random_state", value) for value in ("a", -1, 1.5, 2**32, np.random.default_rng(0))],
]


@pytest.mark.parametrize(("name", "value"), INVALID, ids=without_address)
def test_wrong_parameters_are_named(name, value):
    model = DDCLClustering(**{"n_clusters": 3, "backbone": None, "random_state": 0, name: value})
    with pytest.raises(ValueError, match=rf"The '{name}' parameter of DDCLClustering must be"):
        model.fit(X)


@pytest.mark.parametrize("device", ["nonsense", "", "cuda:99", "meta", "cpu:x"])
@pytest.mark.parametrize("method", ["fit", "predict", "transform", "score"])
def test_devices_that_are_not_there_are_named(device, method):
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X).set_params(device=device)
    with pytest.raises(ValueError, match="'device' parameter"):
        getattr(model, method)(X)


class Schedule:
    """A schedule from outside the package."""

    relative = True

    def __init__(self, value):
        self.value = value

    def get_params(self, deep=True):
        return {"value": self.value}

    def __call__(self, step):
        return self.value


class Unfinished(Schedule):
    """One that does not say what its numbers are relative to."""

    relative = property()


OPTIONS = [
    ("temperature", GeometricTemperature(initial=0), "initial"),
    ("temperature", GeometricTemperature(factor=1.5), "factor"),
    ("temperature", GeometricTemperature(minimum=-1), "minimum"),
    ("temperature", GeometricTemperature(minimum=9), "minimum"),
    ("temperature", GeometricTemperature(relative=1), "relative must be a bool"),
    ("temperature", ExponentialTemperature(decay=0), "decay"),
    ("temperature", ExponentialTemperature(minimum=np.nan), "minimum"),
    ("temperature", ConstantTemperature("a"), "value"),
    ("temperature", ConstantTemperature(np.inf), "value"),
    ("temperature", ConstantTemperature(None), "value"),
    ("temperature", GeometricTemperature, "'temperature' parameter"),
    ("temperature", Unfinished(1.0), "'temperature' parameter"),
    ("temperature", FourPhases(), "'temperature' parameter .* called with a step"),
    ("temperature", Schedule(np.nan), "'temperature' parameter gave nan at step 0"),
    ("temperature", Schedule(np.inf), "'temperature' parameter gave inf at step 0"),
    ("regularization", Regularization(balance=-1), "'balance' parameter of Regularization"),
    ("regularization", Regularization(balance="x"), "'balance' parameter of Regularization"),
    ("regularization", Regularization(balance=True), "'balance' parameter of Regularization"),
    ("regularization", Regularization(entropy=np.nan), "'entropy' parameter of Regularization"),
    ("regularization", Regularization(entropy=None), "'entropy' parameter of Regularization"),
    ("regularization", Regularization(separation=-0.1), "'separation' parameter of Regul"),
    ("regularization", Regularization(quadratic="x"), "'quadratic' parameter of Regularization"),
    ("regularization", Regularization(separation=1, quadratic=0), "quadratic must be > "),
    ("training", ReducedFlow(n_init=0), "'n_init' parameter of ReducedFlow"),
    ("training", ReducedFlow(n_init=1.5), "'n_init' parameter of ReducedFlow"),
    ("training", ReducedFlow(n_init=True), "'n_init' parameter of ReducedFlow"),
    ("training", ReducedFlow(passes_per_temperature=0), "'passes_per_temperature' parameter"),
    ("training", ReducedFlow(relocations=-1), "'relocations' parameter of ReducedFlow"),
    ("training", ReducedFlow(hard_finish=1), "'hard_finish' parameter of ReducedFlow"),
    ("training", ReducedFlow(dual_learning_rate=0), "'dual_learning_rate' parameter"),
    ("training", ReducedFlow(dual_learning_rate=1.1), "'dual_learning_rate' parameter"),
    ("training", ReducedFlow(sample_size=0), "'sample_size' parameter of ReducedFlow"),
    ("training", ReducedFlow(sample_size="all"), "'sample_size' parameter of ReducedFlow"),
]


@pytest.mark.parametrize(("name", "value", "message"), OPTIONS)
def test_wrong_options_are_named(name, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        DDCLClustering(3, backbone=None, **{name: value}).fit(X)


@pytest.mark.parametrize(
    "params",
    [
        {"n_clusters": np.int64(3)},
        {"max_iter": np.int32(50), "tol": np.float32(1e-3)},
        {"tol": 0},
        {"tol": 5},
        {"random_state": 2**32 - 1},
        {"random_state": np.int64(7)},
        {"verbose": False},
        {"device": "cpu"},
        {"training": ReducedFlow(sample_size=10**12)},
        {"training": ReducedFlow(sample_size=1)},
        {"training": ReducedFlow(dual_learning_rate=1e-9)},
    ],
    ids=without_address,
)
def test_odd_but_valid_parameters_are_taken(params):
    model = DDCLClustering(backbone=None, **{"n_clusters": 3, "random_state": 0, **params}).fit(X)
    assert model.n_active_clusters_ == 3


def test_parameters_are_checked_in_fit_not_before():
    model = DDCLClustering("nonsense", backbone=None, loss=3).set_params(loss=4)
    assert model.get_params()["loss"] == 4
