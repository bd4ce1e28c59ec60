"""The spiral lies on its curve, evenly along its arms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.datasets import make_archimedean_spiral


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 4), st.integers(4, 60), st.floats(0.5, 4), st.floats(0, 0.9), st.integers(0, 99)
)
def test_samples_lie_on_their_arm(n_arms, n_samples, n_turns, inner_radius, seed):
    X, y = make_archimedean_spiral(
        n_samples, n_arms=n_arms, n_turns=n_turns, inner_radius=inner_radius, random_state=seed
    )
    assert X.shape == (n_samples, 2)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    radius = np.hypot(*X.T)
    t = (radius - inner_radius) / (1 - inner_radius)
    expected = radius * np.exp(2j * np.pi * (n_turns * t + y / n_arms))
    np.testing.assert_allclose(X[:, 0] + 1j * X[:, 1], expected, atol=1e-9)
    assert t.min() >= -1e-9
    assert t.max() <= 1 + 1e-9
    sizes = np.bincount(y, minlength=n_arms)
    assert sizes.max() - sizes.min() <= 1


def test_density_is_even_along_the_curve():
    X, _ = make_archimedean_spiral(20_000, inner_radius=0.0, n_turns=3, random_state=0)
    # The length up to radius r of a spiral through the origin grows nearly like r^2.
    inside = np.mean(np.hypot(*X.T) < 0.5)
    assert inside == pytest.approx(0.25, abs=0.02)


def test_noise_has_the_given_deviation_and_order_is_random():
    clean, y = make_archimedean_spiral(5000, n_arms=2, random_state=0)
    noisy, same = make_archimedean_spiral(5000, n_arms=2, noise=0.1, random_state=0)
    np.testing.assert_array_equal(y, same)
    assert np.std(noisy - clean) == pytest.approx(0.1, rel=0.05)
    assert 2000 < np.count_nonzero(np.diff(y)) < 3000


def test_the_seed_decides_everything():
    first, second, other = (make_archimedean_spiral(50, random_state=s)[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_samples": 0},
        {"n_samples": 2.5},
        {"n_samples": 2, "n_arms": 3},
        {"n_arms": 0},
        {"n_turns": 0},
        {"n_turns": np.inf},
        {"inner_radius": 1},
        {"inner_radius": -0.1},
        {"noise": -1},
        {"noise": "much"},
    ],
)
def test_parameters_out_of_range_are_named(arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f"{name} must be .* got {arguments[name]!r}"):
        make_archimedean_spiral(**arguments)
