import pickle

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ddcl.engine import (
    LearningStream,
    SoftmaxAssignment,
    StreamConfig,
    stream_temperature,
)
from sklearn_ddcl.engine import _learning_stream as module
from sklearn_ddcl.metrics import adjusted_rand_score


@pytest.fixture(autouse=True)
def short_lessons(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_LESSON", 40)
    monkeypatch.setattr(module, "_PER_CLUSTER", 5)
    monkeypatch.setattr(module, "_LATER_STEPS", 20)
    monkeypatch.setattr(module, "_LATER_EPOCHS", 1)


def make(k=2, size=80, backbone="mlp", **options):
    config = StreamConfig(k, SoftmaxAssignment(), stream_temperature(), device="cpu", **options)
    return LearningStream(config, backbone, size, np.dtype("float64"))


def data(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    return 9.0 * y[:, None] + rng.normal(size=(n, 3)), y


def labels(stream, X):
    z = module.encode_batch(stream.encoder, X, stream.dtype, "cpu")
    return module.nearest(z, stream.centers, "cpu")


def test_lessons_come_as_samples_double_and_then_once_a_buffer():
    stream, at = make(), []
    X, _ = data()
    for start in range(0, 400, 10):
        lessons = stream.n_lessons
        stream.advance(X[start : start + 10])
        if stream.n_lessons > lessons:
            at.append(stream.n_samples)
    assert at == [40, 80, 160, 240, 320, 400]
    assert stream.n_samples == 400
    assert stream.n_batches == 40


def test_clusters_are_found_and_keep_their_numbers():
    stream = make()
    X, y = data()
    before = None
    for start in range(0, 400, 20):
        stream.advance(X[start : start + 20])
        if not stream.ready:
            assert "first lesson at 40" in stream.waiting
            continue
        found = labels(stream, X)
        assert adjusted_rand_score(y, found) == 1
        if before is not None:
            np.testing.assert_array_equal(found, before)
        before = found


def test_a_run_shorter_than_the_first_lesson_settles():
    stream = make()
    X, y = data(30)
    stream.advance(X)
    assert not stream.ready
    stream.settle()
    assert stream.ready
    assert adjusted_rand_score(y, labels(stream, X)) == 1


def test_a_module_of_one_s_own_is_copied_and_learns():
    mine = nn.Linear(3, 2)
    weight = mine.weight.detach().clone()
    stream = make(backbone=mine)
    stream.advance(data(60)[0])
    first = [p.clone() for p in stream.encoder.parameters()]
    stream.advance(data(60, seed=1)[0])
    assert torch.equal(mine.weight, weight)
    second = list(stream.encoder.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(p.dtype == torch.float64 and not p.requires_grad for p in second)


def test_pickled_between_two_lessons_it_goes_on_to_the_same_bits():
    X, _ = data(160)
    straight, resumed = make(), make()
    for start in range(0, 160, 20):
        straight.advance(X[start : start + 20])
        resumed.advance(X[start : start + 20])
        resumed = pickle.loads(pickle.dumps(resumed))
    np.testing.assert_array_equal(straight.centers, resumed.centers)


def test_weights_of_0_are_not_seen():
    X, _ = data(100)
    weight = np.ones(100)
    weight[50:] = 0
    stream = make()
    stream.advance(X, weight)
    assert stream.n_samples == 50
