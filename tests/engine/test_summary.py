"""The summary: room, merges, forgetting, and which rows of a large batch go in."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine import summary_size
from sklearn_ddcl.engine._summary import Summary, thin
from sklearn_ddcl.nn import squared_distances

CPU = torch.device("cpu")
checked = settings(deadline=None, max_examples=40)


def make(size=5, width=2, dtype=torch.float64):
    return Summary(size, width, dtype, CPU)


def draw(seed, n, width=2):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n, width, generator=generator, dtype=torch.float64)
    return rows, torch.rand(n, generator=generator, dtype=torch.float64) + 0.01


def feed(summary, rows, weight):
    if not summary.fits(len(rows)):
        summary.sort()
        summary.merge(squared_distances(summary.rows, summary.rows))
    summary.add(rows, weight)


# --- the summary


@checked
@given(
    seed=st.integers(0, 999),
    size=st.integers(1, 30),
    cuts=st.lists(st.integers(1, 200), min_size=1, max_size=8),
)
def test_mass_and_mean_are_kept_in_bounded_room(seed, size, cuts):
    rows, weight = draw(seed, sum(cuts))
    summary = make(size)
    for part, own in zip(rows.split(cuts), weight.split(cuts), strict=True):
        feed(summary, part, own)
        assert torch.equal(summary.rows[-len(part) :], part)
        assert summary.n_rows <= summary.size + summary.piece
    torch.testing.assert_close(summary.weight.sum(), weight.sum())
    torch.testing.assert_close(summary.weight @ summary.rows, weight @ rows)


def test_there_is_room_for_a_piece_after_every_merge():
    for size in (1, 150, 450):
        summary = make(size)
        feed(summary, *draw(0, summary.size + summary.piece))
        assert not summary.fits(1)
        assert not summary.merged
        feed(summary, *draw(1, summary.piece))
        assert summary.merged
        assert summary.n_rows == summary.size + summary.piece


def test_rows_are_sorted_by_falling_weight_with_their_weights():
    summary = make()
    rows, weight = draw(0, 50)
    summary.add(rows, weight)
    summary.sort()
    order = np.argsort(-weight.numpy(), kind="stable")
    assert torch.equal(summary.rows, rows[order])
    assert torch.equal(summary.weight, weight[order])


def test_rows_of_one_weight_keep_their_order():
    summary = make()
    rows = draw(0, 50)[0]
    summary.add(rows, torch.ones(50))
    summary.sort()
    assert torch.equal(summary.rows, rows)


def test_forgetting_is_of_weights_alone():
    summary = make()
    rows, weight = draw(0, 10)
    summary.add(rows, weight)
    summary.forget(0.25)
    summary.add(rows, weight)
    assert torch.equal(summary.weight, torch.cat([0.25 * weight, weight]))
    assert torch.equal(summary.rows, torch.cat([rows, rows]))


def test_shift_and_scale_move_every_row():
    summary = make()
    rows, weight = draw(0, 10)
    summary.add(rows, weight)
    summary.shift(torch.tensor([1.0, -2.0]))
    summary.scale(4.0)
    assert torch.equal(summary.rows, 4 * (rows - torch.tensor([1.0, -2.0])))
    assert torch.equal(summary.weight, weight)


def test_rows_that_are_added_are_copied():
    summary = make()
    rows, weight = draw(0, 10)
    summary.add(rows, weight)
    rows.zero_()
    assert not torch.equal(summary.rows, rows)


def test_weights_are_double_whatever_the_rows_are():
    summary = make(dtype=torch.float32)
    summary.add(torch.ones(3, 2), torch.ones(3))
    assert summary.rows.dtype == torch.float32
    assert summary.weight.dtype == torch.float64


def test_more_rows_than_there_is_room_for_are_refused():
    summary = make(3)
    summary.add(*draw(0, summary.piece))
    with pytest.raises(RuntimeError, match="size"):
        summary.add(*draw(1, 4))
    assert summary.n_rows == summary.piece


# --- its size


@pytest.mark.parametrize(
    ("k", "size", "expected"),
    [
        (1, None, 100),
        (10, None, 100),
        (20, None, 200),
        (30, None, 300),
        (150, None, 300),
        (151, None, 302),
        (10, 11, 11),
    ],
)
def test_the_size_grows_with_the_clusters(k, size, expected):
    assert summary_size(k, size) == expected


@checked
@given(k=st.integers(1, 10_000))
def test_there_is_always_more_than_one_row_a_cluster(k):
    assert summary_size(k, None) >= 2 * k


# --- which rows of a large batch


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("n", "before"), [(1, 0), (50, 1e9), (1_000, 0), (10, 990), (500, 500)])
def test_small_batches_and_the_first_thousand_go_in_whole(n, before):
    assert thin(n, None, before, generator()) is None


@pytest.mark.parametrize(
    ("n", "before", "count"),
    [(10_000, 0, 1_000), (10_000, 90_000, 312), (1_000, 1_000, 500), (200, 1e9, 50)],
)
def test_of_larger_ones_as_many_as_the_stream_needs(n, before, count):
    rows = thin(n, None, before, generator())
    assert len(rows) == count
    assert 0 <= int(rows.min()) <= int(rows.max()) < n


@checked
@given(n=st.integers(100, 5_000), seed=st.integers(0, 999))
def test_without_weights_rows_are_evenly_spaced_and_distinct(n, seed):
    rows = thin(n, None, 1e6, generator(seed))
    gaps = rows.diff()
    assert int(gaps.min()) >= 1
    assert int(gaps.max()) - int(gaps.min()) <= 1


@checked
@given(n=st.integers(100, 2_000), seed=st.integers(0, 999), empty=st.floats(0, 0.9))
def test_a_row_is_taken_as_often_as_its_weight_says_up_to_one(n, seed, empty):
    weight = torch.rand(n, generator=generator(seed), dtype=torch.float64)
    weight[torch.rand(n, generator=generator(seed + 1)) < empty] = 0.0
    rows = thin(n, weight, 1e6, generator(seed))
    taken = torch.bincount(rows, minlength=n)
    expected = len(rows) * weight / weight.sum()
    assert bool((taken >= expected.floor() - 1e-9).all())
    assert bool((taken <= expected.ceil() + 1e-9).all())
    assert bool((taken[weight == 0] == 0).all())


def test_on_average_every_row_is_taken_with_its_share():
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64).repeat(100)
    taken = sum(
        torch.bincount(thin(400, weight, 1e6, generator(seed)), minlength=400)
        for seed in range(500)
    )
    torch.testing.assert_close(
        taken.double() / 500, 50 * weight / weight.sum(), atol=0.08, rtol=0.0
    )


def test_one_row_with_all_the_weight_is_all_that_is_taken():
    weight = torch.zeros(200, dtype=torch.float64)
    weight[-1] = 1e-300
    assert set(thin(200, weight, 1e6, generator()).tolist()) == {199}


def test_the_generator_decides_which_row_comes_first():
    # of a multiple of the count every offset is possible
    firsts = {int(thin(500, None, 1e9, generator(seed))[0]) for seed in range(200)}
    assert firsts == set(range(10))
