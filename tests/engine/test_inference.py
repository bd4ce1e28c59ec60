import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import euclidean_distances

from sklearn_ddcl.engine import assignments, distances, nearest, nearest_two
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.nn import soft_assignments

checked = settings(deadline=None, max_examples=25)
layouts = pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
dtypes = pytest.mark.parametrize(
    ("dtype", "rtol"), [(np.float32, 1e-4), (np.float64, 1e-9)], ids=["float32", "float64"]
)
ALL = {
    "nearest": nearest,
    "nearest_two": lambda x, p: np.stack(nearest_two(x, p), axis=1),
    "distances": distances,
    "assignments": lambda x, p: assignments(x, p, 0.7),
}
each_function = pytest.mark.parametrize("function", ALL.values(), ids=ALL)


def draw(seed=0, n=50, d=4, k=6, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    x[rng.random(x.shape) < 0.4] = 0.0
    return x.astype(dtype), rng.normal(size=(k, d)).astype(dtype)


def exact(x, p):
    """Distances from differences, in float64."""
    return np.sqrt(((x[:, None].astype(float) - p[None].astype(float)) ** 2).sum(2))


@pytest.fixture(params=["one_block", "small_blocks"])
def blocks(request, monkeypatch):
    if request.param == "small_blocks":
        monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 7)


@layouts
@dtypes
@pytest.mark.parametrize("k", [1, 6, 40])
def test_distances_and_winners(blocks, layout, dtype, rtol, k):
    x, p = draw(k=k, dtype=dtype)
    d = exact(x, p)
    found = distances(layout(x), p)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, d, rtol=rtol)
    np.testing.assert_allclose(found, euclidean_distances(x, p), rtol=max(rtol, 1e-7), atol=1e-3)
    labels = nearest(layout(x), p)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, d.argmin(1))
    two = nearest_two(layout(x), p)
    np.testing.assert_array_equal(two.labels, labels)
    np.testing.assert_allclose(two.first, d.min(1), rtol=rtol)
    second = np.sort(d, axis=1)[:, 1] if k > 1 else np.full(50, np.inf)
    np.testing.assert_allclose(two.second, second, rtol=rtol)
    assert two.first.dtype == two.second.dtype == dtype


@layouts
@dtypes
@pytest.mark.parametrize("k", [1, 6, 40])
@pytest.mark.parametrize("temperature", [1e-3, 0.7, 1e6])
def test_assignments_are_equation_8(blocks, layout, dtype, rtol, k, temperature):
    x, p = draw(1, k=k, dtype=dtype)
    expected = soft_assignments(torch.from_numpy(exact(x, p) ** 2), temperature)
    found = assignments(layout(x), p, temperature)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.sum(1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(found, expected, atol=5 * rtol)


@layouts
def test_temperature_zero_is_the_hard_limit(layout):
    x, p = draw(2)
    q = assignments(layout(x), p, 0.0)
    np.testing.assert_array_equal(q, np.eye(6)[exact(x, p).argmin(1)])
    np.testing.assert_allclose(assignments(layout(x), p, 1e-12), q, atol=1e-12)
    np.testing.assert_array_equal(assignments(layout(x), p, 5e-324), q)


def test_temperature_infinity_is_uniform():
    x, p = draw(3)
    np.testing.assert_allclose(assignments(x, p, np.inf), 1 / 6)


@each_function
@layouts
def test_row_by_row_is_the_batch(function, layout):
    x, p = draw(4)
    rows = [function(layout(x[i : i + 1]), p)[0] for i in range(len(x))]
    np.testing.assert_allclose(np.stack(rows), function(layout(x), p), rtol=1e-9, atol=1e-12)


@each_function
@checked
@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(1, 40), d=st.integers(1, 9)
)
def test_sparse_is_dense(function, seed, n, k, d):
    x, p = draw(seed, n, d, k)
    np.testing.assert_allclose(function(sp.csr_array(x), p), function(x, p), rtol=1e-7, atol=1e-7)


@each_function
def test_any_memory_layout(function, tmp_path):
    x, p = draw(5)
    expected = function(x, p)
    read_only, read_only_p = x.copy(), p.copy()
    read_only.flags.writeable = read_only_p.flags.writeable = False
    x.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", float, "r", shape=x.shape)
    for data, prototypes in (
        (read_only, read_only_p),
        (mapped, p),
        (np.asfortranarray(x), np.asfortranarray(p)),
        (np.repeat(x, 2, axis=0)[::2], np.repeat(p, 2, axis=1)[:, ::2]),
    ):
        np.testing.assert_allclose(function(data, prototypes), expected, rtol=1e-12, atol=1e-12)


