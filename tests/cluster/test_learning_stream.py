"""`IncrementalDDCL` with a backbone that learns: what is refused, and what is warned of."""

import warnings

import numpy as np
import pytest

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.exceptions import CollapseWarning

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(2, 300, 3))


def stream(k=3, **options):
    return IncrementalDDCL(k, backbone="mlp", train_backbone=True, random_state=0, **options)


@pytest.mark.parametrize("first", [FIRST, FIRST[:100]])
def test_a_refused_batch_leaves_no_trace(first):
    model, twin = stream().partial_fit(first), stream().partial_fit(first)
    with pytest.raises(ValueError, match="range of float32"):
        model.partial_fit(np.full((1, 3), 1e300))
    assert model.n_samples_seen_ == len(first)
    assert model.n_batches_seen_ == 1
    for one in (model, twin):
        one.partial_fit(SECOND)
    np.testing.assert_array_equal(model.labels_, twin.labels_)


def test_a_lesson_that_fails_takes_the_batch_back(monkeypatch):
    model, twin = stream(replay_size=300).partial_fit(FIRST), stream(replay_size=300)
    twin.partial_fit(FIRST)
    lesson = type(model._stream)._lesson

    def fail(self):
        lesson(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(model._stream), "_lesson", fail)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(SECOND)
    monkeypatch.undo()
    assert (model.n_samples_seen_, model.n_batches_seen_) == (300, 1)
    assert len(model.history_) == len(twin.history_)
    for one in (model, twin):
        one.partial_fit(SECOND)
    np.testing.assert_array_equal(model.labels_, twin.labels_)


@pytest.mark.parametrize("n", [20, 100, 255])
def test_a_short_table_is_no_collapse(n):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = stream().fit(FIRST[:n])
    assert model.n_active_clusters_ == 3


def test_fewer_distinct_samples_than_clusters_are_warned_of():
    with pytest.warns(CollapseWarning, match="2 of n_clusters=3"):
        stream().fit(np.repeat(FIRST[:2], 150, axis=0))


def test_the_buffer_must_hold_the_clusters():
    with pytest.raises(ValueError, match=r"'replay_size'.*at least n_clusters=20\. Got 16"):
        stream(20, replay_size=16).fit(FIRST)
