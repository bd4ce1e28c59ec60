import numpy as np
import pytest
import torch

from sklearn_ddcl.engine._stream_batch import choose_rows, describe_batch, load_batch, pieces
from sklearn_ddcl.engine._stream_frame import StreamFrame

CPU = torch.device("cpu")


def frame(width=1):
    return StreamFrame(width, "float64", False, CPU)


def test_rows_of_weight_0_are_left_out_and_the_rest_is_copied():
    rows = np.arange(4.0)[:, None]
    x, weight = load_batch(rows, np.array([1.0, 0.0, 2.0, 0.0]), frame(), CPU)
    assert x.shape == (2, 1)
    assert weight.tolist() == pytest.approx([2 / 3, 4 / 3])  # 1 on the average
    x += 100
    assert rows[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("even", [True, False])
def test_a_large_batch_is_thinned_and_keeps_its_weight(even):
    generator = torch.Generator().manual_seed(0)
    x = torch.arange(4_096.0)[:, None]
    weight = torch.ones(4_096, dtype=torch.float64)
    if not even:
        weight[:10] = 100.0
    chosen, mass = choose_rows(x, weight, even, 1e6, generator)
    assert len(chosen) == 4_096 // 32
    assert float(mass.sum()) == pytest.approx(float(weight.sum()))
    share = float((mass * (chosen[:, 0] < 10)).sum() / weight.sum())
    exact = float(weight[:10].sum() / weight.sum())
    assert share == pytest.approx(exact, abs=1 / len(chosen))


def test_a_small_batch_and_the_beginning_of_a_stream_are_taken_in_full():
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.rand(50, 2), torch.ones(50, dtype=torch.float64)
    assert choose_rows(x, weight, True, 1e9, generator)[0] is x
    x, weight = torch.rand(900, 2), torch.ones(900, dtype=torch.float64)
    assert choose_rows(x, weight, True, 0, generator)[0] is x


def test_a_batch_is_described_as_brute_force_does():
    rng = np.random.default_rng(0)
    rows, p = rng.normal(size=(30, 3)), rng.normal(size=(4, 3))
    made = frame(3)
    x = made.load(rows, CPU)
    made.set_unit(x)
    weight = torch.rand(30, dtype=torch.float64)
    made.weight_unit = 2.0
    found = describe_batch(x, weight / 2, made, torch.from_numpy((p - made.origin) / made.unit))
    squares = ((rows[:, None] - p) ** 2).sum(-1)
    np.testing.assert_array_equal(found.labels, squares.argmin(1))
    assert found.labels.dtype == np.int32
    assert found.inertia == pytest.approx(float(squares.min(1) @ weight.numpy()))


def test_pieces_leave_nothing_out():
    x, weight = torch.arange(7)[:, None], torch.arange(7)
    parts = list(pieces(x, weight, 3))
    assert [len(part) for part, _ in parts] == [3, 3, 1]
    assert torch.cat([part for part, _ in parts]).equal(x)
    assert torch.cat([part for _, part in parts]).equal(weight)
