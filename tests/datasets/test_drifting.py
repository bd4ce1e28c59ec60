"""Drifting streams: motion, clusters that come and go, seeds and bad parameters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sklearn_ddcl.datasets import make_drifting_stream


def time_of(X):
    return np.linspace(0, 1, len(X))


@settings(deadline=None, max_examples=40)
@given(
    n_clusters=st.integers(1, 8),
    share=st.floats(0, 1),
    n_samples=st.integers(1, 300),
    n_features=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_clusters_come_and_go_in_their_part_of_the_stream(
    n_clusters, share, n_samples, n_features, seed
):
    n_late = int(share * ((n_clusters - 1) // 2))
    X, y = make_drifting_stream(
        n_samples,
        n_clusters=n_clusters,
        n_features=n_features,
        n_late=n_late,
        random_state=seed,
    )
    assert X.shape == (n_samples, n_features)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert y.min() >= 0
    time = time_of(X)
    assert y[time < 0.2].max(initial=0) < n_clusters - n_late
    assert y[time > 0.85].min(initial=n_clusters) >= n_late


def test_all_clusters_are_there_in_time_and_equally_frequent():
    X, y = make_drifting_stream(60_000, random_state=0)
    time = time_of(X)
    for part, present in ((time < 0.2, range(6)), (time > 0.85, range(4, 10))):
        counts = np.bincount(y[part], minlength=10)
        assert set(np.flatnonzero(counts)) == set(present)
        assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3
    for cluster in range(10):
        seen = time[y == cluster]
        # no gap within a cluster's life: at most 10 are there at once
        assert np.diff(seen).max() < 0.005
        assert (seen[0] < 0.001) == (cluster < 6)
        assert (seen[-1] > 0.999) == (cluster >= 4)


def ways(X, y):
    """Fit a straight line in time to each cluster: first means, ways, residues."""
    time = time_of(X)
    first, way, residue = [], [], []
    for cluster in np.unique(y):
        rows = y == cluster
        A = np.column_stack([np.ones(rows.sum()), time[rows]])
        line = np.linalg.lstsq(A, X[rows], rcond=None)[0]
        first.append(line[0])
        way.append(line[1])
        residue.append((time[rows], X[rows] - A @ line))
    return np.array(first), np.array(way), residue


def test_samples_are_standard_normal_around_means_that_move_in_straight_lines():
    X, y = make_drifting_stream(40_000, n_features=3, random_state=1)
    for time, residue in ways(X, y)[2]:
        assert stats.kstest(residue.ravel(), "norm").pvalue > 1e-3
        np.testing.assert_allclose(np.cov(residue.T), np.eye(3), atol=0.15)
        # a mean on a curve would leave a parabola behind
        np.testing.assert_allclose(residue.T @ (time - time.mean()) ** 2 / len(time), 0, atol=0.02)


@pytest.mark.parametrize("speed", [0.0, 1.5, 12])
def test_every_mean_moves_as_far_as_the_speed_says(speed):
    X, y = make_drifting_stream(20_000, n_clusters=4, n_late=0, speed=speed, random_state=0)
    way = ways(X, y)[1]
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), speed, atol=0.35)
    if speed > 1:
        directions = way / np.linalg.norm(way, axis=1, keepdims=True)
        assert np.abs(np.triu(directions @ directions.T, 1)).max() < 0.9


def test_separation_scales_the_first_means():
    near, far = (
        ways(*make_drifting_stream(20_000, separation=s, n_late=0, random_state=0))[0]
        for s in (1.0, 5.0)
    )
    np.testing.assert_allclose(far - 5 * near, 0, atol=1.0)
    assert far.std() == pytest.approx(5.0, rel=0.3)


def test_without_late_or_vanishing_clusters_all_are_there_throughout():
    _, y = make_drifting_stream(1_000, n_clusters=3, n_late=0, random_state=0)
    assert set(y[:30]) == set(y[-30:]) == {0, 1, 2}


def test_the_seed_decides_everything():
    first, second, other = (make_drifting_stream(100, random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])


def test_global_random_state_is_left_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_drifting_stream(10, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_samples": 0},
        {"n_samples": 2.0},
        {"n_clusters": 0},
        {"n_features": 0},
        {"n_late": 5},
        {"n_late": -1},
        {"speed": -1.0},
        {"speed": np.inf},
        {"separation": 0},
    ],
)
def test_parameters_out_of_range_are_named(arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f"{name} must be .* got {arguments[name]!r}"):
        make_drifting_stream(**arguments)
