"""DDCLClustering: fit, its attributes, parameters, weights, randomness and copies."""

import copy
import inspect
import pickle
import random
import warnings
from contextlib import nullcontext

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
    ReducedFlow,
    Regularization,
)

X, Y = make_blobs(200, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
HISTORY = {
    "epoch": int,
    "phase": str,
    "temperature": float,
    "loss_quantization": float,
    "loss_ols": float,
    "variance": float,
    "separation": float,
    "concentration": float,
    "force": float,
    "n_active": int,
    "seconds": float,
}
SOFT = ReducedFlow(hard_finish=False)
CONFIGURATIONS = {
    "default": {},
    "ols": {"loss": "ols"},
    "soft": {"training": SOFT},
    "soft ols": {"training": SOFT, "loss": "ols"},
    "constant": {"temperature": "constant"},
    "exponential": {"temperature": "exponential"},
    "geometric": {"temperature": "geometric"},
    "paper": {"temperature": "paper"},
    "soft constant": {"training": SOFT, "temperature": ConstantTemperature(0.2)},
    "one start": {"training": ReducedFlow(n_init=1, relocations=0)},
    "dual steps": {"training": ReducedFlow(dual_learning_rate=0.5)},
    "sampled": {"training": ReducedFlow(sample_size=60)},
    "balance": {"regularization": Regularization(balance=0.1)},
    "entropy": {"regularization": Regularization(entropy=0.1)},
    "separation": {"regularization": Regularization(separation=0.01)},
    "quadratic": {"regularization": Regularization(quadratic=0.01)},
}
each_configuration = pytest.mark.parametrize("name", CONFIGURATIONS)


def make(**params):
    return DDCLClustering(3, backbone=None, random_state=0, **params)


def states():
    """Return the global random states as comparable values."""
    return (
        random.getstate(),
        pickle.dumps(np.random.get_state()),  # noqa: NPY002
        torch.random.get_rng_state().numpy().tobytes(),
    )


@each_configuration
def test_every_configuration_finds_clear_clusters(name):
    model = make(**CONFIGURATIONS[name])
    assert model.fit(X) is model
    assert adjusted_rand_score(Y, model.labels_) == 1.0
    assert model.n_active_clusters_ == 3


@each_configuration
def test_attributes_have_the_documented_shapes_and_values(name):
    model = make(**CONFIGURATIONS[name]).fit(X)
    assert model.cluster_centers_.shape == (3, 2)
    assert model.labels_.shape == (200,)
    assert model.labels_.dtype == np.int32
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    squares = cdist(X, model.cluster_centers_, "sqeuclidean").min(1)
    assert model.inertia_ == pytest.approx(squares.sum(), rel=1e-9)
    assert model.temperature_ > 0
    assert model.n_iter_ >= 1
    assert model.n_features_in_ == 2
    assert (np.diff(np.bincount(model.labels_)) <= 0).all(), "0 is the largest cluster"


@each_configuration
def test_history_keeps_to_its_schema(name):
    records = make(**CONFIGURATIONS[name]).fit(X).history_
    for number, record in enumerate(records, start=1):
        assert {key: type(value) for key, value in record.items()} == HISTORY
        assert record["epoch"] == number
    frame = pd.DataFrame(records)
    numbers = frame.drop(columns="phase").to_numpy()
    assert np.isfinite(numbers).all()
    assert set(frame["phase"]) <= {"annealing", "finish"}
    assert (frame["variance"] >= 0).all()
    np.testing.assert_allclose(
        frame["loss_quantization"],
        frame["loss_ols"] + frame["variance"],
        rtol=1e-6,
        atol=1e-9 * X.var(),
    )
    assert frame["concentration"].between(0, 1 + 1e-6).all()
    np.testing.assert_allclose(frame["force"], 1 - frame["concentration"])
    assert frame["seconds"].is_monotonic_increasing
    annealing = frame[frame["phase"] == "annealing"]
    assert annealing["temperature"].is_monotonic_decreasing
    assert (annealing["temperature"] > 0).all()
    assert frame["n_active"].between(1, 3).all()


def test_history_ends_where_the_model_stands():
    model = make().fit(X)
    assert model.history_[-1]["phase"] == "finish"
    assert model.history_[-1]["loss_quantization"] == pytest.approx(
        model.inertia_ / len(X), rel=1e-6
    )
    last_soft = [r for r in model.history_ if r["phase"] == "annealing"][-1]
    assert last_soft["temperature"] == pytest.approx(model.temperature_, rel=1e-12)


def test_module_is_a_frozen_network_on_the_cpu():
    model = make(training=SOFT, temperature=ConstantTemperature(0.2)).fit(X)
    assert isinstance(model.module_, torch.nn.Module)
    assert not model.module_.training
    assert not list(model.module_.parameters())
    output = model.module_(torch.tensor(X))
    assert output.assignments.device.type == "cpu"
    np.testing.assert_allclose(output.assignments.numpy(), model.predict_proba(X), atol=1e-9)
    output.prototypes.add_(1.0)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_worse_than_kmeans_with_ten_starts(dtype):
    data = make_blobs(400, n_features=5, centers=12, cluster_std=3, random_state=1)[0]
    data = data.astype(dtype)
    best = KMeans(12, n_init=10, random_state=0).fit(data).inertia_
    assert DDCLClustering(12, backbone=None, random_state=0).fit(data).inertia_ <= 1.002 * best


# --- verbose


@pytest.mark.parametrize("verbose", [1, True, 2])
def test_verbose_writes_a_line_for_each_record(capsys, verbose):
    model = make(verbose=verbose).fit(X)
    written = capsys.readouterr()
    lines = written.out.splitlines()
    assert len(lines) == len(model.history_)
    assert all(line.startswith("[DDCLClustering] ") for line in lines)
    assert "temperature" in lines[0]
    assert written.err == ""


def test_silent_by_default(capsys):
    model = make().fit(X)
    model.predict(X)
    model.score(X)
    assert capsys.readouterr() == ("", "")


# --- sample weights


@pytest.mark.parametrize("k", [1, 2, 3])
def test_weights_are_repetitions(k):
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = DDCLClustering(k, backbone=None, random_state=0).fit(X, sample_weight=weight)
    repeated = DDCLClustering(k, backbone=None, random_state=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9)
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))


