"""A stream against brute force, cut in every way, pickled between any two batches."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import nn

from sklearn_ddcl.engine import (
    SoftmaxAssignment,
    Stream,
    StreamConfig,
    WidrowHoff,
    stream_temperature,
)
from sklearn_ddcl.options import ConstantTemperature


def make(k=3, width=2, dtype="float64", encoder=None, **options):
    options = {"assignment": SoftmaxAssignment(), "temperature": stream_temperature()} | options
    return Stream(StreamConfig(k, device="cpu", **options), width, np.dtype(dtype), encoder)


def blobs(n=300, k=3, width=2, seed=0, spread=12.0):
    """Return classes on a circle, and their numbers."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    centres = np.zeros((k, width))
    centres[:, 0] = spread * np.cos(2 * np.pi * np.arange(k) / k)
    centres[:, 1] = spread * np.sin(2 * np.pi * np.arange(k) / k)
    return centres[y] + rng.normal(size=(n, width)), y


def feed(stream, X, size, weight=None):
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        stream.advance(X[rows], None if weight is None else weight[rows])
    return stream


def inertia(X, p):
    return ((X[:, None] - p) ** 2).sum(-1).min(1).sum()


@pytest.mark.parametrize("size", [1, 2, 7, 50, 300])
@pytest.mark.parametrize("standardize", [False, True])
def test_one_pass_comes_near_to_k_means_however_it_is_cut(size, standardize):
    X, _ = blobs()
    stream = feed(make(standardize=standardize), X, size)
    Z = (X - X.mean(0)) / X.std(0) if standardize else X
    best = KMeans(3, n_init=5, random_state=0).fit(Z).inertia_
    assert inertia(Z, stream.centers) < 1.02 * best


@pytest.mark.parametrize("assignment", [WidrowHoff(), SoftmaxAssignment(dual_learning_rate=0.5)])
def test_other_steps_keep_separated_classes_apart(assignment):
    X, y = blobs()
    stream = feed(make(assignment=assignment), X, 30)
    labels = ((X[:, None] - stream.centers) ** 2).sum(-1).argmin(1)
    assert all(len(np.unique(labels[y == c])) == 1 for c in range(3))


def test_mass_is_conserved_by_all_merges():
    X, _ = blobs(2_000)
    stream = feed(make(), X, 50)
    assert stream.summary.merged
    weight = stream.summary.weight
    assert float(weight.sum()) == pytest.approx(2_000)
    mean = ((weight @ stream.summary.rows) / weight.sum()).numpy()
    mean = mean * stream.frame.unit + stream.frame.origin
    np.testing.assert_allclose(mean, X.mean(0), atol=1e-9)


def test_a_step_at_a_fixed_temperature_is_soft_lloyd_on_all_that_was_seen():
    X, _ = blobs(90)
    schedule = ConstantTemperature(5.0, relative=False)
    stream = make(assignment=SoftmaxAssignment(n_steps=1), temperature=schedule)
    feed(stream, X[:60], 60)
    stream.search.next_at = np.inf
    p = stream.frame.to_features(stream.prototypes)
    stream.advance(X[60:])
    q = np.exp(-((X[:, None] - p) ** 2).sum(-1) / 5.0)
    q /= q.sum(1, keepdims=True)
    moved = stream.frame.to_features(stream.prototypes)
    np.testing.assert_allclose(moved, (q.T @ X) / q.sum(0)[:, None], rtol=1e-9)


def test_weights_are_repetitions_of_rows_in_a_step():
    X, _ = blobs(40)
    weight = np.random.default_rng(0).integers(1, 4, size=40)
    first, second = make(), make()
    for stream in (first, second):
        feed(stream, X[:20], 20)
        stream.search.next_at = np.inf
        stream.step.n_steps = 1
    first.advance(X[20:], weight[20:].astype(float))
    second.advance(np.repeat(X[20:], weight[20:], axis=0))
    schedule = ConstantTemperature(3.0, relative=False)
    for stream in (first, second):
        stream.config = stream.config._replace(temperature=schedule)
        stream.prototypes = first.prototypes.clone()
        stream.advance(X[:1])
    np.testing.assert_allclose(first.prototypes, second.prototypes, rtol=1e-9)