@each_function
def test_input_is_left_alone(function):
    x, p = draw(6)
    before = x.copy(), p.copy()
    function(x, p)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(p, before[1])


@layouts
@dtypes
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_row_on_its_prototype_is_at_distance_zero(layout, dtype, rtol, offset):
    rng = np.random.default_rng(7)
    p = (rng.normal(size=(5, 8)) + offset).astype(dtype)
    np.testing.assert_allclose(np.diag(distances(layout(p), p)), 0.0, atol=1e-12 * (1 + offset))
    np.testing.assert_array_equal(nearest(layout(p), p), range(5))


@layouts
def test_first_distance_of_a_row_on_its_prototype_is_zero(layout):
    p = np.random.default_rng(8).normal(size=(5, 8))
    np.testing.assert_allclose(nearest_two(layout(p), p).first, 0.0, atol=1e-12)


@pytest.mark.parametrize("gap", [1e-3, 1e-5])
@dtypes
def test_small_distances_keep_their_digits(dtype, rtol, gap):
    p = np.array([[1.0, 2.0], [-3.0, 0.0]], dtype)
    x = (p + np.array([[gap, 0.0]])).astype(dtype)
    np.testing.assert_allclose(np.diag(distances(x, p)), np.diag(exact(x, p)), rtol=1e-5)
    np.testing.assert_allclose(nearest_two(x, p).first, np.diag(exact(x, p)), rtol=1e-5)


