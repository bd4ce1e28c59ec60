import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._lloyd import Descent, quick_descent
from sklearn_ddcl.engine._relocation import candidate_moves, relocate, split_gains
from sklearn_ddcl.engine._search import draw_sample

checked = settings(deadline=None, max_examples=25)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def in_memory(wrap, make_config):
    """Rows as the search has them: centred and in memory."""

    def make(x, weight=None, dtype=torch.float64):
        return draw_sample(wrap(x, weight), make_config(2), generator(), dtype).rows

    return make


def descended(rows, p, passes=300):
    return quick_descent(rows, p.to(torch.float64), 1e-4, passes)


def three_blobs(seed=0, n=40, spread=0.1):
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    return np.concatenate([c + spread * rng.normal(size=(n, 2)) for c in centres])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_finds_the_optimum_where_lloyd_is_stuck(in_memory, dtype, weighted, seed):
    x = three_blobs(seed)
    w = np.random.default_rng(seed).random(120) + 0.1 if weighted else None
    rows = in_memory(x, w, dtype)
    # two seeds in the first blob, one between the others
    seeds = torch.stack([rows.data[0], rows.data[1], rows.data[40:].mean(0)])
    stuck = descended(rows, seeds)
    best = relocate(rows, stuck, generator(), 12, 300)
    y, weight = rows.data.double(), torch.ones(120).double() if w is None else torch.from_numpy(w)
    optimum = 0.0
    for part in torch.arange(120).split(40):
        mean = (weight[part, None] * y[part]).sum(0) / weight[part].sum()
        optimum += float(weight[part] @ (y[part] - mean).square().sum(1))
    assert stuck.inertia > 10 * optimum
    assert best.inertia == pytest.approx(optimum, rel=1e-3)
    assert best.passes > stuck.passes


@checked
@given(seed=st.integers(0, 10_000), k=st.integers(1, 9), patience=st.integers(0, 6))
def test_inertia_never_rises_and_is_that_of_the_prototypes(
    in_memory, oracle, blobs, seed, k, patience
):
    rows = in_memory(blobs(seed, n=60, k=6))
    start = descended(rows, rows.data[:k])
    best = relocate(rows, start, generator(seed), patience, 100)
    assert best.inertia <= start.inertia
    assert best.inertia == pytest.approx(oracle(rows.data, best.p).inertia, rel=1e-8)
    assert best.p.shape == start.p.shape
    if patience == 0 or k == 1:
        assert best == start


def test_start_is_not_changed(in_memory, blobs):
    rows = in_memory(blobs(1))
    start = descended(rows, rows.data[:6])
    before = start.p.clone()
    relocate(rows, start, generator(), 12, 300)
    assert torch.equal(start.p, before)


def test_passes_are_bounded_but_for_the_last_descent(in_memory, blobs):
    rows = in_memory(blobs(2, n=400, k=12, spread=1.0))
    start = descended(rows, rows.data[:12])
    assert relocate(rows, start, generator(), 12, start.passes).passes == start.passes
    assert relocate(rows, start, generator(), 12, start.passes + 5).passes < start.passes + 105


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_duplicates_end_without_endless_search(in_memory, distinct):
    x = np.repeat(np.random.default_rng(3).normal(size=(distinct, 4)), 30, axis=0)
    rows = in_memory(x)
    p = rows.data[torch.tensor([0, 1, 2, -1])]
    best = relocate(rows, descended(rows, p), generator(), 12, 300)
    assert best.passes < 100
    assert torch.isfinite(best.p).all()
    assert best.inertia < 1e-10 + (distinct > 4)


@checked
@given(seed=st.integers(0, 10_000), k=st.integers(2, 8), together=st.integers(1, 4))
def test_candidate_moves_are_disjoint_and_in_order_of_worth(seed, k, together):
    rng = generator(seed)
    gain, utility = torch.rand(k, generator=rng), torch.rand(k, generator=rng)
    worth = {(i, j): float(gain[i] - utility[j]) for i, j in itertools.permutations(range(k), 2)}
    sets = list(candidate_moves(gain, utility, together))
    joint = [moves for moves in sets if len(moves) > 1]
    single = [moves[0] for moves in sets if len(moves) == 1]
    assert sets == joint + [[pair] for pair in single]  # several at once come first
    sizes = [len(moves) for moves in joint]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= together for size in sizes)
    for moves in joint:
        touched = [index for pair in moves for index in pair]
        assert len(touched) == len(set(touched))
        assert all(worth[pair] > 0 for pair in moves)
        assert moves[0] == max(worth, key=worth.get)
    assert sorted(single) == sorted(worth)
    values = [worth[pair] for pair in single]
    assert values == pytest.approx(sorted(values, reverse=True))


def test_one_prototype_has_no_move():
    assert list(candidate_moves(torch.ones(1), torch.ones(1), 3)) == []


