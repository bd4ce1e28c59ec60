"""The replay buffer: a uniform sample of the past, or of the recent past."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sklearn_ddcl.engine._replay import Replay


def numbers(n, start=0.0):
    return np.arange(start, start + n)[:, None]


def held(n, size, seed, cut, decay=0.0):
    replay = Replay(size, decay, seed)
    for start in range(0, n, cut):
        replay.add(numbers(min(cut, n - start), start))
    return replay.samples[:, 0].astype(int)


@settings(deadline=None, max_examples=50)
@given(
    size=st.integers(1, 20),
    cuts=st.lists(st.integers(0, 15), min_size=1, max_size=8),
    decay=st.sampled_from([0.0, 0.01, 0.5]),
    seed=st.integers(0, 99),
)
def test_it_holds_distinct_samples_of_those_seen_and_never_too_many(size, cuts, decay, seed):
    replay, seen = Replay(size, decay, seed), 0
    for cut in cuts:
        replay.add(numbers(cut, seen))
        seen += cut
        samples = replay.samples[:, 0]
        assert len(samples) == replay.n_held == min(size, seen)
        assert replay.n_seen == seen
        assert len(np.unique(samples)) == len(samples)
        assert set(samples) <= set(range(seen))


@pytest.mark.parametrize("cut", [1, 7, 60])
def test_every_sample_is_held_with_the_same_probability(cut):
    counts = sum(np.bincount(held(60, 12, seed, cut), minlength=60) for seed in range(600))
    assert counts.sum() == 600 * 12
    assert stats.chisquare(counts).pvalue > 1e-3


def test_every_pair_of_samples_is_held_with_the_same_probability():
    together = np.zeros((8, 8))
    for seed in range(2_000):
        rows = held(8, 3, seed, 8)
        together[np.ix_(rows, rows)] += 1
    pairs = together[np.triu_indices(8, 1)]
    assert pairs.sum() == 2_000 * 3
    assert stats.chisquare(pairs).pvalue > 1e-3


def test_with_a_decay_the_age_of_what_is_held_is_geometric():
    size, decay, n = 50, 1 / 200, 3_000
    ages = np.concatenate([n - 1 - held(n, size, seed, 100, decay) for seed in range(40)])
    # each sample replaces one of the 50 with probability 50 / 200
    assert stats.kstest(ages[ages > 0], "expon", args=(0, 200)).pvalue > 1e-3
    assert ages.mean() == pytest.approx(200, rel=0.15)


def test_a_buffer_longer_than_the_memory_takes_every_sample():
    replay = Replay(100, 0.5, seed=0)
    replay.add(numbers(100))
    replay.add(numbers(1, 100))
    assert 100.0 in replay.samples


@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_keep_their_shape_and_type(shape, dtype):
    replay = Replay(5, 0.0, seed=0)
    replay.add(np.ones((9, *shape), dtype=dtype))
    assert replay.samples.shape == (5, *shape)
    assert replay.samples.dtype == dtype


def test_samples_are_copied():
    X = numbers(4)
    replay = Replay(9, 0.0, seed=0)
    replay.add(X)
    X[:] = -1.0
    assert replay.samples[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_pickled_at_any_time_it_goes_on_to_the_same_samples():
    replay = Replay(10, 0.0, seed=3)
    other = copy.deepcopy(replay)
    for start in range(0, 100, 20):
        replay.add(numbers(20, start))
        other = pickle.loads(pickle.dumps(other))
        other.add(numbers(20, start))
    np.testing.assert_array_equal(replay.samples, other.samples)


def test_seeds_decide_and_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(held(200, 10, 1, 50), held(200, 10, 1, 50))
    assert set(held(200, 10, 1, 50)) != set(held(200, 10, 2, 50))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_before_any_sample_it_says_so():
    with pytest.raises(RuntimeError, match="has seen no sample"):
        _ = Replay(3, 0.0, seed=0).samples


def test_samples_of_another_shape_are_refused():
    replay = Replay(9, 0.0, seed=0)
    replay.add(np.ones((2, 3)))
    with pytest.raises(ValueError, match="broadcast"):
        replay.add(np.ones((2, 4)))
    assert replay.n_held == replay.n_seen == 2


@settings(deadline=None, max_examples=50)
@given(
    size=st.integers(1, 20),
    before=st.integers(0, 30),
    added=st.integers(0, 30),
    decay=st.sampled_from([0.0, 0.5]),
)
def test_what_was_let_in_can_be_taken_back(size, before, added, decay):
    replay, twin = (Replay(size, decay, 0) for _ in range(2))
    for one in (replay, twin):
        one.add(numbers(before))
    replay.add(numbers(added, 100.0))()
    np.testing.assert_array_equal(replay.samples, twin.samples)
    for one in (replay, twin):
        one.add(numbers(10, 200.0))
    np.testing.assert_array_equal(replay.samples, twin.samples)
    assert replay.n_seen == twin.n_seen
