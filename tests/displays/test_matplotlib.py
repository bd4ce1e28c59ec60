"""The optional dependency, the colours, and what drawings of points share."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._matplotlib import (
    cluster_colors,
    drawn_gaps,
    drawn_offsets,
    import_pyplot,
    mark_area,
    one_axes_each,
    open_axes,
    place_legend,
    scatter_samples,
)


@pytest.mark.parametrize("n_clusters", [1, 6, 7, 40])
def test_colors_are_distinct_and_valid(n_clusters):
    colors = [mpl.colors.to_hex(color) for color in cluster_colors(n_clusters)]
    assert len(set(colors)) == n_clusters


def test_pyplot_is_returned():
    assert import_pyplot("Something").__name__ == "matplotlib.pyplot"


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Something needs matplotlib.*sklearn-ddcl\[plot\]"):
        import_pyplot("Something")


def test_a_legend_stands_beside_ones_own_axes_and_within_the_users():
    for given in (None, plt.subplots(1, 2)[1][0]):
        ax, own = open_axes(given, "Something")
        assert own is (given is None)
        ax.plot([0, 1], label="line")
        place_legend(ax, own)
        ax.figure.canvas.draw()
        legend, frame = ax.get_legend().get_window_extent(), ax.get_window_extent()
        assert bool(legend.overlaps(frame)) is not own
        assert legend.x1 <= ax.figure.bbox.x1


def test_axes_are_counted_in_any_shape():
    _, axes = plt.subplots(2, 2)
    assert list(one_axes_each(axes, "abcd")) == list(axes.ravel())
    assert list(one_axes_each(axes[0, 0], ["loss"])) == [axes[0, 0]]
    with pytest.raises(ValueError, match=r"each of the 1 panels \['loss'\], got 4"):
        one_axes_each(axes, ["loss"])


def test_samples_have_the_colours_of_their_clusters():
    ax = plt.figure().add_subplot()
    X = np.eye(2)
    drawn = scatter_samples(X, np.array([1, 0]), ["red", (0.0, 0.0, 1.0)], ax)
    np.testing.assert_array_equal(drawn.get_facecolor()[:, :3], [[0, 0, 1], [1, 0, 0]])
    grey = scatter_samples(X, None, [], ax)
    np.testing.assert_array_equal(grey.get_facecolor()[0, :3], [0.5] * 3)


def test_gaps_are_no_larger_than_on_paper():
    ax = plt.figure().add_subplot()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    gaps = drawn_gaps(np.array([[0.0, 0.0], [1.0, 0.0]]), ax)
    width = ax.get_window_extent().width * 72 / ax.figure.dpi
    assert 0 < gaps[0, 1] < width
    assert gaps[0, 0] == 0


def test_gaps_are_the_lengths_of_offsets():
    ax = plt.figure().add_subplot()
    points = np.random.default_rng(0).uniform(size=(5, 2))
    offsets = drawn_offsets(points[:2], points[2:], ax)
    assert (offsets >= 0).all()
    np.testing.assert_allclose(np.hypot(*offsets.T).T, drawn_gaps(points, ax)[:2, 2:])
    assert drawn_offsets(points, np.empty((0, 2)), ax).shape == (5, 0, 2)


def test_marks_shrink_where_there_are_many():
    assert mark_area(1) == mark_area(40) > mark_area(60) > mark_area(1000) == mark_area(9999) > 0


def test_a_colour_that_is_missing_is_no_other_colour():
    with pytest.raises(IndexError):
        scatter_samples(np.eye(2), np.array([0, 2]), ["red"], plt.figure().add_subplot())
