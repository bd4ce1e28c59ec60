import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine import _data
from sklearn_ddcl.engine._data import Rows, wrap_rows
from sklearn_ddcl.engine._frame import Frame

CPU = torch.device("cpu")
checked = settings(deadline=None, max_examples=25)


def moments(x, weight=None):
    """Weighted mean and squared deviation, in extended precision."""
    x = np.asarray(x, np.longdouble)
    w = np.ones(len(x), np.longdouble) if weight is None else np.asarray(weight, np.longdouble)
    mean = w @ x / w.sum()
    return mean, w @ ((x - mean) ** 2).sum(1), w.sum()


def assert_frame(rows, x, weight=None, rtol=1e-10):
    mean, total, mass = moments(x, weight)
    frame = rows.frame
    size = float(np.abs(mean).max() + np.sqrt(total / mass))
    np.testing.assert_allclose(frame.origin.numpy(), mean.astype(float), rtol=0, atol=rtol * size)
    assert frame.weight_sum == pytest.approx(float(mass), rel=1e-6)
    assert frame.inertia * frame.unit**2 == pytest.approx(float(total), rel=1e-6)
    assert np.log2(frame.unit) == round(np.log2(frame.unit))
    assert 0.5 <= np.sqrt(float(total / mass)) / frame.unit <= 2.0


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of three rows, so that a few rows are many blocks."""
    monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 3)


def random_rows(seed, n=50, d=4, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_frame_of_dense_rows(wrap, dtype, offset):
    x = (random_rows(0) + offset).astype(dtype)
    assert_frame(wrap(x), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_frame_at_extreme_scales(wrap, dtype, scale):
    x = (random_rows(1) * scale).astype(dtype)
    assert_frame(wrap(x), x)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(4, 40), d=st.integers(1, 6))
def test_frame_with_weights(wrap, seed, n, d):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-5, 5), rng.random(n)
    w[rng.integers(n)] = 0.0
    assert_frame(wrap(x, w), x, w)


def test_frame_does_not_depend_on_blocks(wrap, small_blocks):
    x, w = random_rows(2) + 100, np.r_[np.zeros(7), np.arange(43.0)]
    assert_frame(wrap(x, w), x, w)
    assert_frame(wrap(x), x)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frame_of_sparse_rows_is_that_of_dense_rows(wrap, small_blocks, dtype, weighted):
    x = sp.random_array((40, 9), density=0.2, rng=np.random.default_rng(3), dtype=dtype)
    w = np.arange(40.0) if weighted else None
    assert_frame(wrap(sp.csr_array(x), w), x.toarray(), w)


def test_frame_of_repeated_rows_is_that_of_weights(wrap):
    x, w = random_rows(4), np.random.default_rng(4).integers(0, 4, 50)
    repeated, weighted = wrap(np.repeat(x, w, axis=0)).frame, wrap(x, w).frame
    torch.testing.assert_close(repeated.origin, weighted.origin, rtol=1e-12, atol=1e-12)
    assert repeated.inertia == pytest.approx(weighted.inertia, rel=1e-12)


@pytest.mark.parametrize("value", [0.0, 3.0, 1e30, -1e-30])
@pytest.mark.parametrize("weight", [None, [0.1, 0.2, 0.3, 0.5, 0.7]])
def test_frame_of_constant_rows(wrap, value, weight):
    frame = wrap(np.full((5, 2), value), weight).frame
    assert frame.unit == 1.0
    assert frame.inertia == 0.0
    np.testing.assert_allclose(frame.origin.numpy(), value)


def test_frame_of_one_row(wrap):
    frame = wrap(np.array([[1.0, -2.0]])).frame
    assert (frame.inertia, frame.weight_sum) == (0.0, 1.0)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


@pytest.mark.parametrize(
    "view",
    [
        read_only,
        np.asfortranarray,
        lambda x: np.asfortranarray(np.hstack([x, x]))[:, 1:5],
        lambda x: np.repeat(x, 2, axis=0)[::2],
    ],
    ids=["read_only", "fortran", "fortran_slice", "strided"],
)
def test_any_layout_of_memory(wrap, view):
    x = view(random_rows(7))
    rows = wrap(x)
    assert_frame(rows, x)
    dense = torch.cat([block.dense() for _, block in rows.blocks(3)])
    np.testing.assert_array_equal(dense.numpy(), x)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_memmaps(wrap, tmp_path, mode, small_blocks):
    x = random_rows(8, dtype=np.float32)
    x.tofile(tmp_path / "x.bin")
    mapped = np.memmap(tmp_path / "x.bin", np.float32, mode, shape=x.shape)
    rows = wrap(mapped)
    assert_frame(rows, x)
    assert isinstance(rows.data, np.memmap)  # not read into memory at once
    np.testing.assert_array_equal(torch.cat([b.dense() for _, b in rows.blocks(2)]).numpy(), x)


def test_writable_rows_are_shared_not_copied(wrap):
    x = random_rows(9)
    assert wrap(x).data.data_ptr() == x.ctypes.data


@checked
@given(n=st.integers(1, 700), d=st.integers(1, 5000), k=st.integers(1, 3000))
def test_blocks_cover_all_rows_once(n, d, k):
    data = np.broadcast_to(np.zeros(1, np.float32), (n, d))
    frame = Frame(torch.zeros(1, dtype=torch.float64), 1.0, 0.0, 1.0)
    rows = Rows(data, None, CPU, frame)
    step = rows.block_rows(k)
    assert step >= 1
    covered = [range(n)[s] for s in (slice(a, min(a + step, n)) for a in range(0, n, step))]
    assert [row for part in covered for row in part] == list(range(n))


@pytest.mark.parametrize("sparse", [False, True])
def test_blocks_carry_their_rows_and_weights(wrap, small_blocks, sparse):
    x, w = random_rows(10, n=10), np.arange(10.0)
    seen = []
    for part, block in wrap(sp.csr_array(x) if sparse else x, w).blocks(4):
        np.testing.assert_array_equal(block.dense().numpy(), x[part])
        np.testing.assert_array_equal(block.weight.numpy(), w[part])
        assert len(block) == part.stop - part.start
        seen += range(part.start, part.stop)
    assert seen == list(range(10))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_input_is_never_written_to(wrap, kind):
    x, w = random_rows(12), np.arange(50.0)
    before = x.copy()
    data = sp.csr_array(x) if kind == "sparse" else x
    rows = wrap(data, w)
    slope, constant = torch.ones(2, 4, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    for _, block in rows.blocks(2):
        block.affine(slope, constant)
        block.hard_sums(torch.zeros(len(block), dtype=torch.int64), 1, block.weight)
        block.square_norms(rows.frame)
    np.testing.assert_array_equal(data.toarray() if kind == "sparse" else data, before)
    np.testing.assert_array_equal(w, np.arange(50.0))
    assert rows.weight.data_ptr() != w.ctypes.data


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, 1e37), (np.float64, 1e170), (np.float64, 1e300)]
)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_values_too_large_for_sums_are_refused_by_name(wrap, dtype, size, constant, sparse):
    x = np.full((6, 2), size, dtype)
    x[::2] *= 1.0 if constant else -1.0
    with pytest.raises(ValueError, match=r"^X has values .*too large for float(32|64) sums"):
        wrap(sp.csr_array(x) if sparse else x)


def test_subnormal_rows_get_a_unit_that_does_not_overflow(wrap):
    x = (random_rows(13) * 1e-40).astype(np.float32)
    frame = wrap(x).frame
    assert np.isfinite(1 / np.float32(frame.unit))
    assert np.isfinite(frame.inertia)


@pytest.mark.parametrize("d", [1, 64, 10_000_000])
@pytest.mark.parametrize("k", [1, 100, 10_000_000])
def test_blocks_stay_within_bounds(d, k):
    frame = Frame(torch.zeros(1, dtype=torch.float64), 1.0, 0.0, 1.0)
    rows = Rows(np.broadcast_to(np.zeros(1), (10, d)), None, CPU, frame)
    assert 1 <= rows.block_rows(k) <= _data._MOST_ROWS


def test_integer_weights_become_the_type_of_the_data():
    rows = wrap_rows(random_rows(14, dtype=np.float32), np.arange(50), CPU)
    assert rows.weight.dtype == torch.float32


@pytest.mark.parametrize("n", [2, 9, 23])
def test_equal_rows_are_the_origin_however_large(n):
    X = np.full((n, 2), 8.67888943e59)
    X[0] = 3.0
    rows = wrap_rows(X, np.r_[0.0, np.full(n - 1, 0.1)], torch.device("cpu"))
    assert rows.frame.inertia == 0.0
    np.testing.assert_array_equal(rows.frame.origin, X[1])
