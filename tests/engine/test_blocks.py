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