def test_equal_weights_are_no_weights():
    plain = make().fit(X)
    for weight in (np.ones(len(X)), 1.0, np.ones(len(X), int), [True] * len(X)):
        model = make().fit(X, sample_weight=weight)
        np.testing.assert_allclose(model.cluster_centers_, plain.cluster_centers_, rtol=1e-12)
        assert model.inertia_ == pytest.approx(plain.inertia_, rel=1e-12)


@pytest.mark.parametrize(
    ("dtype", "factor"),
    [(dtype, factor) for dtype in ("float32", "float64") for factor in (1e-37, 1e-3, 1e3, 1e37)]
    + [("float64", 1e-300), ("float64", 1e300)],
)
def test_the_scale_of_weights_does_not_matter(factor, dtype):
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(X)).astype(dtype)
    data = X.astype(dtype)
    plain = make().fit(data, sample_weight=weight)
    scaled = make().fit(data, sample_weight=weight * np.dtype(dtype).type(factor))
    np.testing.assert_allclose(scaled.cluster_centers_, plain.cluster_centers_, rtol=1e-5)
    assert scaled.inertia_ == pytest.approx(plain.inertia_ * factor, rel=1e-5)
    np.testing.assert_allclose(
        [record["loss_quantization"] for record in scaled.history_],
        [record["loss_quantization"] for record in plain.history_],
        rtol=1e-4,
    )
    assert [r["n_active"] for r in scaled.history_] == [r["n_active"] for r in plain.history_]


def test_rows_of_weight_zero_have_no_influence_but_a_label():
    outliers = np.array([[1e3, 1e3], [-1e3, 0.0], [4.0, 4.0]])
    weight = np.r_[np.ones(len(X)), np.zeros(3)]
    model = make().fit(np.r_[X, outliers], sample_weight=weight)
    plain = make().fit(X)
    np.testing.assert_allclose(model.cluster_centers_, plain.cluster_centers_, rtol=1e-9)
    np.testing.assert_array_equal(model.labels_[-3:], plain.predict(outliers))


def test_rows_of_weight_zero_are_labelled_by_prototypes_that_stay():
    rng = np.random.default_rng(0)
    for _ in range(20):
        data, weight = rng.normal(size=(12, 2)), rng.integers(0, 2, 12)
        weight[:2] = 1
        k = 10
        with pytest.warns(CollapseWarning) if weight.sum() < k else nullcontext():
            model = DDCLClustering(k, backbone=None, random_state=0).fit(
                data, sample_weight=weight
            )
        squares = cdist(data, model.cluster_centers_, "sqeuclidean")
        chosen = squares[np.arange(12), model.labels_]
        np.testing.assert_allclose(chosen, squares.min(1), atol=1e-12)


