import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from sklearn_ddcl.engine._lloyd import quick_descent

checked = settings(deadline=None, max_examples=20)


@pytest.fixture(scope="module")
def descend(wrap):
    """Descend from chosen rows; prototypes and inertia in units of the data."""

    def go(x, seeds, tol=0.0, max_passes=300, weight=None, beat=float("inf")):
        rows = wrap(x, weight)
        p = rows.frame.from_data(torch.from_numpy(np.asarray(seeds, float)))
        beat = beat / rows.frame.unit**2
        found = quick_descent(rows, p, tol, max_passes, beat)
        data = rows.frame.to_data(found.p).numpy()
        return data, found.inertia * rows.frame.unit**2, found.passes

    return go


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_ends_where_lloyd_of_scikit_learn_ends(descend, blobs, seed, weighted):
    x = blobs(seed)
    w = np.random.default_rng(seed).random(300) if weighted else None
    reference = KMeans(5, init=x[:5], n_init=1, tol=0.0, algorithm="lloyd").fit(x, sample_weight=w)
    p, inertia, _ = descend(x, x[:5], weight=w)
    np.testing.assert_allclose(p, reference.cluster_centers_, atol=1e-8)
    assert inertia == pytest.approx(reference.inertia_, rel=1e-10)


@checked
@given(seed=st.integers(0, 10_000))
def test_inertia_never_rises(wrap, oracle, blobs, seed):
    x = blobs(seed, n=80)
    rows = wrap(x)
    p = rows.frame.from_data(torch.from_numpy(x[:5]))
    values = [quick_descent(rows, p, 0.0, passes).inertia for passes in range(1, 12)]
    assert all(np.diff(values) <= 1e-9 * values[0])


def test_reported_inertia_is_that_of_the_prototypes(descend, oracle, blobs):
    x = blobs(1)
    for passes in (1, 2, 5, 50):
        p, inertia, done = descend(x, x[:5], max_passes=passes)
        assert inertia == pytest.approx(oracle(x, p).inertia, rel=1e-10)
        assert done <= passes


@pytest.mark.parametrize("max_passes", [0, 1])
def test_at_least_one_pass_is_made(descend, blobs, max_passes):
    x = blobs(2)
    p, _, done = descend(x, x[:5], max_passes=max_passes)
    np.testing.assert_allclose(p, x[:5], atol=1e-12)
    assert done == 1


@checked
@given(seed=st.integers(0, 10_000), share=st.floats(0.5, 1.5))
def test_stopping_early_never_returns_a_better_looking_state(descend, blobs, seed, share):
    x = blobs(seed, n=100, k=8)
    full_p, full, passes = descend(x, x[:8])
    early_p, early, fewer = descend(x, x[:8], beat=share * full)
    assert early >= full * (1 - 1e-12)
    assert fewer <= passes
    if fewer == passes:
        np.testing.assert_array_equal(early_p, full_p)


def test_hopeless_descents_stop_early(descend, blobs):
    x = blobs(3, n=1000, k=20, spread=1.0)
    _, _, passes = descend(x, x[:20])
    _, early, fewer = descend(x, x[:20], beat=0.0)
    assert fewer < passes
    assert np.isfinite(early)


def test_tolerance_ends_sooner(descend, blobs):
    x = blobs(4, n=1000, k=20, spread=1.0)
    assert descend(x, x[:20], tol=1e-2)[2] < descend(x, x[:20])[2]


def test_given_prototypes_are_not_changed(wrap, blobs):
    x = blobs(5)
    rows, p = wrap(x), torch.from_numpy(x[:5].copy())
    quick_descent(rows, p, 0.0, 10)
    np.testing.assert_array_equal(p.numpy(), x[:5])


def test_empty_sets_keep_their_prototype(descend):
    x = np.array([[0.0], [0.1], [1.0], [1.1]])
    p, inertia, _ = descend(x, [[0.0], [1.0], [50.0]])
    np.testing.assert_allclose(p.ravel(), [0.05, 1.05, 50.0])
    assert inertia == pytest.approx(0.01)


@pytest.mark.parametrize("offset", [0.1, 1e5])
def test_rounding_does_not_keep_duplicates_going(descend, offset):
    x = np.repeat(np.random.default_rng(6).normal(size=(3, 4)) + offset, 20, axis=0)
    _, inertia, passes = descend(x, [x[0], x[20], x[40]], tol=1e-4, max_passes=300)
    assert passes <= 5
    assert abs(inertia) < 1e-8
