"""Artists of a graph: positions, colours, widths, numbers, legend."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._graph_plot import DrawnGraph, draw_graph

PROTOTYPES = np.array([[0.0, 0.0], [3.0, 1.0], [6.0, 0.0]])
POINTS = np.array([[0.5, 0.0], [3.0, 0.5], [3.5, 1.0], [6.0, 0.2]])
EDGES = np.array([[0, 1], [1, 2]])


def graph(**changes):
    values = {
        "points": POINTS,
        "prototypes": PROTOTYPES,
        "edges": EDGES,
        "weights": np.array([4.0, 1.0]),
        "labels": np.array([0, 1, 1, 1]),
        "prototype_labels": np.array([0, 1, 1]),
    }
    return DrawnGraph(**{**values, **changes})


def circle(n):
    """Return a graph of n clusters of one prototype each."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    prototypes = np.column_stack([np.cos(angle), np.sin(angle)])
    edges = np.column_stack([np.arange(n), np.roll(np.arange(n), 1)])
    return DrawnGraph(None, prototypes, edges, None, None, np.arange(n))


def legend(ax):
    return [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]


def test_everything_is_drawn_where_it_is():
    points, edges, prototypes, ax = draw_graph(graph(), None)
    np.testing.assert_array_equal(points.get_offsets(), POINTS)
    np.testing.assert_array_equal(prototypes.get_offsets(), PROTOTYPES)
    np.testing.assert_array_equal(edges.get_segments(), PROTOTYPES[EDGES])
    assert [type(part).__name__ for part in ax.collections].count("LineCollection") == 1
    assert points.zorder < edges.zorder < prototypes.zorder


def test_heavier_edges_are_wider():
    widths = draw_graph(graph(), None)[1].get_linewidths()
    assert widths[0] > widths[1] > 0
    alike = draw_graph(graph(weights=None), None)[1].get_linewidths()
    assert len(set(alike)) == 1
    assert np.isfinite(draw_graph(graph(weights=np.zeros(2)), None)[1].get_linewidths()).all()


def test_samples_and_prototypes_of_a_cluster_share_its_colour():
    points, _, prototypes, ax = draw_graph(graph(), None)
    discs = prototypes.get_facecolor()[:, :3]
    np.testing.assert_allclose(points.get_facecolor()[:, :3], discs[[0, 1, 1, 2]])
    assert (discs[1] == discs[2]).all()
    assert (discs[0] != discs[1]).any()
    assert legend(ax) == ["sample", "prototype", "edge, the wider the heavier", "cluster 0",
                          "cluster 1"]  # fmt: skip


def test_prototypes_look_unlike_samples():
    points, _, prototypes, _ = draw_graph(graph(), None)
    assert prototypes.get_sizes()[0] > points.get_sizes()[0]
    assert mpl.colors.to_hex(prototypes.get_edgecolor()[0]) == "#000000"


def test_labels_need_be_neither_consecutive_nor_the_prototypes():
    drawn = draw_graph(graph(labels=np.array([-1, 7, 7, 7]), prototype_labels=np.array([7, 7, 9])),
                       None)  # fmt: skip
    assert legend(drawn[3])[-3:] == ["cluster -1", "cluster 7", "cluster 9"]


def test_what_is_unknown_is_grey_or_white_and_not_in_the_legend():
    points, edges, prototypes, ax = draw_graph(
        graph(labels=None, prototype_labels=None, weights=None, edges=EDGES[:0]), None
    )
    assert mpl.colors.to_hex(prototypes.get_facecolor()[0]) == "#ffffff"
    np.testing.assert_array_equal(points.get_facecolor()[0, :3], [0.5] * 3)
    assert len(edges.get_segments()) == 0
    assert legend(ax) == ["sample", "prototype"]
    bare = draw_graph(graph(points=None, labels=None), None)
    assert bare[0] is None
    assert "sample" not in legend(bare[3])


def test_many_clusters_are_numbered_instead_of_listed():
    ax = draw_graph(circle(12), None)[3]
    assert sorted(int(text.get_text()) for text in ax.texts) == list(range(12))
    assert legend(ax) == ["prototype", "edge", "number of a cluster"]


@pytest.mark.parametrize("n", [12, 150, 1500])
def test_numbers_do_not_meet_and_the_legend_covers_nothing(n):
    ax = draw_graph(circle(n), None)[3]
    ax.figure.canvas.draw()
    boxes = [text.get_bbox_patch().get_window_extent() for text in ax.texts]
    assert boxes
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert not ax.get_legend().get_window_extent().overlaps(ax.get_window_extent())


def test_discs_shrink_where_there_are_many():
    few, many = (draw_graph(circle(n), None)[2].get_sizes()[0] for n in (10, 500))
    assert 0 < many < few


@pytest.mark.parametrize("prototypes", [[[1.0, 2.0]], [[1.0, 2.0]] * 9, [[0.0, 0], [1e200, 1]]])
def test_one_or_equal_or_far_prototypes_are_drawn(prototypes):
    n = len(prototypes)
    edges = np.array([[0, n - 1]])
    drawn = draw_graph(DrawnGraph(None, np.array(prototypes), edges, None, None, np.arange(n)),
                       None)  # fmt: skip
    drawn[3].figure.canvas.draw()
    assert len(drawn[2].get_offsets()) == n


def test_the_users_axes_keep_their_neighbours():
    _, axes = plt.subplots(1, 2)
    ax = draw_graph(graph(), axes[0])[3]
    assert ax is axes[0]
    ax.figure.canvas.draw()
    assert not ax.get_legend().get_window_extent().overlaps(axes[1].get_window_extent())
