"""Points: numbers, colours, legend and crowded prototypes."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._point_plot import draw_points

PROTOTYPES = np.array([[0.0, 0.0], [3.0, 1.0], [6.0, 0.0]])
TITLES = ["cluster 0\nn = 1", "cluster 1\nn = 2", "cluster 2\nn = 0"]


def test_prototypes_are_numbered_and_listed():
    ax = draw_points(PROTOTYPES, TITLES, None, None)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    np.testing.assert_array_equal([line.get_xydata()[0] for line in ax.lines], PROTOTYPES)
    listed = [text.get_text() for text in ax.get_legend().get_texts()]
    assert listed == ["cluster 0, n = 1", "cluster 1, n = 2", "cluster 2, n = 0"]


def test_samples_take_the_colour_of_their_prototype():
    X, clusters = np.array([[0.5, 0], [3, 0.5], [3.5, 1]]), np.array([0, 1, 1])
    ax = draw_points(PROTOTYPES, TITLES, (X, clusters), None)
    (samples,) = ax.collections
    np.testing.assert_array_equal(samples.get_offsets(), X)
    edges = [mpl.colors.to_rgb(line.get_markeredgecolor()) for line in ax.lines]
    np.testing.assert_allclose(samples.get_facecolor()[:, :3], np.array(edges)[clusters])


def test_samples_without_clusters_are_grey():
    ax = draw_points(PROTOTYPES, TITLES, (np.zeros((4, 2)), None), None)
    assert len(ax.collections) == 1
    assert ax.collections[0].get_facecolor()[0, :3] == pytest.approx([0.5] * 3)


def test_crowded_prototypes_lose_numbers_and_legend():
    angle = np.linspace(0, 1, 40)
    ax = draw_points(
        np.column_stack([angle, angle]), [f"cluster {j}" for j in range(40)], None, None
    )
    assert not ax.texts
    assert ax.get_legend() is None
    assert len(ax.lines) == 40


def test_discs_do_not_overlap_when_numbered():
    ax = draw_points(PROTOTYPES, TITLES, None, None)
    ax.figure.canvas.draw()
    pixels = ax.transData.transform(PROTOTYPES) * 72 / ax.figure.dpi
    gaps = np.linalg.norm(pixels[:, None] - pixels, axis=2)[~np.eye(3, dtype=bool)]
    assert gaps.min() > ax.lines[0].get_markersize()


@pytest.mark.parametrize("prototypes", [[[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]]])
def test_one_or_equal_prototypes_are_drawn(prototypes):
    ax = draw_points(np.array(prototypes), ["cluster"] * len(prototypes), None, None)
    ax.figure.canvas.draw()
    assert len(ax.lines) == len(prototypes)


def test_the_users_axes_keep_their_neighbours():
    _, axes = plt.subplots(1, 2)
    assert draw_points(PROTOTYPES, TITLES, None, axes[0]) is axes[0]
    axes[0].figure.canvas.draw()
    legend = axes[0].get_legend().get_window_extent()
    assert not legend.overlaps(axes[1].get_window_extent())
