"""What a fitted estimator says about samples: methods, dtypes, containers, names."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import simplified_silhouette_score
from sklearn_ddcl.options import ConstantTemperature, ReducedFlow

X, Y = make_blobs(150, n_features=4, centers=5, random_state=3)
OUTPUTS = ("distances", "embedding", "assignments")
METHODS = ("predict", "predict_proba", "transform", "encode", "score")
SPARSE = (
    sparse.csr_array,
    sparse.csr_matrix,
    sparse.csc_array,
    sparse.csc_matrix,
    sparse.coo_array,
    sparse.lil_array,
)
each_output = pytest.mark.parametrize("output", OUTPUTS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def with_value(value):
    """Return the samples with one number replaced."""
    data = X.copy()
    data[3, 1] = value
    return data


def soft(**params):
    """Return an estimator whose soft assignments are not nearly hard."""
    flow = ReducedFlow(hard_finish=False)
    schedule = ConstantTemperature(0.2)
    return DDCLClustering(
        5, backbone=None, training=flow, temperature=schedule, random_state=0, **params
    )


@pytest.fixture(scope="module")
def fitted():
    return soft().fit(X)


def test_predict_is_the_nearest_centre(fitted):
    new = X[::2] + 0.3
    expected = cdist(new, fitted.cluster_centers_).argmin(1)
    labels = fitted.predict(new)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)


def test_transform_gives_distances(fitted):
    new = X[::2] + 0.3
    distances = fitted.transform(new)
    np.testing.assert_allclose(distances, cdist(new, fitted.cluster_centers_), rtol=1e-9)
    np.testing.assert_array_equal(distances.argmin(1), fitted.predict(new))


def test_distance_to_the_own_centre_is_exact():
    model = DDCLClustering(5, backbone=None, random_state=0).fit(X + 1e6)
    own = model.transform(model.cluster_centers_)
    np.testing.assert_array_equal(np.diag(own), 0.0)


def test_predict_proba_is_the_softmax_at_the_last_temperature(fitted):
    proba = fitted.predict_proba(X)
    logits = -cdist(X, fitted.cluster_centers_, "sqeuclidean") / fitted.temperature_
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(proba, expected, rtol=1e-8, atol=1e-15)
    assert expected.max() < 1 - 1e-9, "the case must be soft to say something"
    np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(proba.argmax(1), fitted.predict(X))


def test_encode_returns_the_features_as_a_copy(fitted):
    features = fitted.encode(X)
    np.testing.assert_array_equal(features, X)
    assert not np.shares_memory(features, X)
    assert sparse.issparse(fitted.encode(sparse.csr_array(X)))


def test_outputs_agree_with_the_methods(fitted):
    model = soft(output="assignments").fit(X)
    np.testing.assert_array_equal(model.transform(X), fitted.predict_proba(X))
    model.set_params(output="embedding")
    np.testing.assert_array_equal(model.transform(X), X)
    model.set_params(output="distances")
    np.testing.assert_array_equal(model.transform(X), fitted.transform(X))


@each_output
def test_fit_transform_is_fit_then_transform(output):
    weight = np.linspace(0.1, 2.0, len(X))
    once = soft(output=output).fit_transform(X, sample_weight=weight)
    twice = soft(output=output).fit(X, sample_weight=weight).transform(X)
    np.testing.assert_array_equal(once, twice)


def test_fit_predict_is_fit_then_predict():
    model = DDCLClustering(5, backbone=None, random_state=0)
    labels = model.fit_predict(X)
    np.testing.assert_array_equal(labels, model.labels_)
    np.testing.assert_array_equal(
        labels, DDCLClustering(5, backbone=None, random_state=0).fit(X).predict(X)
    )


@each_dtype
@each_output
def test_dtype_is_kept_everywhere(dtype, output):
    data = X.astype(dtype)
    model = soft(output=output).fit(data)
    for found in (
        model.cluster_centers_,
        model.transform(data),
        model.encode(data),
        model.predict_proba(data),
        model.module_.prototypes.numpy(),
    ):
        assert found.dtype == dtype
    assert model.labels_.dtype == model.predict(data).dtype == np.int32
    assert type(model.inertia_) is float
    assert type(model.temperature_) is float


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "bool", "float16", "object"])
def test_other_numbers_become_float64(dtype):
    data = np.abs(np.rint(X)).astype(dtype)
    model = DDCLClustering(2, backbone=None, random_state=0).fit(data)
    assert model.cluster_centers_.dtype == np.float64
    assert model.transform(data).dtype == np.float64
    np.testing.assert_array_equal(
        model.labels_,
        DDCLClustering(2, backbone=None, random_state=0).fit_predict(data.astype(float)),
    )


@pytest.mark.parametrize("container", SPARSE)
def test_sparse_results_are_the_dense_ones(container):
    data = np.where(np.abs(X) < 2.0, 0.0, X)
    dense = soft().fit(data)
    model = soft().fit(container(data))
    np.testing.assert_array_equal(model.labels_, dense.labels_)
    np.testing.assert_allclose(model.cluster_centers_, dense.cluster_centers_, rtol=1e-9)
    assert model.inertia_ == pytest.approx(dense.inertia_, rel=1e-9)
    np.testing.assert_array_equal(model.predict(container(data)), dense.labels_)
    np.testing.assert_allclose(
        model.transform(container(data)), dense.transform(data), rtol=1e-7, atol=1e-7
    )
    assert model.score(container(data)) == pytest.approx(dense.score(data), rel=1e-9)
    model.set_params(output="assignments")
    soft_sparse = model.transform(container(data))
    np.testing.assert_allclose(soft_sparse, dense.predict_proba(data), atol=1e-8)


@each_dtype
def test_sparse_with_wide_indices_and_unsorted_or_repeated_entries(dtype):
    values = np.array([1.0, 1.0, 3.0, 4.0, 2.0, 5.0], dtype=dtype)
    columns = np.array([0, 0, 1, 2, 0, 1], dtype=np.int64)
    rows = np.array([0, 2, 4, 6], dtype=np.int64)
    data = sparse.csr_array((values, columns, rows), shape=(3, 3))
    assert data.indices.dtype == np.int64
    before = data.copy()
    model = DDCLClustering(2, backbone=None, random_state=0).fit(data)
    np.testing.assert_array_equal(
        model.predict(data),
        DDCLClustering(2, backbone=None, random_state=0).fit_predict(data.toarray()),
    )
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(data, name), getattr(before, name))


def test_predict_proba_refuses_sparse_and_says_what_to_do(fitted):
    with pytest.raises(TypeError, match="output='assignments'"):
        fitted.predict_proba(sparse.csr_array(X))


@each_dtype
@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_rows_one_by_one_give_what_the_batch_gives(method, dtype):
    data = X.astype(dtype)
    call = getattr(soft().fit(data), method)
    batch = call(data)
    single = np.concatenate([call(row[None]) for row in data])
    np.testing.assert_allclose(single, batch, rtol=1e-5 if dtype == "float32" else 1e-12)
    order = np.random.default_rng(0).permutation(len(data))
    np.testing.assert_allclose(call(data[order]), batch[order], atol=1e-6, rtol=1e-5)


def test_a_model_of_one_dtype_takes_samples_of_the_other(fitted):
    narrow = soft().fit(X.astype(np.float32))
    np.testing.assert_array_equal(narrow.predict(X), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict(X.astype(np.float32)), fitted.labels_)


@each_output
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_gives_named_frames(output, library):
    frames = pytest.importorskip(library)
    model = soft(output=output).set_output(transform=library)
    result = model.fit_transform(X)
    assert isinstance(result, frames.DataFrame)
    names = [f"ddclclustering{number}" for number in range(4 if output == "embedding" else 5)]
    assert list(result.columns) == names == model.get_feature_names_out().tolist()
    np.testing.assert_array_equal(result.to_numpy(), soft(output=output).fit_transform(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_feature_names_are_remembered_and_checked(library):
    frames = pytest.importorskip(library)
    columns = dict(zip("abcd", X.T, strict=True))
    frame = frames.DataFrame(columns)
    model = DDCLClustering(5, backbone=None, random_state=0).fit(frame)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert model.n_features_in_ == 4
    np.testing.assert_array_equal(model.predict(frame), model.labels_)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frames.DataFrame(dict(reversed(columns.items()))))
    assert not hasattr(
        DDCLClustering(5, backbone=None, random_state=0).fit(X), "feature_names_in_"
    )


def test_pandas_index_is_kept():
    frame = pd.DataFrame(X, index=[f"row{number}" for number in range(len(X))])
    model = (
        DDCLClustering(5, backbone=None, random_state=0)
        .set_output(transform="pandas")
        .fit(frame.to_numpy())
    )
    assert model.transform(frame).index.tolist() == frame.index.tolist()


@pytest.mark.parametrize("method", [*METHODS, "get_feature_names_out"])
def test_methods_before_fit_say_so(method):
    arguments = () if method == "get_feature_names_out" else (X,)
    with pytest.raises(NotFittedError, match="DDCLClustering instance is not fitted"):
        getattr(DDCLClustering(backbone=None), method)(*arguments)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X[:, :3], "X has 3 features, but DDCLClustering is expecting 4"),
        (with_value(np.nan), "Input X contains NaN"),
        (with_value(np.inf), "Input X contains infinity"),
        (X[0], "Expected 2D array, got 1D array"),
        (X[None], "dim 3"),
        (X[:0], r"0 sample\(s\)"),
        (X + 1j, "Complex data not supported"),
        ([["a", "b", "c", "d"]], "could not convert string to float"),
    ],
)
def test_bad_samples_are_refused_by_every_method(fitted, method, data, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(data)


def test_an_output_made_invalid_after_fit_is_named():
    model = DDCLClustering(2, backbone=None, random_state=0).fit(X).set_params(output="nonsense")
    with pytest.raises(ValueError, match=r"'output' parameter .* 'nonsense'"):
        model.transform(X)


def test_samples_far_away_are_assigned_without_nan(fitted):
    for far in (np.full((2, 4), 1e100), np.full((2, 4), 3e38, np.float32)):
        assert np.isin(fitted.predict(far), range(5)).all()
        np.testing.assert_allclose(fitted.predict_proba(far).sum(1), 1.0)
        assert not np.isnan(fitted.transform(far)).any()


# --- score


def test_score_is_the_macro_mean_of_the_simplified_silhouette(fitted):
    expected = simplified_silhouette_score(fitted.transform(X))
    assert fitted.score(X) == pytest.approx(expected, rel=1e-12)
    assert -1.0 <= expected <= 1.0


def test_score_takes_weights(fitted):
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    assert fitted.score(X, sample_weight=weight) == pytest.approx(
        fitted.score(np.repeat(X, weight, axis=0)), rel=1e-12
    )
    assert fitted.score(X, sample_weight=1e200 * weight) == pytest.approx(
        fitted.score(X, sample_weight=weight), rel=1e-12
    )


@pytest.mark.parametrize("y", [None, Y, Y.astype(str), Y.astype(object), Y * 0.7])
def test_score_ignores_labels(fitted, y):
    assert fitted.score(X, y) == fitted.score(X)


def test_score_does_not_depend_on_scale_or_offset():
    base = DDCLClustering(5, backbone=None, random_state=0).fit(X).score(X)
    for moved in (X * 1e30, X * 1e-30, X + 1e6):
        score = DDCLClustering(5, backbone=None, random_state=0).fit(moved).score(moved)
        assert score == pytest.approx(base, rel=1e-6)


def test_score_of_a_collapse_is_the_worst_with_a_warning():
    with pytest.warns(CollapseWarning, match="in use"):
        model = DDCLClustering(3, backbone=None, random_state=0).fit(np.ones((20, 4)))
    with pytest.warns(CollapseWarning, match="at least 2 clusters"):
        assert model.score(np.ones((20, 4))) == -1.0
    with pytest.warns(CollapseWarning):
        assert model.score(X) == -1.0


def test_score_of_one_cluster_warns():
    model = DDCLClustering(1, backbone=None, random_state=0).fit(X)
    with pytest.warns(CollapseWarning):
        assert model.score(X) == -1.0


def test_a_small_scale_is_not_rewarded():
    shrunk = X * 1e-3
    assert DDCLClustering(9, backbone=None, random_state=0).fit(shrunk).score(
        shrunk
    ) < DDCLClustering(5, backbone=None, random_state=0).fit(X).score(X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("row", [0, 20_000])
def test_predict_refuses_what_is_not_finite_wherever_it_is(value, dtype, k, row):
    rng = np.random.default_rng(0)
    model = DDCLClustering(k, backbone=None, random_state=0).fit(
        rng.normal(size=(50, 3)).astype(dtype)
    )
    data = rng.normal(size=(20_001, 3)).astype(dtype)
    data[row, 1] = value
    with pytest.raises(ValueError, match="NaN" if np.isnan(value) else "infinity"):
        model.predict(data)


def test_predict_of_finite_rows_whose_scores_overflow_still_answers():
    model = DDCLClustering(2, backbone=None, random_state=0).fit(np.array([[0.0], [1e-150]]))
    assert set(model.predict(np.array([[1e200], [-1e200]]))) <= {0, 1}