def replaced(value):
    return np.r_[float(value), np.ones(len(X) - 1)]


@pytest.mark.parametrize("method", ["fit", "fit_transform", "score"])
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (replaced(-1), "Negative values in data passed to `sample_weight`"),
        (replaced(np.nan), "sample_weight contains NaN"),
        (replaced(np.inf), "sample_weight contains infinity"),
        (np.nan, "sample_weight must be finite"),
        (np.inf, "sample_weight must be finite"),
        (np.zeros(len(X)), "at least one non-zero"),
        (0.0, "at least one non-zero"),
        (np.ones(5), r"sample_weight.shape == \(5,\), expected \(200,\)"),
        (np.ones((len(X), 1)), "Sample weights must be 1D"),
        (["a"] * len(X), "could not convert string to float"),
        (np.ones(len(X)) * 1j, "Complex data not supported"),
        (np.full(len(X), 1.5e308), "sum of sample_weight is too large"),
    ],
)
def test_bad_weights_are_refused_by_name(method, weight, message):
    model = make().fit(X)
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X, sample_weight=weight)


# --- randomness


def test_the_same_seed_gives_the_same_model():
    first, second = make().fit(X), make().fit(X)
    np.testing.assert_array_equal(first.cluster_centers_, second.cluster_centers_)
    np.testing.assert_array_equal(first.labels_, second.labels_)
    timeless = [
        [{k: v for k, v in record.items() if k != "seconds"} for record in model.history_]
        for model in (first, second)
    ]
    assert timeless[0] == timeless[1]


def test_refitting_with_an_integer_repeats_the_result_and_a_generator_moves_on():
    data = make_blobs(300, n_features=6, centers=1, random_state=0)[0]
    model = DDCLClustering(9, backbone=None, random_state=0)
    first = model.fit(data).cluster_centers_
    np.testing.assert_array_equal(model.fit(data).cluster_centers_, first)
    generator = np.random.RandomState(0)
    model.set_params(random_state=generator)
    np.testing.assert_array_equal(model.fit(data).cluster_centers_, first)
    before = pickle.dumps(generator.get_state())
    model.fit(data)
    assert pickle.dumps(generator.get_state()) != before


def test_without_a_seed_fits_differ_in_what_they_draw():
    data = make_blobs(300, n_features=6, centers=1, random_state=0)[0]
    fits = [DDCLClustering(9, backbone=None).fit(data).cluster_centers_ for _ in range(4)]
    assert any(not np.array_equal(fits[0], other) for other in fits[1:])


@pytest.mark.parametrize("seed", [0, None, "generator"])
def test_global_random_states_are_not_touched(seed):
    seed = np.random.RandomState(0) if seed == "generator" else seed
    np.random.rand()  # noqa: NPY002  # with None, numpy's own global state is what is drawn from
    before = states()
    model = DDCLClustering(
        5, backbone=None, random_state=seed, training=ReducedFlow(n_init=3)
    ).fit(X)
    model.predict(X)
    model.transform(X)
    model.predict_proba(X)
    model.score(X)
    after = states()
    assert after[0] == before[0]
    assert after[2] == before[2]
    if seed is not None:
        assert after[1] == before[1]


def test_global_settings_of_torch_are_not_touched():
    before = (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
    )
    make(verbose=0).fit(X.astype(np.float32)).predict(X.astype(np.float32))
    after = (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
    )
    assert after == before


# --- the caller's objects


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_callers_arrays_are_not_changed(dtype, order):
    data = np.array(X, dtype=dtype, order=order)
    weight = np.random.default_rng(0).uniform(size=len(X))
    before = data.tobytes(), weight.tobytes()
    model = make().fit(data, sample_weight=weight)
    model.predict(data)
    model.transform(data)
    model.predict_proba(data)
    model.encode(data)
    model.score(data, sample_weight=weight)
    assert (data.tobytes(), weight.tobytes()) == before


def test_changing_the_data_after_fit_changes_nothing():
    data = X.copy()
    model = DDCLClustering(len(X), backbone=None, random_state=0).fit(data)
    centres = model.cluster_centers_.copy()
    data[:] = 0.0
    np.testing.assert_array_equal(model.cluster_centers_, centres)


