"""Merging conserves mass and mean and follows Ward; swaps against all k * n of them."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import squared_distances
from sklearn_ddcl.nn.summaries import best_swap, merge_light_rows

checked = settings(deadline=None, max_examples=60)


def draw_rows(seed, n, d, kinds=None, dtype=torch.float64):
    """Rows by falling weight; with `kinds` only so many distinct ones."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n, d, generator=generator, dtype=torch.float64)
    if kinds:
        rows = rows[torch.randint(min(n, kinds), (n,), generator=generator)]
    weight = 10.0 ** (4 * torch.rand(n, generator=generator, dtype=torch.float64) - 2)
    return rows.to(dtype), weight.sort(descending=True).values


def inertia(rows, weight, prototypes):
    return float(weight @ squared_distances(rows, prototypes).min(dim=1).values)


def ward(rows, weight, i, j):
    return float(weight[i] * weight[j] / (weight[i] + weight[j])) * float(
        (rows[i] - rows[j]).square().sum()
    )


# --- merge_light_rows


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 40),
    d=st.integers(1, 5),
    n_kept=st.integers(1, 45),
    kinds=st.sampled_from([None, 1, 3]),
)
def test_mass_and_mean_are_conserved_and_no_more_rows_are_kept(seed, n, d, n_kept, kinds):
    rows, weight = draw_rows(seed, n, d, kinds)
    merged = merge_light_rows(rows, weight, n_kept)
    assert len(merged.rows) == len(merged.weight) == min(n, n_kept)
    assert (merged.weight > 0).all()
    torch.testing.assert_close(merged.weight.sum(), weight.sum(), rtol=1e-13, atol=0.0)
    torch.testing.assert_close(merged.weight @ merged.rows, weight @ rows, rtol=1e-11, atol=1e-11)
    # means of rows lie within them
    assert (merged.rows <= rows.max(dim=0).values + 1e-12).all()
    assert (merged.rows >= rows.min(dim=0).values - 1e-12).all()


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(2, 12), d=st.integers(1, 3))
def test_one_merge_is_the_cheapest_of_all_pairs(seed, n, d):
    rows, weight = draw_rows(seed, n, d)
    i, j = min(itertools.combinations(range(n), 2), key=lambda pair: ward(rows, weight, *pair))
    merged = merge_light_rows(rows, weight, n - 1)
    stays = [row for row in range(n) if row != j]
    expected, mass = rows.clone(), weight.clone()
    mass[i] = weight[i] + weight[j]
    expected[i] = (weight[i] * rows[i] + weight[j] * rows[j]) / mass[i]
    torch.testing.assert_close(merged.rows, expected[stays])
    torch.testing.assert_close(merged.weight, mass[stays])


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(4, 40), kinds=st.integers(1, 6))
def test_equal_rows_merge_first_at_no_cost(seed, n, kinds):
    rows, weight = draw_rows(seed, n, 3, kinds)
    distinct = torch.unique(rows, dim=0)
    merged = merge_light_rows(rows, weight, len(distinct))
    assert torch.equal(torch.unique(merged.rows, dim=0), distinct)
    for row, mass in zip(merged.rows, merged.weight, strict=True):
        assert float(mass) == pytest.approx(float(weight[(rows == row).all(dim=1)].sum()))


def test_a_row_may_leave_towards_one_that_leaves_too():
    # 0.4 -> 0.2 -> 0: all three end in the first, none is lost
    rows = torch.tensor([[0.0], [10.0], [0.2], [0.4]], dtype=torch.float64)
    weight = torch.tensor([9.0, 8.0, 2.0, 1.0], dtype=torch.float64)
    merged = merge_light_rows(rows, weight, 2)
    torch.testing.assert_close(merged.weight, torch.tensor([12.0, 8.0], dtype=torch.float64))
    torch.testing.assert_close(merged.rows, torch.tensor([[0.8 / 12], [10.0]]).double())