@pytest.mark.parametrize("offset", [1e3, 1e6])
@dtypes
def test_offsets_lose_no_digits_of_distances(dtype, rtol, offset):
    """As in euclidean_distances of scikit-learn, which computes float32 in float64."""
    x, p = draw(9)
    x, p = (x + offset).astype(dtype), (p + offset).astype(dtype)
    d = exact(x, p)
    np.testing.assert_allclose(distances(x, p), d, rtol=1e-3, atol=1e-3)
    two = nearest_two(x, p)
    np.testing.assert_allclose(two.first, d.min(1), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(two.second, np.sort(d, axis=1)[:, 1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scale", [1e15, 1e-15, 1e30, 1e-30])
@each_function
def test_scale_does_not_matter_to_the_winner(function, scale):
    x, p = draw(10)
    if function is ALL["assignments"]:
        np.testing.assert_allclose(
            assignments(x * scale, p * scale, 0.7 * scale * scale), function(x, p), rtol=1e-9
        )
        return
    found, plain = function(x * scale, p * scale), function(x, p)
    if function is nearest:
        np.testing.assert_array_equal(found, plain)
    else:
        factor = np.array([1, scale, scale]) if found.shape[1] == 3 else scale
        np.testing.assert_allclose(found, plain * factor, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e18, 1e-18, 1e30, 1e-30])
def test_extreme_scales_in_float32(scale):
    x, p = draw(11)
    d = exact(x, p) * scale
    x, p = (x * scale).astype(np.float32), (p * scale).astype(np.float32)
    np.testing.assert_allclose(distances(x, p), d, rtol=1e-3)
    np.testing.assert_array_equal(nearest(x, p), d.argmin(1))


@each_function
@dtypes
@pytest.mark.parametrize("size", [1e-300, 1e-40])
def test_prototypes_that_nearly_coincide_give_no_nan(function, dtype, rtol, size):
    p = np.array([[0.0], [size]]).astype(dtype)
    x = np.array([[0.0], [1.0], [size]]).astype(dtype)
    assert not np.isnan(function(x, p)).any()
    assert not np.isnan(function(p, p)).any()


@each_function
def test_equal_prototypes(function):
    x, p = draw(12)
    found = function(x, np.repeat(p[:1], 3, axis=0))
    assert not np.isnan(found).any()
    if function is ALL["assignments"]:
        np.testing.assert_allclose(found, 1 / 3)
    if function is nearest:
        assert not found.any()  # the first of equals


def test_far_rows_still_have_a_nearest_prototype():
    p = np.array([[0.0, 0.0], [1.0, 0.0]])
    x = np.array([[1e9, 0.0], [-1e9, 0.0]])
    np.testing.assert_array_equal(nearest(x, p), [1, 0])
    np.testing.assert_allclose(assignments(x, p, 1.0), [[0, 1], [1, 0]], atol=1e-12)


@each_function
def test_unknown_devices_are_refused(function):
    x, p = draw(13)
    with pytest.raises(ValueError, match="'device' parameter"):
        nearest(x, p, "abacus")
    with pytest.raises(ValueError, match="'device' parameter"):
        distances(x, p, device="cuda:77")


@pytest.mark.parametrize("function", [nearest, distances])
@layouts
def test_rows_of_another_width_are_refused(function, layout):
    x, p = draw(14)
    with pytest.raises((RuntimeError, ValueError), match=r"size|shape|dimension|mismatch"):
        function(layout(x[:, :3]), p)


# --- clusters of several prototypes


def draw_groups(seed, m, k):
    rng = np.random.default_rng(seed)
    return rng.permutation(np.concatenate([np.arange(k), rng.integers(k, size=m - k)]))


@layouts
@dtypes
@pytest.mark.parametrize(("m", "k"), [(1, 1), (6, 6), (6, 1), (40, 7), (300, 3)])
def test_groups_are_the_brute_force(blocks, layout, dtype, rtol, m, k):
    x, p = draw(15, k=m, dtype=dtype)
    groups, d = draw_groups(15, m, k), exact(x, p)
    least = np.stack([d[:, groups == j].min(1) for j in range(k)], axis=1)
    np.testing.assert_allclose(distances(layout(x), p, groups=groups), least, rtol=rtol)
    q = soft_assignments(torch.from_numpy(d**2), 0.7).numpy()
    sums = np.stack([q[:, groups == j].sum(1) for j in range(k)], axis=1)
    found = assignments(layout(x), p, 0.7, groups=groups)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, sums, atol=5 * rtol)
    two = nearest_two(layout(x), p, groups=groups)
    assert two.labels.dtype == np.int32
    np.testing.assert_array_equal(two.labels, groups[d.argmin(1)])
    np.testing.assert_allclose(two.first, d.min(1), rtol=rtol)
    other = np.where(groups == groups[d.argmin(1)][:, None], np.inf, d).min(1)
    np.testing.assert_allclose(two.second, other, rtol=rtol)


@layouts
@dtypes
def test_a_group_each_is_exactly_no_groups(blocks, layout, dtype, rtol):
    x, p = draw(16, k=9, dtype=dtype)
    x, own = layout(x), np.arange(9)
    np.testing.assert_array_equal(distances(x, p, groups=own), distances(x, p))
    for found, expected in zip(nearest_two(x, p, groups=own), nearest_two(x, p), strict=True):
        np.testing.assert_array_equal(found, expected)
    for temperature in (0.0, 0.7):
        np.testing.assert_array_equal(
            assignments(x, p, temperature, groups=own), assignments(x, p, temperature)
        )


@checked
@given(st.integers(0, 9999), st.integers(1, 20), st.integers(1, 9), st.integers(0, 20))
def test_grouped_numbers_agree_with_each_other(seed, n, k, more):
    x, p = draw(seed, n=n, k=k + more)
    groups = draw_groups(seed, k + more, k)
    q = assignments(x, p, 0.7, groups=groups)
    np.testing.assert_allclose(q.sum(1), 1.0, rtol=1e-12)
    d, two = distances(x, p, groups=groups), nearest_two(x, p, groups=groups)
    np.testing.assert_allclose(d[np.arange(n), two.labels], d.min(1), rtol=1e-9)
    np.testing.assert_allclose(d.min(1), two.first, rtol=1e-9)
    np.testing.assert_array_equal(two.labels, groups[nearest(x, p)])
    if k > 1:
        np.testing.assert_allclose(np.sort(d, axis=1)[:, 1], two.second, rtol=1e-9)


def test_temperature_zero_names_the_cluster():
    x, p = draw(17)
    groups = draw_groups(17, 6, 2)
    q = assignments(x, p, 0.0, groups=groups)
    np.testing.assert_array_equal(q, np.eye(2)[groups[exact(x, p).argmin(1)]])


@pytest.mark.parametrize("groups", [[0, 1], [0, 1, 3, 3, 3, 3], [0.0] * 6])
@pytest.mark.parametrize(
    "function",
    [distances, nearest_two, lambda x, p, groups: assignments(x, p, 1.0, groups=groups)],
)
def test_groups_that_are_none_are_refused(function, groups):
    x, p = draw(18)
    with pytest.raises(ValueError, match="groups must be"):
        function(x, p, groups=np.array(groups))