def best_two_means(y, w, centre):
    """Largest fall of the inertia about ``centre`` over all cuts of a 1-D set."""
    order = np.argsort(y)
    y, w = y[order], w[order]

    def fall(part):
        mean = (w[part] @ y[part]) / w[part].sum()
        return w[part].sum() * (mean - centre) ** 2

    cuts = range(1, len(y))
    return max([fall(slice(None))] + [fall(slice(c)) + fall(slice(c, None)) for c in cuts])


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(6, 40), weighted=st.booleans())
def test_gains_lie_between_nothing_and_the_best_cut(in_memory, seed, n, weighted):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(size=(n, 1)) + 6 * rng.integers(3, size=(n, 1)), axis=0)
    w = rng.random(n) + 0.05 if weighted else np.ones(n)
    rows = in_memory(x, w if weighted else None)
    labels = torch.arange(n) % 2
    y = rows.data[:, 0].double().numpy()
    p = np.array([np.average(y[j::2], weights=w[j::2]) for j in (0, 1)])
    splits = split_gains(rows, torch.from_numpy(p)[:, None], labels, generator(seed))
    for j in (0, 1):
        best = best_two_means(y[j::2], w[j::2], p[j])
        assert 0 < splits.gain[j] <= best * (1 + 1e-9)


def test_gain_is_the_fall_of_the_inertia_about_any_centre(in_memory, blobs):
    """Also about prototypes that are not the means of their rows."""
    rows = in_memory(blobs(4, n=100))
    p = rows.data[:4].double()
    labels = (rows.data[:, None] - p[None]).square().sum(2).argmin(1)
    splits = split_gains(rows, p, labels, generator())
    for j in range(4):
        own = rows.data[labels == j]
        left, right = ((own - side[j]).square().sum(1) for side in (splits.left, splits.right))
        before = (own - p[j]).square().sum()
        assert splits.gain[j] <= before - torch.minimum(left, right).sum() + 1e-9
        assert splits.gain[j] > 0


@pytest.mark.parametrize("weighted", [False, True])
def test_two_points_are_split_exactly(in_memory, weighted):
    w = np.array([3.0, 1.0]) if weighted else None
    rows = in_memory(np.array([[0.0, 0.0], [3.0, 4.0]]), w)
    mean = torch.zeros(1, 2, dtype=torch.float64)
    splits = split_gains(rows, mean, torch.zeros(2, dtype=torch.int64), generator())
    ends = sorted(torch.cat([splits.left, splits.right]).tolist())
    np.testing.assert_allclose(ends, sorted(rows.data.tolist()), atol=1e-12)
    assert splits.gain[0] == pytest.approx(rows.frame.inertia)


def test_the_second_cut_lies_between_the_halves_of_the_first(in_memory):
    """At the mean, 3 falls to the side of 10; midway between the halves, to that of 0."""
    rows = in_memory(np.repeat([0.0, 3.0, 10.0], [20, 5, 5])[:, None])
    y, labels = rows.data[:, 0].numpy(), torch.zeros(30, dtype=torch.int64)
    splits = split_gains(rows, torch.zeros(1, 1).double(), labels, generator())
    assert splits.gain[0] == pytest.approx(best_two_means(y, np.ones(30), 0.0))


def test_sets_without_rows_or_spread_gain_nothing(in_memory):
    x = np.array([[0.0, 0.0]] * 3 + [[1.0, 1.0], [2.0, 2.0]])
    rows = in_memory(x)
    p = torch.stack([rows.data[0], rows.data[3:].mean(0), rows.data[0] + 9]).double()
    splits = split_gains(rows, p, torch.tensor([0, 0, 0, 1, 1]), generator())
    assert all(torch.isfinite(value).all() for value in splits)
    np.testing.assert_allclose(splits.gain[[0, 2]], 0.0, atol=1e-20)
    assert splits.gain[1] == pytest.approx(float((rows.data[3] - rows.data[4]).norm() ** 2 / 2))


def test_rows_of_no_weight_do_not_pull_a_split(wrap, blobs):
    x = np.array([[0.0], [1.0], [100.0], [-100.0]])
    rows = wrap(x, [1.0, 1.0, 0.0, 0.0])
    frame = rows.frame._replace(origin=torch.zeros(1).double(), unit=1.0, trivial=True)
    rows = rows.__class__(torch.from_numpy(x), rows.weight, rows.device, frame)
    p, labels = torch.tensor([[0.5]]).double(), torch.zeros(4, dtype=torch.int64)
    assert split_gains(rows, p, labels, generator()).gain[0] <= 0.5 + 1e-12


@pytest.mark.parametrize("inertia", [float("nan"), -1e-17, 0.0])
def test_a_start_of_no_worth_ends_at_once(in_memory, blobs, inertia):
    rows = in_memory(blobs(5))
    start = Descent(rows.data[:3].double(), inertia, 1)
    assert relocate(rows, start, generator(), 12, 300).passes == 1
