import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sklearn_ddcl.engine import fit_reduced
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._passes import hard_pass
from sklearn_ddcl.engine._search import critical, draw_sample, gram_of


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def draw(wrap, make_config):
    def go(x, weight=None, k=3, dtype=torch.float32, seed=0, **flow):
        rows = wrap(x, weight)
        return rows, draw_sample(rows, make_config(k, flow), generator(seed), dtype)

    return go


def wide_blobs(n=60, d=3000, seed=0, density=None):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, d))
    x = centres[np.arange(n) % 3] + 0.5 * rng.normal(size=(n, d))
    if density is not None:
        x[:, rng.random(d) > density] = 0.0
    return x


def test_few_rows_are_all_used_in_frame_coordinates(draw):
    x = np.random.default_rng(0).normal(size=(50, 4)) * 30 + 1e3
    rows, sample = draw(x)
    assert sample.chosen is None
    assert not sample.sketched
    assert sample.rows.frame.trivial
    assert sample.rows.data.dtype == torch.float32
    expected = (x - x.mean(0)) / rows.frame.unit
    np.testing.assert_allclose(sample.rows.data, expected, atol=1e-5)
    assert sample.rows.frame.inertia == pytest.approx((expected**2).sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("n", "size", "expected"), [(50, 20, 20), (50, 50, None), (50, 60, None), (50, 2, 3)]
)
def test_size_of_the_sample(draw, n, size, expected):
    _, sample = draw(np.random.default_rng(0).normal(size=(n, 2)), sample_size=size)
    if expected is None:
        assert sample.chosen is None
        return
    assert len(sample.chosen) == expected == sample.rows.n_rows
    assert (np.diff(sample.chosen) > 0).all()


def test_default_size_grows_with_the_clusters(draw):
    x = np.zeros((30_000, 1))
    assert draw(x, k=3)[1].rows.n_rows == 20_000
    assert draw(x, k=250)[1].rows.n_rows == 25_000
    assert draw(x, k=301)[1].rows.n_rows == 30_000