def test_the_callers_options_are_not_changed():
    options = {
        "temperature": GeometricTemperature(minimum=np.float32(0.05)),
        "training": ReducedFlow(n_init=np.int64(2)),
        "regularization": Regularization(balance=0.1),
    }
    before = copy.deepcopy(options)
    model = make(**options).fit(X)
    for name, value in options.items():
        assert getattr(model, name) is value
        assert value == before[name]
        assert {k: type(v) for k, v in vars(value).items()} == {
            k: type(v) for k, v in vars(before[name]).items()
        }


def test_read_only_arrays_and_memmaps(tmp_path):
    expected = make().fit(X)
    fixed = X.copy()
    fixed.flags.writeable = False
    weight = np.ones(len(X))
    weight.flags.writeable = False
    np.save(tmp_path / "x.npy", X)
    for data in (
        fixed,
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        np.load(tmp_path / "x.npy", mmap_mode="r+"),
        np.load(tmp_path / "x.npy", mmap_mode="c"),
    ):
        model = make().fit(data, sample_weight=weight)
        np.testing.assert_allclose(model.cluster_centers_, expected.cluster_centers_, rtol=1e-12)
        np.testing.assert_array_equal(model.predict(data), expected.labels_)
        np.testing.assert_array_equal(model.transform(data), model.transform(X))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)


def test_views_with_odd_strides():
    wide = np.zeros((2 * len(X), 6))
    wide[::2, 1:5:3] = X
    model = make().fit(wide[::2, 1:5:3])
    np.testing.assert_array_equal(model.labels_, make().fit(X).labels_)
    backwards = make().fit(X[::-1])
    assert adjusted_rand_score(backwards.labels_[::-1], model.labels_) == 1.0


# --- copies


@pytest.mark.parametrize("name", ["default", "soft constant", "balance"])
def test_copies_of_a_fitted_model_predict_the_same(name, tmp_path):
    model = make(**CONFIGURATIONS[name]).fit(X)
    joblib.dump(model, tmp_path / "model.joblib")
    for other in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        copy.copy(model),
        joblib.load(tmp_path / "model.joblib"),
        joblib.load(tmp_path / "model.joblib", mmap_mode="r"),
    ):
        new = X + 0.1
        np.testing.assert_array_equal(other.predict(new), model.predict(new))
        np.testing.assert_array_equal(other.transform(new), model.transform(new))
        np.testing.assert_array_equal(other.predict_proba(new), model.predict_proba(new))
        assert other.score(new) == model.score(new)
        assert other.history_ == model.history_
        assert other.module_.temperature == model.module_.temperature
    assert make(**CONFIGURATIONS[name]).fit(X).score(X) == model.score(X)


def test_a_pickle_does_not_hold_the_data():
    many = np.tile(X, (50, 1))
    assert len(pickle.dumps(make().fit(many))) < 20_000 + many.shape[0] * 4


def test_clone_copies_options_and_forgets_the_fit():
    model = make(training=ReducedFlow(n_init=4), temperature=GeometricTemperature()).fit(X)
    other = clone(model)
    assert other.training == model.training
    assert other.training is not model.training
    assert not hasattr(other, "labels_")
    other.set_params(training__n_init=7, temperature__minimum=0.3)
    assert model.training.n_init == 4
    assert model.temperature.minimum != 0.3


# --- parameters


def test_parameters_are_few_and_keyword_only_after_the_first():
    parameters = list(inspect.signature(DDCLClustering).parameters.values())
    assert len(parameters) <= 15
    assert parameters[0].name == "n_clusters"
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[1:])


def test_nested_parameters_are_got_and_set():
    model = make(
        temperature=ExponentialTemperature(),
        training=ReducedFlow(),
        regularization=Regularization(),
    )
    params = model.get_params()
    for name in ("temperature__minimum", "training__n_init", "regularization__balance"):
        assert name in params
    assert not any("__" in name for name in model.get_params(deep=False))
    model.set_params(
        n_clusters=4, temperature__minimum=0.1, training__n_init=1, regularization__balance=0.5
    )
    assert (model.n_clusters, model.temperature.minimum) == (4, 0.1)
    assert (model.training.n_init, model.regularization.balance) == (1, 0.5)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        model.set_params(training__nonsense=1)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        model.set_params(nonsense=1)


def test_refit_with_other_parameters_leaves_nothing_behind():
    model = make().fit(X)
    model.set_params(n_clusters=5).fit(X)
    assert model.cluster_centers_.shape == (5, 2)
    assert model.n_active_clusters_ == 5
    assert set(model.labels_) == set(range(5))
    model.set_params(n_clusters=2).fit(np.c_[X, X])
    assert model.transform(np.c_[X, X]).shape == (200, 2)
    assert model.n_features_in_ == 4
    assert len(model.get_feature_names_out()) == 2


