import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sklearn_ddcl.engine._blocks import DenseBlock, SparseBlock, block_moments
from sklearn_ddcl.engine._frame import Frame

CPU = torch.device("cpu")
FRAME = Frame(torch.tensor([0.5, -1.0, 0.0, 2.0], dtype=torch.float64), 0.25, 0.0, 0.0)


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    x[rng.random(x.shape) < 0.5] = 0
    return x


@pytest.fixture(params=["dense", "sparse"])
def block(request, x):
    weight = torch.linspace(0.5, 2, 40, dtype=torch.float64)
    if request.param == "dense":
        return DenseBlock(torch.from_numpy(x), weight)
    return SparseBlock(sp.csr_array(x), CPU, weight)


def test_products_equal_numpy(block, x):
    rng = np.random.default_rng(1)
    slope, constant, q = rng.normal(size=(3, 4)), rng.normal(size=3), rng.random((40, 3))
    found = block.affine(torch.from_numpy(slope), torch.from_numpy(constant))
    np.testing.assert_allclose(found, x @ slope.T + constant, atol=1e-12)
    assert found.T.is_contiguous()
    np.testing.assert_allclose(block.soft_sums(torch.from_numpy(q)), q.T @ x, atol=1e-12)
    labels = torch.arange(40) % 3
    for weight in (None, block.weight):
        w = np.ones(40) if weight is None else weight.numpy()
        expected = [(x * w[:, None])[labels == j].sum(0) for j in range(4)]
        np.testing.assert_allclose(block.hard_sums(labels, 4, weight), expected, atol=1e-12)


def test_rows_and_norms(block, x):
    y = (x - FRAME.origin.numpy()) / FRAME.unit
    assert len(block) == 40
    np.testing.assert_array_equal(block.dense(), x)
    np.testing.assert_array_equal(block.pick(torch.tensor([3, 1])), x[[3, 1]])
    np.testing.assert_allclose(block.square_norms(FRAME), (y**2).sum(1), rtol=1e-12)


def test_small_gaps_keep_their_digits(block, x):
    y = (x - FRAME.origin.numpy()) / FRAME.unit
    p = torch.from_numpy(y + 1e-9)
    labels = torch.arange(40)
    scores = (p.square().sum(1) - 2 * (torch.from_numpy(y) * p).sum(1)).double()
    gaps = block.gaps(FRAME, p, labels, scores)
    np.testing.assert_allclose(gaps, ((y - p.numpy()) ** 2).sum(1), rtol=1e-5)


def test_moments_equal_numpy(block, x):
    w = block.weight.numpy()
    mean, total, mass = block_moments(block, torch.float64)
    expected = np.average(x, axis=0, weights=w)
    np.testing.assert_allclose(mean, expected, atol=1e-12)
    assert total == pytest.approx(w @ ((x - expected) ** 2).sum(1))
    assert mass == pytest.approx(w.sum())


def test_moments_of_rows_without_weight_are_finite(x):
    for block in (
        DenseBlock(torch.from_numpy(x), torch.zeros(40, dtype=torch.float64)),
        SparseBlock(sp.csr_array(x), CPU, torch.zeros(40, dtype=torch.float64)),
    ):
        mean, total, mass = block_moments(block, torch.float64)
        assert mass == 0
        assert np.isfinite(total)
        assert torch.isfinite(mean).all()


