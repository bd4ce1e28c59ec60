import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.cluster import KMeans

from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._finish import hard_finish, revive
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._passes import hard_pass

layouts = pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])


@pytest.fixture
def finish(wrap, make_problem):
    """Finish from prototypes in units of the data."""

    def go(x, p, weight=None, **changes):
        rows = wrap(x, weight)
        dense = Rows(torch.from_numpy(np.eye(2)), None, rows.device)
        problem = make_problem(dense, len(p), **changes)
        problem = problem._replace(area=rows.frame.unit**2, critical=1.0)
        history = History()
        start = rows.frame.from_data(torch.from_numpy(np.asarray(p, float)))
        found = hard_finish(rows, start, problem, history)
        return rows.frame.to_data(found.p).numpy(), found, history.records

    return go


@layouts
@pytest.mark.parametrize("weighted", [False, True])
def test_ends_where_lloyd_of_scikit_learn_ends(finish, blobs, layout, weighted):
    x = blobs(0)
    w = np.random.default_rng(0).random(300) if weighted else None
    reference = KMeans(5, init=x[:5], n_init=1, tol=0.0, algorithm="lloyd").fit(x, sample_weight=w)
    p, found, records = finish(layout(x), x[:5], w, tol=0.0)
    np.testing.assert_allclose(p, reference.cluster_centers_, atol=1e-8)
    assert found.converged
    assert found.passes == len(records)
    total = 300 if w is None else w.sum()
    assert records[-1]["loss_quantization"] == pytest.approx(reference.inertia_ / total)


def test_losses_fall_and_records_are_those_of_hard_assignments(finish, blobs):
    _, _, records = finish(blobs(1), blobs(1)[:5], tol=0.0)
    losses = [record["loss_quantization"] for record in records]
    assert all(np.diff(losses) <= 1e-12)
    for record in records:
        assert record["phase"] == "finish"
        assert record["variance"] == record["force"] == record["temperature"] == 0.0
        assert record["concentration"] == 1.0
        assert record["loss_ols"] == record["loss_quantization"]


@pytest.mark.parametrize("max_iter", [1, 2])
def test_passes_are_bounded(finish, blobs, max_iter):
    x = blobs(2, n=500, k=20, spread=1.0)
    _, found, records = finish(x, x[:20], max_iter=max_iter, tol=0.0)
    assert found.passes == len(records) == max_iter
    assert not found.converged


@layouts
@pytest.mark.parametrize("empty", [1, 2])
def test_prototypes_without_rows_come_back(finish, layout, empty):
    x = np.concatenate([np.random.default_rng(3).normal(size=(20, 2)) + c for c in (0, 20, 40)])
    start = np.full((3, 2), 1e3)
    start[: 3 - empty] = x[[0, 20][: 3 - empty]]
    p, found, records = finish(layout(x), start)
    assert records[0]["n_active"] == 3 - empty
    assert records[-1]["n_active"] == 3
    np.testing.assert_allclose(sorted(p[:, 0]), [x[i : i + 20, 0].mean() for i in (0, 20, 40)])
    assert found.converged


@layouts
def test_revival_takes_the_farthest_rows_that_count(wrap, layout):
    x = np.array([[0.0], [1.0], [1.5], [9.0], [-20.0]])
    rows = wrap(layout(x), [1.0, 1.0, 1.0, 1.0, 0.0])
    p = rows.frame.from_data(torch.tensor([[0.5], [100.0], [200.0]]).double())
    moved, any_moved = revive(rows, p, hard_pass(rows, p))
    assert any_moved
    assert sorted(rows.frame.to_data(moved).ravel().tolist()) == pytest.approx([0.5, 1.5, 9.0])


def test_revival_across_blocks(wrap, monkeypatch):
    monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 2)
    x = np.random.default_rng(4).normal(size=(31, 3))
    rows = wrap(x)
    p = rows.frame.from_data(torch.cat([torch.zeros(1, 3), torch.full((4, 3), 99.0)]).double())
    moved, _ = revive(rows, p, hard_pass(rows, p))
    farthest = x[np.argsort(-(x**2).sum(1))[:4]]
    np.testing.assert_allclose(
        np.sort(rows.frame.to_data(moved[1:]).numpy(), 0), np.sort(farthest, 0), atol=1e-12
    )


def test_nothing_moves_while_all_have_rows(wrap, blobs):
    rows = wrap(blobs(5))
    p = rows.frame.from_data(torch.from_numpy(blobs(5)[:5]))
    moved, any_moved = revive(rows, p, hard_pass(rows, p))
    assert moved is p
    assert not any_moved


@layouts
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 0.3, 1e3, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
def test_fewer_distinct_rows_than_prototypes_end_soon(finish, layout, dtype, offset, weighted):
    base = np.random.default_rng(6).normal(size=(3, 4)) + offset
    x = np.repeat(base, 7, axis=0).astype(dtype)
    w = np.random.default_rng(6).random(21) + 0.1 if weighted else None
    p, found, records = finish(layout(x), np.repeat(x[:1], 5, axis=0), w)
    assert found.converged
    assert found.passes < 20
    assert records[-1]["n_active"] >= 3
    assert np.isfinite(p).all()


def test_constant_rows_end_at_once(finish):
    p, found, _ = finish(np.full((6, 2), 3.0), np.full((4, 2), 3.0))
    assert found.converged
    assert found.passes <= 3
    np.testing.assert_array_equal(p, 3.0)


def test_a_bias_is_kept_out_of_the_recorded_loss(wrap, make_problem, oracle, blobs):
    x = blobs(7)
    rows = wrap(x)
    p = rows.frame.from_data(torch.from_numpy(x[:2]))
    problem = make_problem(Rows(rows.frame.from_data(torch.from_numpy(x)), None, p.device), 2)
    history, bias = History(), torch.tensor([0.3, -0.3]).double()
    hard_finish(rows, p, problem._replace(area=rows.frame.unit**2), history, bias)
    d = oracle(x, x[:2]).d
    chosen = (d + bias.numpy() * rows.frame.unit**2).argmin(1)
    expected = d[np.arange(300), chosen].mean()
    assert (chosen != d.argmin(1)).any()
    assert history.records[0]["loss_quantization"] == pytest.approx(expected)


@pytest.mark.parametrize("value", [1e30, 1e-30])
def test_extreme_scales_end_finite(finish, blobs, value):
    x = blobs(11) * value
    p, found, records = finish(x, x[:5])
    assert np.isfinite(p).all()
    assert found.converged
    assert all(np.isfinite(r["loss_quantization"]) for r in records)
