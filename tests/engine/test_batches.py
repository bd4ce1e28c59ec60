import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._batches import Batches, fits_on


def make(n=10, batch_size=4, seed=0, **changes):
    x = torch.arange(2.0 * n).reshape(n, 2)
    return x, Batches(x, batch_size, generator=torch.Generator().manual_seed(seed), **changes)


@settings(deadline=None)
@given(n=st.integers(1, 60), batch_size=st.integers(1, 70))
def test_an_epoch_holds_every_row_once_in_pieces_of_nearly_one_size(n, batch_size):
    x, batches = make(n, batch_size)
    drawn = list(batches)
    sizes = [len(batch.rows) for batch in drawn]
    assert torch.cat([batch.rows for batch in drawn]).sort().values.tolist() == list(range(n))
    assert all(torch.equal(batch.x, x[batch.rows]) for batch in drawn)
    assert max(sizes) <= min(batch_size, n)
    assert max(sizes) - min(sizes) <= 1
    assert len(batches) == len(drawn)


def test_the_order_changes_with_the_epoch_and_comes_from_the_generator_alone():
    state = torch.get_rng_state()
    first, second = ([b.rows.tolist() for _ in range(2) for b in make(seed=s)[1]] for s in (0, 0))
    _, batches = make()
    epochs = [[b.rows.tolist() for b in batches] for _ in range(2)]
    assert first == second
    assert epochs[0] != epochs[1]
    assert torch.equal(state, torch.get_rng_state())


def test_the_total_ends_within_an_epoch():
    _, batches = make(n=12, batch_size=4, total=5)
    assert [len(list(batches)) for _ in range(3)] == [3, 2, 0]


def test_weights_go_with_their_rows():
    weight = torch.arange(10.0)
    _, batches = make(weight=weight)
    assert all(torch.equal(batch.weight, weight[batch.rows]) for batch in batches)


def test_rows_of_any_shape():
    batches = Batches(torch.zeros(5, 1, 3, 3), 2, generator=torch.Generator())
    assert [tuple(batch.x.shape) for batch in batches] == [(2, 1, 3, 3)] * 2 + [(1, 1, 3, 3)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size must be an int >= 1, got 0"),
        ({"total": 0}, "total must be None or an int >= 1, got 0"),
        ({"weight": torch.ones(3)}, r"weight must have shape \(10,\), got \(3,\)"),
        ({"chance": torch.ones(3)}, r"chance must have shape \(10,\), got \(3,\)"),
        ({"n": 0}, "dataset must have rows"),
    ],
)
def test_what_cannot_be_cut_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_a_machine_without_cuda_takes_all():
    assert fits_on(torch.device("cpu"), 1 << 60)


def test_rows_are_drawn_by_chance_and_those_without_never():
    chance = torch.tensor([0.0, 1.0, 3.0, 0.0])
    _, batches = make(n=4, batch_size=2, chance=chance)
    drawn = torch.cat([batch.rows for _ in range(2000) for batch in batches])
    counts = torch.bincount(drawn, minlength=4)
    assert counts[[0, 3]].tolist() == [0, 0]
    assert abs(float(counts[2] / counts[1]) - 3.0) < 0.2


def test_chances_are_read_anew_for_each_epoch():
    chance = torch.tensor([1.0, 0.0])
    _, batches = make(n=2, chance=chance)
    assert torch.cat([batch.rows for batch in batches]).tolist() == [0, 0]
    chance.copy_(torch.tensor([0.0, 1.0]))
    assert torch.cat([batch.rows for batch in batches]).tolist() == [1, 1]


@settings(deadline=None)
@given(n=st.integers(1, 60), batch_size=st.integers(2, 70))
def test_batches_drawn_by_chance_have_two_rows_or_more(n, batch_size):
    _, batches = make(n, batch_size, chance=torch.ones(n))
    assert min(len(batch.rows) for batch in batches) >= 2
