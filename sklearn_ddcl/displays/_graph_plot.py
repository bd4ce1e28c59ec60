"""Prototypes, edges and samples drawn in the plane."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.displays._matplotlib import (
    cluster_colors,
    import_pyplot,
    mark_area,
    open_axes,
    place_legend,
    scatter_samples,
)
from sklearn_ddcl.displays._names import NAMED_BY_COLOR, legend_mark, write_names

_EDGE_COLOR, _WIDTHS = "0.2", (0.6, 3.0)


class DrawnGraph(NamedTuple):
    """What is drawn, as checked arrays.

    Attributes
    ----------
    points : ndarray of shape (n_samples, 2) or None
        Samples.
    prototypes : ndarray of shape (n_prototypes, 2)
        Prototypes.
    edges : ndarray of shape (n_edges, 2)
        Row numbers of prototypes.
    weights : ndarray of shape (n_edges,) or None
        Non-negative weights.
    labels : ndarray of shape (n_samples,) or None
        Cluster of each sample.
    prototype_labels : ndarray of shape (n_prototypes,) or None
        Cluster of each prototype.
    """

    points: np.ndarray | None
    prototypes: np.ndarray
    edges: np.ndarray
    weights: np.ndarray | None
    labels: np.ndarray | None
    prototype_labels: np.ndarray | None


def draw_graph(graph, ax):
    """Draw samples, over them edges, and over these the prototypes.

    Parameters
    ----------
    graph : DrawnGraph
        What to draw.
    ax : matplotlib Axes or None
        Where to draw; None makes a figure.

    Returns
    -------
    points : matplotlib PathCollection or None
        The samples.
    edges : matplotlib LineCollection
        The edges.
    prototypes : matplotlib PathCollection
        The prototypes.
    ax : matplotlib Axes
        The Axes drawn on.
    """
    ax, own = open_axes(ax, "TopologyDisplay.plot")
    names, codes, groups = _shared_numbers(graph.labels, graph.prototype_labels)
    colors = cluster_colors(len(names))
    points = None
    if graph.points is not None:
        points = scatter_samples(graph.points, codes, colors, ax)
    edges = _draw_edges(graph, ax)
    shades = "white" if groups is None else [colors[group] for group in groups]
    area = mark_area(len(graph.prototypes))
    prototypes = ax.scatter(
        *graph.prototypes.T, s=area, c=shades, edgecolors="black", linewidths=0.8, zorder=3
    )
    ax.autoscale_view()
    numbered = groups is not None and len(names) > NAMED_BY_COLOR
    if numbered:
        write_names(graph.prototypes, groups, list(zip(names, colors, strict=True)), ax)
    listed = [] if numbered else zip(names, colors, strict=True)
    handles = _legend_handles(graph, numbered)
    handles += [legend_mark(f"cluster {name}", color, 7) for name, color in listed]
    place_legend(ax, own, handles=handles)
    return points, edges, prototypes, ax


def _shared_numbers(labels, prototype_labels):
    """Return the distinct labels, and the position among them of each sample and prototype."""
    given = [part for part in (labels, prototype_labels) if part is not None]
    if not given:
        return np.empty(0, dtype=int), None, None
    names = np.unique(np.concatenate(given))
    found = [
        None if part is None else np.searchsorted(names, part)
        for part in (labels, prototype_labels)
    ]
    return names, *found


def _draw_edges(graph, ax):
    """Draw all edges as one artist; the square root shows small weights beside large ones."""
    collections = import_pyplot("TopologyDisplay.plot").matplotlib.collections
    widths = np.mean(_WIDTHS)
    if graph.weights is not None and graph.weights.size:
        share = np.sqrt(graph.weights / (graph.weights.max() or 1.0))
        widths = _WIDTHS[0] + (_WIDTHS[1] - _WIDTHS[0]) * share
    lines = collections.LineCollection(
        graph.prototypes[graph.edges], colors=_EDGE_COLOR, linewidths=widths, zorder=2
    )
    return ax.add_collection(lines, autolim=False)


def _legend_handles(graph, numbered):
    """Say what samples, prototypes, edges and numbers look like."""
    handles = [] if graph.points is None else [legend_mark("sample", "0.5", 4)]
    handles.append(legend_mark("prototype", "white", 6, "black"))
    if len(graph.edges):
        label = "edge" if graph.weights is None else "edge, the wider\nthe heavier"
        line = import_pyplot("TopologyDisplay.plot").Line2D([], [], color=_EDGE_COLOR, label=label)
        handles.append(line)
    if numbered:
        handles.append(legend_mark("number of a\ncluster", "black", 6, marker="$7$"))
    return handles
