import pytest
import torch

from sklearn_ddcl.engine._epoch_edges import EpochEdges
from sklearn_ddcl.engine._history import History


def record(*steps, area=1.0):
    sums, history = EpochEdges(), History()
    for step in steps:
        sums.add(*step)
    sums.record(history, area, 0.5)
    return history.records[0]


def test_a_record_sums_over_steps():
    one = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    other = torch.tensor([[1.0, 0.0, 0.5]])
    found = record((one, None, 0.2, 4.0, 0.3), (other, None, 0.8, 1.0, 0.9), area=10.0)
    assert found["loss_quantization"] == pytest.approx(10.0 * 0.4)
    assert found["loss_topology"] == pytest.approx(3.0)
    assert found["loss"] == pytest.approx(5.0)
    assert (found["n_active"], found["n_edges"]) == (2, 2)
    assert (found["epoch"], found["phase"], found["learning_rate"]) == (1, "competition", 0.5)


def test_weights_count_as_mass():
    distances = torch.tensor([[0.0, 1.0]])
    found = record(
        (distances, torch.tensor([3.0]), 1.0, 0.0, 1.0), (distances, None, 5.0, 0.0, 5.0)
    )
    assert found["loss_quantization"] == pytest.approx(2.0)


def test_one_prototype_has_no_edge():
    found = record((torch.ones(4, 1), None, 1.0, 0.0, 1.0))
    assert (found["n_active"], found["n_edges"]) == (1, 0)


def test_an_epoch_without_steps_has_no_record():
    history = History()
    EpochEdges().record(history, 1.0, 0.5)
    assert history.records == []