both = pytest.mark.parametrize(
    "make",
    [
        lambda x, w=None: DenseBlock(torch.from_numpy(x), w),
        lambda x, w=None: SparseBlock(sp.csr_array(x), CPU, w),
    ],
    ids=["dense", "sparse"],
)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [3, 40])
def test_dense_and_sparse_blocks_agree_with_numpy(k, dtype, weighted):
    rng = np.random.default_rng(11)
    x = rng.normal(size=(30, 7)).astype(dtype)
    x[rng.random(x.shape) < 0.7] = 0.0
    slope, constant, q = (rng.normal(size=s).astype(dtype) for s in ((k, 7), (k,), (30, k)))
    labels = rng.integers(k, size=30)
    w = rng.random(30).astype(dtype) if weighted else None
    tw = None if w is None else torch.from_numpy(w)
    frame = Frame(torch.from_numpy(rng.normal(size=7)), 0.5, 0.0, 1.0)
    p = torch.from_numpy(rng.normal(size=(k, 7)))
    y = (x - frame.origin.numpy()) / 0.5
    gaps = ((y - p.numpy()[labels]) ** 2).sum(1)
    one_hot = np.eye(k)[labels] * (1.0 if w is None else w[:, None])
    scores = torch.from_numpy(gaps - (y**2).sum(1))
    close = {"rtol": 1e-4 if dtype == np.float32 else 1e-10, "atol": 1e-5}
    for block in (DenseBlock(torch.from_numpy(x), tw), SparseBlock(sp.csr_array(x), CPU, tw)):
        affine = block.affine(torch.from_numpy(slope), torch.from_numpy(constant))
        assert affine.dtype == torch.from_numpy(x).dtype
        np.testing.assert_allclose(affine, x @ slope.T + constant, **close)
        np.testing.assert_allclose(block.soft_sums(torch.from_numpy(q)), q.T @ x, **close)
        sums = block.hard_sums(torch.from_numpy(labels), k, tw)
        np.testing.assert_allclose(sums, one_hot.T @ x, **close)
        np.testing.assert_array_equal(block.pick(torch.tensor([4, 0])), x[[4, 0]])
        np.testing.assert_allclose(block.square_norms(frame), (y**2).sum(1), rtol=1e-6)
        found = block.gaps(frame, p, torch.from_numpy(labels), scores)
        np.testing.assert_allclose(found, gaps, rtol=1e-6, atol=1e-9)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments(make, dtype, weighted):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(20, 3)) + 5).astype(dtype)
    w = rng.random(20).astype(dtype) if weighted else np.ones(20, dtype)
    mean, total, mass = block_moments(
        make(x, torch.from_numpy(w) if weighted else None), torch.float64
    )
    expected = np.average(x.astype(float), axis=0, weights=w)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    assert total == pytest.approx(w @ ((x - expected) ** 2).sum(1), rel=1e-5)
    assert mass == pytest.approx(w.sum(dtype=float))


@both
def test_moments_of_rows_without_weight_are_nothing(make):
    mean, total, mass = block_moments(
        make(np.full((3, 2), 9.0), torch.zeros(3).double()), torch.float64
    )
    assert (mean.tolist(), total, mass) == ([0.0, 0.0], 0.0, 0.0)


@both
def test_moments_that_overflow_are_infinite_without_a_warning(make):
    _, total, _ = block_moments(make(np.array([[1e200], [-1e200]])), torch.float64)
    assert not total < np.inf


@both
def test_gaps_of_rows_on_their_prototypes_are_exactly_zero(make):
    x = np.random.default_rng(1).normal(size=(6, 4))
    frame = Frame(torch.from_numpy(x.mean(0)), 0.5, 0.0, 1.0)
    p = frame.from_data(torch.from_numpy(x))
    scores = -p.square().sum(1) + 1e-15  # as rounding leaves them
    gaps = make(x).gaps(frame, p, torch.arange(6), scores)
    np.testing.assert_array_equal(gaps, 0.0)


@both
def test_gaps_are_never_negative(make):
    x = np.random.default_rng(2).normal(size=(6, 4))
    frame = Frame(torch.zeros(4).double(), 1.0, 0.0, 1.0)
    scores = torch.full((6,), -1e9).double()
    assert (make(x).gaps(frame, torch.zeros(6, 4).double(), torch.arange(6), scores) >= 0).all()


@both
def test_groups_without_rows_sum_to_zero(make):
    sums = make(np.ones((3, 2))).hard_sums(torch.tensor([2, 2, 0]), 4, None)
    assert sums.tolist() == [[1.0, 1.0], [0.0, 0.0], [2.0, 2.0], [0.0, 0.0]]


@both
@pytest.mark.parametrize("label", [2, -1])
def test_labels_beyond_the_groups_are_refused(make, label):
    with pytest.raises((RuntimeError, IndexError, ValueError)):
        make(np.ones((2, 2))).hard_sums(torch.tensor([0, label]), 2, None)


@both
def test_rows_are_counted_and_picked(make):
    x = np.arange(8.0).reshape(4, 2)
    block = make(x)
    assert len(block) == 4
    assert block.pick(torch.tensor([3, 0, 3])).tolist() == x[[3, 0, 3]].tolist()
    assert block.pick(torch.tensor([], dtype=torch.int64)).shape == (0, 2)
