import numpy as np
import pytest
import torch

from sklearn_ddcl.engine import SoftmaxAssignment, Stream, StreamConfig, stream_temperature
from sklearn_ddcl.engine import _stream_history as module
from sklearn_ddcl.nn import decompose_loss


def stream(**options):
    config = StreamConfig(3, SoftmaxAssignment(), stream_temperature(), device="cpu", **options)
    return Stream(config, 2, np.dtype("float64"))


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return 5.0 * rng.integers(3, size=(n, 1)) + rng.normal(size=(n, 2))


def test_a_record_holds_the_decomposition_of_its_batch():
    rng = np.random.default_rng(0)
    z, p = torch.from_numpy(rng.normal(size=(20, 3))), torch.from_numpy(rng.normal(size=(4, 3)))
    q = torch.softmax(torch.from_numpy(rng.normal(size=(20, 4))), 1)
    weight = torch.from_numpy(rng.random(20))
    history = module.StreamHistory()
    history.begin(1)
    mass = torch.zeros(4, dtype=torch.float64)
    for rows in (slice(0, 8), slice(8, 20)):  # pieces add up
        mass += history.watch(z[rows], weight[rows], p, q[rows])
    parts = decompose_loss(z, p, q, weight=weight)
    ols, variance, concentration, total = history._sums.tolist()
    assert ols / total == pytest.approx(float(parts.ols))
    assert variance / total == pytest.approx(float(parts.variance))
    assert (ols + variance) / total == pytest.approx(float(parts.quantization))
    assert concentration / total == pytest.approx(
        float((weight @ q.square().sum(1)) / weight.sum())
    )
    torch.testing.assert_close(mass, weight @ q)


def test_values_are_in_squared_units_of_the_data():
    first, second = stream(), stream()
    for seed in range(4):
        first.advance(data(seed=seed))
        second.advance(1024.0 * data(seed=seed))
    for one, other in zip(first.history.records, second.history.records, strict=True):
        for key in ("loss_quantization", "loss_ols", "separation", "temperature"):
            assert other[key] == pytest.approx(1024.0**2 * one[key])
        assert other["drift"] == pytest.approx(one["drift"], abs=1e-9)


def test_long_streams_keep_a_bounded_number_of_records(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 8)
    made = stream()
    for seed in range(40):
        made.advance(data(10, seed))
    numbers = [record["epoch"] for record in made.history.records]
    assert len(numbers) < 8
    steps = np.diff(numbers)
    assert (steps == made.history.every).all()
    assert numbers[-1] > 40 - 2 * made.history.every


def test_drift_shows_a_jump_and_calms_down_after_it():
    made = stream(decay=0.01)
    for seed in range(30):
        made.advance(data(seed=seed))
    for seed in range(40):
        made.advance(data(seed=seed) + [[0.0, 100.0]])
    drift = [record["drift"] for record in made.history.records]
    assert max(drift[10:30]) < 1
    assert drift[30] > 10
    assert abs(drift[-1]) < 1


def test_the_report_gets_every_record():
    made, seen = stream(), []
    made.history.report = seen.append
    made.advance(data())
    made.advance(data(seed=1))
    assert seen == made.history.records