@pytest.mark.parametrize("output", ["distances", "assignments"])
def test_set_params_changes_output_without_a_fit(output):
    model = make(output="embedding").fit(X).set_params(output=output)
    assert model.transform(X).shape == (200, 3)
    assert len(model.get_feature_names_out()) == 3


def test_repr_is_short_and_html_works():
    assert repr(DDCLClustering()) == "DDCLClustering()"
    assert "n_clusters=3" in repr(make(training=ReducedFlow()))
    assert "DDCLClustering" in make(training=ReducedFlow())._repr_html_()


def test_numpy_scalars_in_options_are_numbers():
    model = make(
        temperature=GeometricTemperature(minimum=np.float32(0.05), relative=np.bool_(True)),
        training=ReducedFlow(hard_finish=np.bool_(True), n_init=np.int32(1)),
        regularization=Regularization(balance=np.float32(0.0), quadratic=np.int64(0)),
    )
    assert adjusted_rand_score(model.fit_predict(X), Y) == 1.0


def test_a_schedule_of_ones_own():
    class Halving:
        relative = True

        def get_params(self, deep=True):
            return {}

        def __call__(self, step):
            return max(2.0 * 0.5**step, 0.05)

    assert adjusted_rand_score(make(temperature=Halving()).fit_predict(X), Y) == 1.0


# --- warnings


def test_too_few_iterations_warn_and_name_the_parameter():
    data = make_blobs(300, n_features=6, centers=1, random_state=0)[0]
    with pytest.warns(ConvergenceWarning, match="max_iter=1") as caught:
        model = DDCLClustering(9, backbone=None, max_iter=1, random_state=0).fit(data)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(model.labels_, model.predict(data))


def test_an_annealing_cut_short_warns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(training=SOFT, max_iter=1).fit(X)
    own = [w for w in caught if w.category is ConvergenceWarning]
    assert len(own) == 1
    assert "max_iter=1" in str(own[0].message)


def test_a_temperature_above_the_critical_one_collapses_with_a_warning():
    schedule = ConstantTemperature(1.5)
    with pytest.warns(CollapseWarning, match="of n_clusters=3") as caught:
        model = make(temperature=schedule, training=SOFT).fit(X)
    assert caught[0].filename == __file__
    assert model.n_active_clusters_ < 3
    assert set(model.labels_) == set(range(model.n_active_clusters_))


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature__minimum", 0.1), ("training__n_init", 3), ("regularization__balance", 0.2)],
)
def test_parameters_of_default_parameters_can_be_set(name, value):
    model = DDCLClustering(3, backbone=None, random_state=0).set_params(**{name: value})
    assert model.get_params()[name] == value
    assert clone(model).get_params()[name] == value
    model.fit(X)


def test_setting_members_keeps_the_others():
    model = DDCLClustering(backbone=None, temperature="paper").set_params(
        temperature__minimum=0.25
    )
    assert model.temperature.initial == 2.0
    assert not model.temperature.relative
    own = GeometricTemperature(factor=0.5)
    model.set_params(temperature=own, temperature__minimum=0.1)
    assert own.minimum == 0.1


@pytest.mark.parametrize("name", ["nonsense__x", "temperature__nonsense", "n_clusters__x"])
def test_unknown_members_are_refused(name):
    with pytest.raises(ValueError, match=r"nonsense|n_clusters"):
        DDCLClustering(backbone=None).set_params(**{name: 1})


def test_names_and_members_are_searched_together():
    grid = {"temperature": ["geometric", "exponential"], "temperature__minimum": [0.02, 0.2]}
    search = GridSearchCV(
        DDCLClustering(3, backbone=None, random_state=0), grid, cv=SingleSplit()
    ).fit(X)
    assert len(search.cv_results_["params"]) == 4
    model = DDCLClustering(backbone=None).set_params(training=None, training__n_init=2)
    assert model.training.n_init == 2


def test_a_subclass_may_encode_in_its_own_way():
    class Doubled(DDCLClustering):
        def encode(self, X):
            return 2 * super().encode(X)

    model = Doubled(3, backbone=None, output="embedding", random_state=0).fit(X)
    np.testing.assert_array_equal(model.transform(X), 2 * X)


def test_samples_too_far_for_squares_are_refused_by_name():
    model = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    far = X.copy()
    far[0] = 1e308
    for method in (model.transform, model.score):
        with pytest.raises(ValueError, match="X has values so far"):
            method(far)