def test_until_there_are_k_distinct_rows_they_are_kept():
    stream = make(k=3)
    stream.advance(np.zeros((500, 2)))
    stream.advance(np.zeros((500, 2)))
    stream.advance(np.ones((5, 2)))
    assert not stream.ready
    assert stream.n_distinct == 2
    assert "has seen 2 distinct samples" in stream.waiting
    stream.advance(np.full((1, 2), 7.0))
    assert stream.ready
    assert stream.n_samples == 1006
    assert float(stream.summary.weight.sum()) == pytest.approx(1006)


def test_a_run_that_ends_early_settles_for_fewer_clusters():
    stream = make(k=5)
    stream.advance(np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    stream.settle()
    assert stream.config.n_clusters == 2
    assert sorted(stream.centers[:, 0].tolist()) == [0, 1]
    assert sorted(stream.last_batch().labels.tolist()) in ([0, 0, 1], [0, 1, 1])


@pytest.mark.parametrize("scale", [1e-100, 1e-3, 1.0, 1e100])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_offset_and_scale_of_the_data_do_not_matter(scale, offset):
    X, _ = blobs(400)
    reference = feed(make(), X, 50).centers
    if scale != 1 and offset:
        offset *= scale
    found = feed(make(), scale * X + offset, 50).centers
    np.testing.assert_allclose((found - offset) / scale, reference, rtol=1e-4, atol=1e-4)


def test_a_batch_out_of_range_is_refused_and_leaves_no_trace():
    X, _ = blobs(100, seed=1)
    X = X.astype("f4")
    stream = feed(make(dtype="float32"), X, 50)
    other = copy.deepcopy(stream)
    with pytest.raises(ValueError, match="so far from those seen before"):
        stream.advance(np.full((3, 2), 1e30, dtype="f4"))
    assert stream.n_samples == other.n_samples
    feed(stream, X[::-1].copy(), 30)
    feed(other, X[::-1].copy(), 30)
    np.testing.assert_array_equal(stream.centers, other.centers)
    assert len(stream.history.records) == len(other.history.records)


@given(cut=st.integers(1, 9), standardize=st.booleans(), decay=st.sampled_from([0.0, 0.003]))
def test_pickled_between_any_two_batches_it_goes_on_to_the_same_bits(cut, standardize, decay):
    X, _ = blobs(500)
    batches = np.array_split(X, 10)
    straight = make(standardize=standardize, decay=decay)
    for batch in batches:
        straight.advance(batch)
    resumed = make(standardize=standardize, decay=decay)
    for number, batch in enumerate(batches):
        resumed.advance(batch)
        if number == cut:
            resumed = pickle.loads(pickle.dumps(resumed))
    np.testing.assert_array_equal(resumed.centers, straight.centers)
    assert resumed.temperature == straight.temperature
    for one, other in zip(resumed.history.records, straight.history.records, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_reading_a_stream_does_not_change_where_it_goes():
    X, _ = blobs(600)
    silent, asked = make(), make()
    for batch in np.array_split(X, 12):
        silent.advance(batch)
        asked.advance(batch)
        assert asked.last_batch().labels.shape == (50,)
        assert asked.centers.shape == (3, 2)
        copy.deepcopy(asked)
    np.testing.assert_array_equal(silent.centers, asked.centers)


def test_old_samples_are_forgotten_at_the_stated_rate():
    X, _ = blobs(200)
    stream = make(decay=0.01)
    feed(stream, X, 50)
    assert float(stream.summary.weight.sum()) == pytest.approx(stream.weight_seen)
    ages = 200 - 50 * (np.arange(200) // 50 + 1)  # batches of 50 age as one
    assert stream.weight_seen == pytest.approx((0.99**ages).sum())


def test_a_stream_that_wanders_far_keeps_its_digits():
    rng = np.random.default_rng(0)
    stream = make(k=2, decay=0.1, dtype="float32")
    for step in range(2_000):
        batch = rng.normal(size=(20, 2)) + 40.0 * rng.integers(2, size=(20, 1)) + step
        stream.advance(batch.astype("f4"))
    gaps = np.sort(stream.centers[:, 0] - 1_999)
    np.testing.assert_allclose(gaps, [0, 40], atol=2)
    assert np.abs(stream.frame.origin - 2_020).max() < 10 * 10 * stream.frame.unit


def test_a_class_that_appears_gets_a_prototype_and_one_that_vanishes_loses_its_own():
    early, _ = blobs(2_000, k=3)
    late = np.array([[60.0, 60.0]]) + np.random.default_rng(1).normal(size=(1_500, 2))
    stream = feed(make(k=3, decay=0.005), early, 50)
    keep = early[early[:, 0] < 6]  # without the class on the right
    mixed = np.r_[keep[:750], late[:750]]
    feed(stream, np.random.default_rng(2).permutation(mixed), 50)
    distance = np.sqrt(((stream.centers - [60, 60]) ** 2).sum(1)).min()
    assert distance < 1
    assert sum(record["n_revived"] for record in stream.history.records) >= 1


def test_without_a_summary_nothing_but_prototypes_is_kept():
    X, _ = blobs(600)
    stream = feed(make(summary_size=0), X, 50)
    rows = stream.summary.n_rows
    stream.advance(X[:50] + 1)
    assert stream.summary.n_rows == rows <= 50


def test_an_encoder_comes_before_the_stream():
    X, _ = blobs(300, width=4)
    encoder = nn.Linear(4, 2).double().eval().requires_grad_(False)
    stream = feed(make(encoder=encoder), X, 50)
    with torch.no_grad():
        plain = feed(make(), encoder(torch.from_numpy(X)).numpy(), 50)
    np.testing.assert_allclose(stream.centers, plain.centers)


def test_global_random_states_are_left_alone():
    X, _ = blobs(3_000)
    before = torch.get_rng_state()
    feed(make(), X, 1_024)
    assert torch.equal(before, torch.get_rng_state())


def test_rows_of_the_user_are_neither_changed_nor_watched():
    X, _ = blobs(100)
    buffer = X.copy()
    buffer.flags.writeable = False
    stream = make()
    stream.advance(buffer)
    np.testing.assert_array_equal(buffer, X)
    buffer.flags.writeable = True
    buffer[:] = 1e9  # reused, as readers of files do
    expected = ((X[:, None] - stream.centers) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(stream.last_batch().labels, expected)


def wander(stream, far, monkeypatch):
    """Yield batches that go far, each after the stream has taken it in."""
    for t in range(20):
        batch = blobs(50, seed=t)[0] + 40.0 * t
        monkeypatch.setattr("sklearn_ddcl.engine._stream_frame._FAR", far)
        stream.advance(batch)
        yield batch


@pytest.mark.parametrize("standardize", [False, True])
def test_where_the_origin_follows_nothing_else_moves(standardize, monkeypatch):
    stays, follows = make(standardize=standardize), make(standardize=standardize)
    both = zip(wander(stays, 1e9, monkeypatch), wander(follows, 1.0, monkeypatch), strict=True)
    origins = []
    for _ in both:
        origins.append(tuple(follows.frame.origin))
        np.testing.assert_allclose(follows.centers, stays.centers, rtol=1e-6)
        np.testing.assert_array_equal(follows.last_batch().labels, stays.last_batch().labels)
        assert follows.last_batch().inertia == pytest.approx(stays.last_batch().inertia)
    assert len(set(origins)) >= 3


@pytest.mark.parametrize("assignment", [SoftmaxAssignment(), WidrowHoff()])
def test_where_the_origin_follows_the_summary_stands_for_the_same_samples(assignment, monkeypatch):
    stream, seen = make(assignment=assignment), []
    for batch in wander(stream, 1.0, monkeypatch):
        seen.append(batch)
        mean = stream.search.mean().numpy() * stream.frame.unit + stream.frame.origin
        np.testing.assert_allclose(mean, np.concatenate(seen).mean(0), rtol=1e-9)
        squares = ((batch[:, None] - stream.centers) ** 2).sum(2)
        assert stream.last_batch().inertia == pytest.approx(squares.min(1).sum())
