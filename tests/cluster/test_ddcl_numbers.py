"""Numbers at the edge: degenerate, huge, tiny, shifted, mixed; finite or refused, never silent."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.options import ConstantTemperature, ReducedFlow, Regularization

X, Y = make_blobs(150, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def fit(data, k=3, weight=None, collapse=False, **params):
    """Fit, and check what must hold for any data; a lost cluster must be announced."""
    model = DDCLClustering(k, backbone=None, random_state=0, **params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(data, sample_weight=weight)
    found = {warning.category for warning in caught}
    assert found <= {CollapseWarning, ConvergenceWarning}, caught
    assert (CollapseWarning in found) == (model.n_active_clusters_ < k)
    assert collapse or model.n_active_clusters_ == k
    check_attributes(model, data, weight)
    return model


def check_attributes(model, data, weight=None):
    n, d = data.shape
    k = model.n_active_clusters_
    dtype = data.dtype if data.dtype == np.float32 else np.float64
    assert 1 <= k <= model.n_clusters
    assert model.cluster_centers_.shape == (k, d)
    assert model.cluster_centers_.dtype == dtype
    assert model.labels_.shape == (n,)
    assert model.labels_.dtype == np.int32
    used = model.labels_ if weight is None else model.labels_[np.asarray(weight) > 0]
    assert set(used) == set(range(k)), "labels are consecutive"
    assert set(model.labels_) == set(used)
    assert np.isfinite(model.cluster_centers_).all()
    assert np.isfinite([model.inertia_, model.temperature_]).all()
    assert model.inertia_ >= 0
    assert model.temperature_ >= 0
    assert model.n_iter_ >= 0
    for record in model.history_:
        assert np.isfinite([value for key, value in record.items() if key != "phase"]).all()
        assert record["variance"] >= 0
    assert np.isfinite(model.module_.prototypes.numpy()).all()


def squares_of(data, centres):
    """Return squared distances in extended precision."""
    dense = data.toarray() if sparse.issparse(data) else data
    gaps = dense.astype(np.longdouble)[:, None] - centres.astype(np.longdouble)[None]
    return np.square(gaps).sum(-1)


def check_inertia(model, data, weight=None, rtol=1e-6):
    """Compare with brute force, beside what rounding the centres alone would change."""
    squares = squares_of(data, model.cluster_centers_).min(1)
    expected = float(squares @ (np.ones(len(squares)) if weight is None else weight))
    dense = data.toarray() if sparse.issparse(data) else data
    largest = np.abs(dense.astype(np.longdouble)).max()
    size = np.sum(weight) if weight is not None else len(squares)
    rounding = float(size * data.shape[1] * (largest * np.finfo(data.dtype).eps) ** 2)
    assert model.inertia_ == pytest.approx(expected, rel=rtol, abs=rounding)


def check_methods(model, data):
    """Methods on the training data are finite, and agree up to ties."""
    labels, distances = model.predict(data), model.transform(data)
    proba = model.set_params(output="assignments").transform(data)
    model.set_params(output="distances")
    assert np.isfinite(distances).all()
    if len(model.cluster_centers_) == 1:  # see test_soft_assignments_to_one_tiny_cluster
        return
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-5)
    rows = np.arange(len(labels))
    for chosen in (labels, model.labels_):
        np.testing.assert_allclose(
            distances[rows, chosen], distances.min(1), rtol=1e-3, atol=1e-4 * distances.max()
        )
    np.testing.assert_allclose(proba[rows, labels], proba.max(1), rtol=1e-3)


# --- scale and offset


@each_dtype
@pytest.mark.parametrize("scale", [1e-37, 1e-30, 1e-10, 1e10, 1e30])
def test_the_scale_of_the_data_does_not_matter(scale, dtype):
    model = fit((X * scale).astype(dtype))
    assert adjusted_rand_score(Y, model.labels_) == 1.0
    plain = fit(X.astype(dtype))
    np.testing.assert_allclose(
        model.cluster_centers_ / scale, plain.cluster_centers_, rtol=1e-5, atol=1e-6
    )
    assert model.inertia_ == pytest.approx(plain.inertia_ * scale**2, rel=1e-4)
    check_inertia(model, (X * scale).astype(dtype))
    check_methods(model, (X * scale).astype(dtype))


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e100, 1e140])
def test_float64_bears_more(scale):
    model = fit(X * scale)
    assert adjusted_rand_score(Y, model.labels_) == 1.0
    check_inertia(model, X * scale)
    check_methods(model, X * scale)


@each_dtype
@pytest.mark.parametrize("offset", [1e3, -1e6, 1e6])
def test_clusters_are_found_far_from_the_origin(offset, dtype):
    data = (X + offset).astype(dtype)
    model = fit(data)
    assert adjusted_rand_score(Y, model.labels_) == 1.0
    np.testing.assert_array_equal(model.predict(data), model.labels_)
    check_methods(model, data)
    best = fit(data.astype(float)).inertia_
    assert model.inertia_ <= 1.05 * best


def test_float64_offsets_cost_nothing():
    plain = fit(X)
    for offset in (1e6, 1e8):
        model = fit(X + offset)
        assert model.inertia_ == pytest.approx(plain.inertia_, rel=1e-6)
        check_inertia(model, X + offset)


@each_dtype
def test_mixed_scales_of_columns(dtype):
    data = (X * [1e-8, 1e8]).astype(dtype)
    model = fit(data)
    check_inertia(model, data)
    check_methods(model, data)


@each_dtype
def test_constant_columns_change_nothing(dtype):
    data = np.c_[np.full(150, 7.7e5), X, np.zeros(150)].astype(dtype)
    model = fit(data)
    assert adjusted_rand_score(Y, model.labels_) == 1.0
    np.testing.assert_allclose(model.cluster_centers_[:, 0], data[0, 0], rtol=1e-6)
    check_methods(model, data)


@each_dtype
def test_one_distant_outlier_takes_a_cluster_and_the_rest_stay_finite(dtype):
    data = X.copy()
    data[0] = 1e12
    model = fit(data.astype(dtype), collapse=True)
    assert (model.labels_ == model.labels_[0]).sum() == 1
    check_methods(model, data.astype(dtype))
    check_inertia(model, data.astype(dtype))


# --- degenerate data


@each_dtype
@pytest.mark.parametrize("value", [0.0, 7.3, -1e6, 1e-30, 1e30])
@pytest.mark.parametrize("rows", [3, 1000])
def test_constant_rows_collapse_with_a_warning(value, rows, dtype):
    data = np.full((rows, 4), value, dtype=dtype)
    model = fit(data, collapse=True)
    assert model.n_active_clusters_ == 1
    np.testing.assert_allclose(model.cluster_centers_[0], data[0], rtol=1e-5)
    np.testing.assert_array_equal(model.labels_, 0)
    assert model.inertia_ <= rows * 4 * (abs(value) * 1e-5) ** 2
    check_methods(model, data)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@each_dtype
@pytest.mark.parametrize(("distinct", "k"), [(1, 2), (2, 3), (5, 5), (9, 12), (20, 19), (20, 50)])
def test_duplicates_give_as_many_clusters_as_there_are_distinct_rows(distinct, k, dtype, kind):
    rng = np.random.default_rng(distinct)
    points = rng.integers(-8, 8, size=(distinct, 3)).astype(dtype)
    points[:, 0] = np.arange(distinct)
    data = np.repeat(points, 4, axis=0)[rng.permutation(4 * distinct)]
    model = fit(kind(data), k, collapse=True)
    assert model.n_active_clusters_ == min(k, distinct)
    if k >= distinct:
        assert model.inertia_ <= 1e-5
        for row in points:
            assert len(set(model.labels_[(data == row).all(1)])) == 1
    check_methods(model, kind(data))


@each_dtype
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_as_many_clusters_as_rows(offset, dtype):
    data = (X[:40] + offset).astype(dtype)
    model = fit(data, 40)
    assert sorted(model.labels_) == list(range(40))
    np.testing.assert_allclose(model.cluster_centers_[model.labels_], data, rtol=1e-6, atol=1e-6)
    assert model.inertia_ == pytest.approx(0.0, abs=1e-6)


@each_dtype
def test_one_cluster_is_the_mean(dtype):
    data = X.astype(dtype)
    model = fit(data, 1)
    np.testing.assert_allclose(model.cluster_centers_[0], data.mean(0, dtype=float), rtol=1e-6)
    check_inertia(model, data)
    np.testing.assert_array_equal(model.predict_proba(data), 1.0)


def test_one_row():
    model = fit(X[:1], 1)
    np.testing.assert_array_equal(model.cluster_centers_, X[:1])
    assert model.inertia_ == 0.0
    check_methods(model, X[:1])


@each_dtype
def test_one_feature(dtype):
    data = X[:, :1].astype(dtype)
    model = fit(data)
    check_inertia(model, data)
    check_methods(model, data)
    order = np.argsort(data[:, 0])
    assert (np.diff(model.labels_[order]) != 0).sum() == 2, "clusters on a line are intervals"


def test_all_zero_sparse():
    model = fit(sparse.csr_array((30, 5)), collapse=True)
    assert model.n_active_clusters_ == 1
    assert model.inertia_ == 0.0


def test_only_one_row_has_weight():
    weight = np.r_[np.zeros(149), 1.0]
    model = fit(X, weight=weight, collapse=True)
    assert model.n_active_clusters_ == 1
    np.testing.assert_allclose(model.cluster_centers_[0], X[-1])


def test_equal_rows_have_one_label():
    rng = np.random.default_rng(5)
    points = rng.integers(-8, 8, size=(5, 3)).astype(float)
    points[:, 0] = np.arange(5)
    data = np.repeat(points, 4, axis=0)[rng.permutation(20)]
    assert fit(data, 7, collapse=True).n_active_clusters_ == 5


def test_soft_assignments_to_one_tiny_cluster():
    data = np.array([[0.0], [1e-30]], dtype=np.float32)
    np.testing.assert_array_equal(fit(data, 1).predict_proba(data), 1.0)


def test_constant_rows_without_a_finish_count_a_pass():
    params = {"training": ReducedFlow(hard_finish=False)}
    assert fit(np.ones((3, 2)), 1, **params).n_iter_ >= 1


def test_float32_subnormals():
    data = (X * 1e-44).astype(np.float32)
    model = fit(data, collapse=True)
    assert np.isfinite(model.transform(data)).all()
    assert np.isfinite(model.predict_proba(data)).all()


def test_labels_are_those_of_predict_where_float32_can_hold_few_centres():
    rng = np.random.default_rng(0)
    data = np.repeat(1e6 + rng.normal(size=(40, 3)), 4, axis=0).astype(np.float32)
    model = fit(data, 50, collapse=True)
    np.testing.assert_array_equal(model.labels_, model.predict(data))


def test_labels_are_those_of_predict_for_tight_groups_in_float32():
    rng = np.random.default_rng(0)
    for _ in range(5):
        groups = 1e-6 * rng.normal(size=(100, 2)), 1 + 1e-6 * rng.normal(size=(100, 2))
        data = np.concatenate(groups).astype(np.float32)
        model = fit(data, 4, collapse=True)
        np.testing.assert_array_equal(model.labels_, model.predict(data))


# --- wide data: the search runs on a sketch


def wide(dtype="float64", rows=90, columns=2500):
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    data = 0.01 * rng.normal(size=(rows, columns)) * (rng.uniform(size=(rows, columns)) < 0.05)
    data[np.arange(rows), 7 * labels] += 5.0
    return data.astype(dtype), labels


@each_dtype
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_wide_data(kind, dtype):
    data, labels = wide(dtype)
    model = fit(kind(data))
    assert adjusted_rand_score(labels, model.labels_) == 1.0
    check_inertia(model, kind(data), rtol=1e-3 if dtype == "float32" else 1e-6)
    check_methods(model, kind(data))


@pytest.mark.parametrize("move", [lambda x: x * 1e30, lambda x: x * 1e-30, lambda x: x + 1e6])
def test_wide_data_of_odd_scale(move):
    data, labels = wide()
    assert adjusted_rand_score(labels, fit(move(data)).labels_) == 1.0


def test_wide_and_degenerate():
    assert fit(np.ones((9, 2500)), collapse=True).n_active_clusters_ == 1
    data, _ = wide(rows=12)
    assert fit(data, 12).n_active_clusters_ == 12
    assert fit(np.repeat(data[:2], 5, axis=0), collapse=True).n_active_clusters_ == 2


# --- extreme options


EXTREME = {
    "hot": {"temperature": ConstantTemperature(1e300)},
    "cold": {"temperature": ConstantTemperature(1e-300)},
    "hot absolute": {"temperature": ConstantTemperature(1e300, relative=False)},
    "cold absolute": {"temperature": ConstantTemperature(1e-300, relative=False)},
    "balance": {"regularization": Regularization(balance=1e300)},
    "sharp": {"regularization": Regularization(entropy=1e300)},
    "blurred": {"regularization": Regularization(entropy=-1e300)},
    "separation": {"regularization": Regularization(separation=1e6)},
    "quadratic": {"regularization": Regularization(quadratic=1e6)},
}


@each_dtype
@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("name", EXTREME)
def test_extreme_options_give_finite_numbers(name, hard, dtype):
    params = {"training": ReducedFlow(hard_finish=hard), **EXTREME[name]}
    model = fit(X.astype(dtype), collapse=True, **params)
    check_inertia(model, X.astype(dtype))
    assert np.isfinite(model.transform(X)).all()
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1.0, rtol=1e-5)


# --- fuzzing

SHAPES = st.tuples(st.integers(1, 16), st.integers(1, 4))
TIES = SHAPES.flatmap(lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-2, 2)))
REALS = SHAPES.flatmap(
    lambda shape: hnp.arrays(
        np.float32, shape, elements=st.floats(-100, 100, width=32, allow_subnormal=False)
    )
)
ANYTHING = SHAPES.flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.floats(-1e60, 1e60) | st.integers(-3, 3)
    )
)
slow_is_fine = settings(deadline=None, max_examples=150, derandomize=True)


@slow_is_fine
@given(
    data=TIES,
    k=st.integers(1, 8),
    exponent=st.sampled_from([-30, -8, 0, 0, 8, 30]),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 3),
)
def test_fuzz_ties_and_magnitudes(data, k, exponent, dtype, seed):
    data = (data * 10.0**exponent).astype(dtype)
    k = min(k, len(data))
    weight = np.random.default_rng(seed).integers(0, 3, len(data)) if seed else None
    if weight is not None and not weight.any():
        weight[0] = 1
    kept = data if weight is None else data[weight > 0]
    model = fit(data, k, weight, collapse=True)
    assert model.n_active_clusters_ == min(k, len(np.unique(kept, axis=0)))
    check_inertia(model, data, weight)
    check_methods(model, data)


@slow_is_fine
@given(data=REALS, k=st.integers(1, 8), dtype=st.sampled_from(["float32", "float64"]))
def test_fuzz_reals(data, k, dtype):
    data = data.astype(dtype)
    model = fit(data, min(k, len(data)), collapse=True)
    # rows that differ by less than a score can hold are one row to it
    check_inertia(model, data, rtol=1e-4 if dtype == "float32" else 1e-6)
    check_methods(model, data)


@slow_is_fine
@given(
    data=ANYTHING,
    k=st.integers(1, 8),
    dtype=st.sampled_from(["float32", "float64"]),
    kind=st.sampled_from([np.asarray, sparse.csr_array]),
    hard=st.booleans(),
)
def test_fuzz_anything_is_finite_or_refused(data, k, dtype, kind, hard):
    with np.errstate(over="ignore"):
        data = kind(data.astype(dtype))
    try:
        model = fit(data, k, collapse=True, training=ReducedFlow(hard_finish=hard))
    except (ValueError, TypeError) as error:
        assert str(error)  # noqa: PT017
        return
    assert np.isfinite(model.transform(data)).all()
    assert np.isin(model.predict(data), range(model.n_active_clusters_)).all()


# --- samples of large data: what decides the loss must be in them


def test_heavy_rows_among_many_are_found():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(60_000, 3))
    data[:10] += 20 * np.random.default_rng(1).normal(size=(10, 3))
    weight = np.r_[np.full(10, 1e4), np.ones(59_990)]
    best = KMeans(8, n_init=3, random_state=0).fit(data, sample_weight=weight).inertia_
    model = DDCLClustering(8, backbone=None, random_state=0).fit(data, sample_weight=weight)
    assert model.inertia_ <= 1.01 * best


@pytest.mark.parametrize("seed", range(3))
def test_small_far_groups_among_many_rows_are_found(seed):
    data = np.random.default_rng(0).normal(size=(100_000, 3))
    data[:5] += 1e3
    model = DDCLClustering(5, backbone=None, random_state=seed).fit(data)
    assert len(set(model.labels_[:5])) == 1
    assert (model.labels_ == model.labels_[0]).sum() == 5


def test_a_constant_large_column_changes_nothing():
    data = np.c_[X, np.full(len(X), 20241122)].astype("float32")
    model = fit(data, 3)
    assert model.n_active_clusters_ == 3
    assert model.inertia_ == pytest.approx(fit(X.astype("float32"), 3).inertia_, rel=1e-3)


@pytest.mark.parametrize("hard", [False, True])
def test_equal_huge_rows_leave_a_finite_centre(hard):
    X = np.full((9, 1), 8.67888943e59)
    model = fit(X, 1, training=ReducedFlow(hard_finish=hard))
    np.testing.assert_array_equal(model.cluster_centers_, X[:1])