def test_a_long_chain_ends_in_its_first_row():
    rows = torch.arange(60.0, dtype=torch.float64).unsqueeze(1)
    weight = torch.linspace(2.0, 1.0, 60, dtype=torch.float64)
    merged = merge_light_rows(rows, weight, 1)
    torch.testing.assert_close(merged.rows[0], weight @ rows / weight.sum())


def test_light_rows_go_and_heavy_ones_stay():
    rows = torch.tensor([[0.0], [1.0], [9.0], [10.0]], dtype=torch.float64)
    weight = torch.tensor([100.0, 90.0, 2.0, 1.0], dtype=torch.float64)
    merged = merge_light_rows(rows, weight, 3)
    assert merged.rows[:2].tolist() == [[0.0], [1.0]]
    assert float(merged.rows[2]) == pytest.approx(28 / 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_known_distances_change_nothing_and_types_stay(dtype):
    rows, weight = draw_rows(0, 30, 4, dtype=dtype)
    merged = merge_light_rows(rows, weight, 11)
    known = merge_light_rows(rows, weight, 11, squared_distances(rows, rows))
    assert torch.equal(merged.rows, known.rows)
    assert merged.rows.dtype == dtype
    assert merged.weight.dtype == torch.float64


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(2, 30), share=st.floats(0, 1))
def test_with_few_targets_others_go_to_the_heaviest_alone(seed, n, share):
    rows, weight = draw_rows(seed, n, 3)
    n_kept = n // 2
    m = n_kept + int(share * (n - n_kept))
    merged = merge_light_rows(rows, weight, n_kept, squared_distances(rows[:m], rows))
    assert len(merged.rows) == n_kept
    torch.testing.assert_close(merged.weight @ merged.rows, weight @ rows, rtol=1e-11, atol=1e-11)
    if m == n_kept:
        # every row but the heaviest goes to its cheapest among these, if it goes at all
        costs = [min(ward(rows, weight, i, j) for i in range(min(j, m))) for j in range(1, n)]
        left = 1 + np.argsort(costs)[: n - n_kept]
        assert float(merged.weight.sum()) == pytest.approx(float(weight.sum()))
        stays = sorted(set(range(n)) - set(left.tolist()))
        assert (merged.weight >= weight[stays] * (1 - 1e-12)).all()


def test_means_of_equal_rows_are_exact_whatever_their_weights():
    rows = torch.full((50, 2), 0.1, dtype=torch.float32)
    merged = merge_light_rows(rows, draw_rows(1, 50, 1)[1], 1)
    assert torch.equal(merged.rows, rows[:1])


def test_merging_changes_no_input():
    rows, weight = draw_rows(0, 20, 2)
    squares = squared_distances(rows, rows)
    copies = rows.clone(), weight.clone(), squares.clone()
    merge_light_rows(rows, weight, 5, squares)
    for now, then in zip((rows, weight, squares), copies, strict=True):
        assert torch.equal(now, then)


def test_few_rows_come_back_as_they_are():
    rows, weight = draw_rows(0, 3, 2)
    assert merge_light_rows(rows, weight, 3).rows is rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_kept": 0}, "n_kept"),
        ({"n_kept": 1.5}, "n_kept"),
        ({"rows": torch.zeros(4)}, "rows must be a 2-D"),
        ({"weight": torch.arange(4.0)}, "sort the rows by falling weight"),
        ({"distances": torch.zeros(1, 4)}, "distances must have shape .* from 2 to 4"),
        ({"distances": torch.zeros(4, 3)}, "distances must have shape"),
        ({"distances": torch.zeros(5, 4)}, "distances must have shape"),
    ],
)
def test_impossible_merges_are_refused(change, message):
    given = {"rows": torch.zeros(4, 1), "weight": torch.ones(4), "n_kept": 2}
    with pytest.raises(ValueError, match=message):
        merge_light_rows(**{**given, **change})


# --- best_swap


def gain_of(rows, weight, prototypes, prototype, place):
    moved = prototypes.clone()
    moved[prototype] = place
    return 1.0 - inertia(rows, weight, moved) / inertia(rows, weight, prototypes)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12), d=st.integers(1, 3), k=st.integers(1, 5))
