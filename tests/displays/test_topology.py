"""TopologyDisplay: from estimators, conventions of displays, and bad input."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_moons

from sklearn_ddcl import CompetitiveClustering, DDCLClustering, DeepClusterBaseline
from sklearn_ddcl.displays import TopologyDisplay


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(300, noise=0.05, random_state=0)
    model = DDCLClustering(2, backbone=None, prototypes_per_cluster=15, random_state=0)
    return model.fit(X), X, y


def test_the_topology_of_two_moons(moons):
    model, X, _ = moons
    display = TopologyDisplay.from_estimator(model, X)
    assert isinstance(display, TopologyDisplay)
    assert isinstance(display.edges_, LineCollection)
    np.testing.assert_array_equal(display.prototypes_.get_offsets(), model.prototypes_)
    np.testing.assert_array_equal(display.points_.get_offsets(), X)
    assert display.figure_ is display.ax_.figure
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("feature 0", "feature 1")
    # no edge between the moons: that is why they are two clusters
    joined = model.prototype_labels_[display.edges]
    assert (joined[:, 0] == joined[:, 1]).all()
    assert display.weights.sum() == len(X)


def test_the_graph_that_competition_left_is_drawn(moons):
    X = moons[1]
    model = CompetitiveClustering(20, random_state=0).fit(X)
    display = TopologyDisplay.from_estimator(model, X)
    assert {tuple(edge) for edge in display.edges} == {
        tuple(sorted(edge)) for edge in model.edges_.tolist()
    }
    np.testing.assert_array_equal(display.prototype_labels, model.component_labels_)
    np.testing.assert_array_equal(display.labels, model.labels_)


def test_more_features_are_drawn_on_their_principal_components():
    X, y = load_digits(return_X_y=True)
    model = KMeans(20, n_init=1, random_state=0).fit(X)
    display = TopologyDisplay.from_estimator(model, X, labels=y)
    assert display.ax_.get_xlabel().startswith("principal component 1 (15% of")
    drawn = display.points_.get_offsets()
    means = [drawn[model.labels_ == j].mean(axis=0) for j in range(20)]
    np.testing.assert_allclose(display.prototypes_.get_offsets(), means, atol=1e-6)
    np.testing.assert_array_equal(display.labels, y)


def test_learned_features_are_drawn_in_their_own_space():
    X = load_digits().data[:200]
    model = DeepClusterBaseline(3, epochs=1, n_init=1, random_state=0).fit(X)
    display = TopologyDisplay.from_estimator(model, X)
    assert len(display.prototypes_.get_offsets()) == 3
    assert np.abs(display.points_.get_offsets()).max() <= 2.0  # features are on the unit sphere


def test_plot_can_be_repeated_on_given_axes():
    display = TopologyDisplay(None, np.eye(2), [[0, 1]], axis_names=("a", "b"))
    assert not hasattr(display, "ax_")
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.points_ is None
    assert ax.get_ylabel() == "b"
    assert display.plot().ax_ is not ax


def test_the_callers_arrays_are_left_alone(moons):
    model, X, _ = moons
    frozen = X.copy()
    frozen.setflags(write=False)
    TopologyDisplay.from_estimator(model, frozen)
    np.testing.assert_array_equal(frozen, X)


GOOD = {"points": np.ones((4, 2)), "prototypes": np.eye(2), "edges": [[0, 1]]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prototypes": [[1.0, np.nan]]}, "prototypes must be finite"),
        ({"prototypes": np.ones((0, 2))}, "prototypes must be a non-empty matrix"),
        ({"prototypes": np.ones((2, 3))}, "prototypes must have 2 features to be drawn, got 3"),
        ({"points": np.ones((4, 1))}, "points must have 2 features to be drawn, got 1"),
        ({"points": [[np.inf, 0.0]]}, "points must be finite"),
        ({"edges": [[0, 2]]}, "edges must be row numbers of prototypes, from 0 to 1"),
        ({"edges": [[-1, 0]]}, "edges must be row numbers of prototypes"),
        ({"edges": [[0.0, 1.0]]}, "edges must be an array of integers .* float64"),
        ({"edges": [0, 1]}, r"edges must be an array .* got shape \(2,\)"),
        ({"edges": [[0, 1, 1]]}, r"edges must be an array .* got shape \(1, 3\)"),
        ({"weights": [1.0, 2.0]}, r"one entry for each of 1 edges, got shape \(2,\)"),
        ({"weights": [-1.0]}, "weights must be finite and not negative"),
        ({"weights": [np.nan]}, "weights must be finite and not negative"),
        ({"labels": [0, 1]}, "labels must have one entry for each of 4 rows of points, got 2"),
        ({"labels": ["a"] * 4}, "labels must be a one-dimensional array of integers"),
        ({"prototype_labels": [0]}, "prototype_labels must have one entry for each of 2 rows"),
    ],
)
def test_bad_arrays_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        TopologyDisplay(**{**GOOD, **changes}).plot()


def test_bad_estimators_and_samples_are_named(moons):
    with pytest.raises(ValueError, match="must be fitted and have prototypes_"):
        TopologyDisplay.from_estimator(KMeans(), np.ones((4, 2)))
    line = np.arange(9.0)[:, None]
    model = KMeans(2, n_init=1).fit(line)
    with pytest.raises(ValueError, match="at least 2 features to be drawn"):
        TopologyDisplay.from_estimator(model, line)
    with pytest.raises(ValueError, match="contains NaN"):
        TopologyDisplay.from_estimator(moons[0], np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="labels must have one entry for each of 300 rows"):
        TopologyDisplay.from_estimator(moons[0], moons[1], labels=[0])


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"TopologyDisplay.plot needs matplotlib"):
        TopologyDisplay(**GOOD).plot()