def test_size_is_bounded_by_memory(draw, make_config, wrap, monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.engine._search._MAX_ELEMENTS", 100)
    monkeypatch.setattr("sklearn_ddcl.engine._search._FEWEST", 7)
    assert draw(np.zeros((500, 10)), k=1)[1].rows.n_rows == 10
    assert draw(np.zeros((500, 90)), k=1)[1].rows.n_rows == 10
    assert draw(np.zeros((500, 2)), k=1)[1].rows.n_rows == 50


@pytest.mark.parametrize("size", [None, 10])
def test_rows_without_weight_are_left_out(draw, size):
    x = np.random.default_rng(1).normal(size=(60, 2))
    w = np.where(np.arange(60) % 3, 1.5, 0.0)
    _, sample = draw(x, w, sample_size=size)
    assert (w[sample.chosen] > 0).all()
    if size is None:
        assert len(sample.chosen) == 40
        assert (sample.rows.weight == 1.5).all()
    else:
        assert 5 <= len(sample.chosen) <= 10


@pytest.mark.parametrize("weighted", [False, True])
def test_a_sample_estimates_sums_without_bias(draw, weighted):
    """Weights make up for the odds: means over seeds are the sums over all rows."""
    x = np.random.default_rng(3).standard_t(2, size=(2000, 2))
    w = np.random.default_rng(4).random(2000) ** 3 if weighted else np.ones(2000)
    mass, inertia = [], []
    for seed in range(40):
        rows, sample = draw(x, w if weighted else None, sample_size=200, seed=seed)
        mass.append(sample.rows.frame.weight_sum)
        inertia.append(sample.rows.frame.inertia)
    assert np.mean(mass) == pytest.approx(w.sum(), rel=0.05)
    assert np.mean(inertia) == pytest.approx(rows.frame.inertia, rel=0.02)
    assert np.std(inertia) < 0.2 * np.mean(inertia)


def test_rows_that_decide_the_loss_are_in_every_sample(draw):
    x = np.random.default_rng(5).normal(size=(3000, 2))
    x[7] = 1e3
    w = np.ones(3000)
    w[11] = 1e5
    for seed in range(10):
        assert {7, 11} <= set(draw(x, w, sample_size=100, seed=seed)[1].chosen)


def test_draws_depend_on_the_seed_alone(draw):
    x = np.random.default_rng(2).normal(size=(200, 2))
    first, same, other = (draw(x, sample_size=50, seed=seed)[1].chosen for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("layout", ["dense", "sparse", "memmap", "read_only"])
def test_any_layout_gives_the_same_sample(draw, layout, tmp_path):
    x = np.random.default_rng(3).normal(size=(80, 5))
    w = np.arange(80.0)
    expected = draw(x, w, sample_size=30)[1]
    if layout == "sparse":
        data = sp.csr_array(x)
    elif layout == "memmap":
        x.tofile(tmp_path / "x")
        data = np.memmap(tmp_path / "x", float, "r", shape=x.shape)
    else:
        data = x.copy()
        data.flags.writeable = layout != "read_only"
    found = draw(data, w, sample_size=30)[1]
    torch.testing.assert_close(found.rows.data, expected.rows.data, atol=1e-6, rtol=0)
    assert torch.equal(found.rows.weight, expected.rows.weight)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("offset", [0.0, 20.0])
def test_sketch_preserves_distances(draw, sparse, offset):
    x = wide_blobs() + offset
    rows, sample = draw(sp.csr_array(x) if sparse else x)
    assert sample.sketched
    assert sample.rows.data.shape == (60, 512)
    y = torch.from_numpy((x - x.mean(0)) / rows.frame.unit)
    full, sketched = torch.pdist(y), torch.pdist(sample.rows.data.double())
    torch.testing.assert_close(sketched, full, rtol=1e-3, atol=0)  # rank 60 < 512: nothing lost
    size = float(sample.rows.data.norm(dim=1).mean())
    assert float(sample.rows.data.mean(0).norm()) < 1e-3 * size  # centred, as all samples


def test_sketch_of_more_rows_than_columns_keeps_the_structure(draw):
    x = wide_blobs(n=700)
    rows, sample = draw(x)
    y = torch.from_numpy((x - x.mean(0)) / rows.frame.unit)
    centres = torch.stack([y[j::3].mean(0) for j in range(3)])
    image = torch.stack([sample.rows.data[j::3].double().mean(0) for j in range(3)])
    torch.testing.assert_close(torch.pdist(image), torch.pdist(centres), rtol=0.02, atol=0)
    assert (torch.pdist(sample.rows.data.double()) <= torch.pdist(y) * (1 + 1e-4)).all()


def test_no_sketch_without_a_hard_finish(draw):
    assert not draw(wide_blobs(), hard_finish=False)[1].sketched


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [None, 30])
def test_lift_gives_class_means_in_the_full_space(draw, weighted, size):
    x = wide_blobs()
    w = np.random.default_rng(4).random(60) + 0.1 if weighted else None
    rows, sample = draw(x, w, sample_size=size)
    p = sample.rows.data[:3].double()
    labels = hard_pass(sample.rows, p).labels.numpy()
    chosen = np.arange(60) if sample.chosen is None else sample.chosen
    y = ((x - rows.frame.origin.numpy()) / rows.frame.unit)[chosen]
    weight = np.ones(60) if sample.rows.weight is None else sample.rows.weight.double().numpy()
    means = [np.average(y[labels == j], axis=0, weights=weight[labels == j]) for j in range(3)]
    np.testing.assert_allclose(sample.lift(p, rows), means, atol=1e-6)


def test_lift_without_a_sketch_changes_nothing(draw):
    rows, sample = draw(np.random.default_rng(5).normal(size=(20, 3)))
    p = sample.rows.data[:3]
    assert torch.equal(sample.lift(p, rows), p.double())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_sparse_rows_from_end_to_end(make_config, oracle, dtype):
    x = sp.csr_array(wide_blobs(density=0.05).astype(dtype))
    result = fit_reduced(x, None, make_config(3))
    dense = x.toarray()
    truth = np.stack([dense[j::3].mean(0) for j in range(3)])
    assert result.prototypes.shape == truth.shape
    assert result.prototypes.dtype == dtype
    assert result.inertia == pytest.approx(oracle(dense, truth).inertia, rel=1e-5)
    assert len({tuple(result.labels[j::3]) for j in range(3)}) == 3


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(40, 6), (6, 40)], ids=["tall", "wide"])
def test_gram_of_both_sides_is_the_gram_matrix(wrap, shape, weighted):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=shape), rng.random(shape[0]) if weighted else None
    wrapped = wrap(x, w)
    gram = gram_of(
        Rows(torch.from_numpy(x), wrapped.weight, wrapped.device, wrapped.frame), generator()
    )
    share = np.full(shape[0], 1 / shape[0]) if w is None else w / w.sum()
    matrix = x.T @ (share[:, None] * x)
    g = rng.normal(size=(3, shape[1]))
    np.testing.assert_allclose(gram.product(torch.from_numpy(g)), g @ matrix, atol=1e-10)
    assert gram.largest == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_critical_is_twice_the_leading_eigenvalue(draw, weighted):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(80, 4)) * [1, 2, 3, 4] + 9
    w = rng.random(80) if weighted else None
    rows, sample = draw(x, w)
    covariance = np.cov(x.T, aweights=w, ddof=0)
    expected = 2 * np.linalg.eigvalsh(covariance)[-1] / rows.frame.unit**2
    assert critical(sample.rows, generator()) == pytest.approx(expected, rel=1e-4)


def test_constant_rows_have_no_critical_temperature(draw):
    _, sample = draw(np.full((10, 3), 7.0))
    assert critical(sample.rows, generator()) == 0.0


def test_a_sample_of_one_row_has_no_critical_temperature(draw):
    _, sample = draw(np.random.default_rng(8).normal(size=(5, 3)), k=1, sample_size=1)
    assert sample.rows.n_rows == 1
    assert critical(sample.rows, generator()) == 0.0


def test_rows_of_no_weight_at_all_are_refused(draw):
    with pytest.raises((ValueError, ZeroDivisionError)):
        draw(np.eye(3), np.zeros(3))