def test_a_swap_gains_exactly_what_it_says(seed, n, d, k):
    rows, weight = draw_rows(seed, n, d)
    prototypes = draw_rows(seed + 1, k, d)[0]
    swap = best_swap(rows, weight, prototypes)
    if swap is None:
        return
    expected = gain_of(rows, weight, prototypes, swap.prototype, swap.place)
    assert swap.gain == pytest.approx(expected, abs=1e-12)
    assert swap.gain > 1e-3
    others = [gain_of(rows, weight, prototypes, j, swap.place) for j in range(k)]
    assert swap.gain == pytest.approx(max(others), abs=1e-12)  # no other is worth less there


@checked
@given(seed=st.integers(0, 10_000), k=st.integers(2, 5))
def test_a_dead_prototype_moves_to_the_middle_of_the_cluster_that_has_none(seed, k):
    generator = torch.Generator().manual_seed(seed)
    centres = 100.0 * torch.eye(k, dtype=torch.float64)
    rows = centres.repeat(6, 1) + torch.randn(6 * k, k, generator=generator, dtype=torch.float64)
    prototypes = centres.clone()
    prototypes[-1] = -300.0
    swap = best_swap(rows, torch.ones(6 * k), prototypes)
    assert swap.prototype == k - 1
    torch.testing.assert_close(swap.place, rows[k - 1 :: k].mean(dim=0))


def test_of_two_prototypes_in_one_cluster_one_moves():
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2], [20.0], [20.2]], dtype=torch.float64)
    prototypes = torch.tensor([[0.05], [0.15], [9.1]], dtype=torch.float64)
    swap = best_swap(rows, torch.ones(6), prototypes)
    assert swap.prototype in (0, 1)
    assert float(swap.place) == pytest.approx(20.1)


@pytest.mark.parametrize("prototypes", [[[0.1], [9.1]], [[0.05], [9.15]]])
def test_nothing_is_proposed_where_nothing_gains(prototypes):
    rows = torch.tensor([[0.0], [0.2], [9.0], [9.2]], dtype=torch.float64)
    assert best_swap(rows, torch.ones(4), torch.tensor(prototypes).double()) is None


def test_a_gain_below_a_thousandth_is_none():
    rows = torch.tensor([[0.0], [1.0], [1e-3]], dtype=torch.float64)
    assert best_swap(rows, torch.ones(3), torch.tensor([[0.3337]]).double()) is None


def test_a_prototype_that_is_needed_may_still_be_needed_more_elsewhere():
    rows = torch.tensor([[0.0], [1000.0]], dtype=torch.float64)
    swap = best_swap(rows, torch.ones(2), torch.tensor([[0.0], [500.0]]).double())
    assert (swap.prototype, float(swap.place)) == (1, 1000.0)


def test_no_inertia_is_no_reason_to_move():
    rows = torch.tensor([[0.0], [1.0]])
    assert best_swap(rows, torch.ones(2), rows) is None
    assert best_swap(rows[:1], torch.ones(1), rows[:1]) is None


def test_rows_without_weight_attract_nothing():
    rows = torch.tensor([[0.0], [1.0], [1e6]], dtype=torch.float64)
    weight = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    swap = best_swap(rows, weight, torch.tensor([[0.0], [0.1]]).double())
    assert float(swap.place) == 1.0


def test_prototypes_of_another_width_are_refused():
    with pytest.raises(ValueError, match="prototypes and rows must have the same number"):
        best_swap(torch.zeros(3, 2), torch.ones(3), torch.zeros(2, 3))


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_merging_does_not_depend_on_the_unit_of_the_weights(unit):
    rows = torch.tensor([[0.0], [9.0], [9.5], [0.25]])
    weight = torch.tensor([4.0, 2.0, 1.0, 1.0], dtype=torch.float64)
    kept = merge_light_rows(rows, weight * unit, 2)
    torch.testing.assert_close(kept.rows, merge_light_rows(rows, weight, 2).rows)
