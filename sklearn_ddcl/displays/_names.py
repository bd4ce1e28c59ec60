"""Names of clusters and classes: in the legend where colours suffice, else among the points."""

import importlib

import numpy as np

from sklearn_ddcl.displays._matplotlib import drawn_offsets

# Hues that `cluster_colors` tells apart without names beside.
NAMED_BY_COLOR = 6
_LONGEST, _MOST_PLACES = 12, 30
_BOX_POINTS, _CHARACTER_POINTS, _MARK_POINTS = 14.0, 5.0, 1.5


def short_name(name):
    """Cut a name so that neighbours do not meet.

    Parameters
    ----------
    name : object
        A cluster or a class.

    Returns
    -------
    text : str
        At most 12 characters.
    """
    text = str(name)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def write_names(points, groups, listed, ax, avoid=None):
    """Write each group's name on one of its middle points, large groups first.

    A name goes to the point nearest to the mean of its group at which it
    overlaps no other; where there is none, it is left out.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        Where the points are drawn.
    groups : ndarray of shape (n,), dtype int
        Position in `listed` of each point's group.
    listed : list of (object, matplotlib colour)
        Each group's name and the colour of its frame.
    ax : matplotlib Axes
        Where to draw, with its final limits.
    avoid : ndarray of shape (n_marks, 2), default=None
        Marks that names should not cover, if there is another place.

    Returns
    -------
    n_written : int
        How many names had room.
    """
    marks = np.empty((0, 2)) if avoid is None else avoid
    sizes = np.bincount(groups, minlength=len(listed))
    taken, half_widths = np.empty((0, 2)), np.empty(0)
    for group in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]:
        name, color = listed[group]
        text = short_name(name)
        half = (_BOX_POINTS + _CHARACTER_POINTS * (len(text) - 1)) / 2
        places = _places(points[groups == group])
        free = _apart(places, taken, half_widths + half, _BOX_POINTS, ax)
        clear = free & _apart(
            places, marks, half + _MARK_POINTS, _BOX_POINTS / 2 + _MARK_POINTS, ax
        )
        if not free.any():
            continue
        place = places[(clear if clear.any() else free).argmax()]
        taken, half_widths = np.vstack([taken, place]), np.append(half_widths, half)
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": color}
        ax.text(*place, text, ha="center", va="center", fontsize=8, zorder=4, bbox=box)
    return len(taken)


def _apart(places, others, width, height, ax):
    """Tell which places are wide or high enough away from all others."""
    offsets = drawn_offsets(places, others, ax)
    return ((offsets[..., 0] > width) | (offsets[..., 1] > height)).all(axis=1)


def _places(points):
    """Return the point nearest to the mean, and some others of the inner half."""
    order = np.square(points - points.mean(axis=0)).sum(axis=1).argsort(kind="stable")
    inner = np.linspace(0, (len(points) - 1) // 2, _MOST_PLACES).astype(int)
    return points[order[np.unique(inner)]]


def legend_mark(label, color, size, edge="none", marker="o"):
    """Make a legend's entry without a line.

    Parameters
    ----------
    label : str
        What it stands for.
    color, edge : matplotlib colours
        Of its face and of its edge.
    size : float
        In points.
    marker : str, default="o"
        Its shape.

    Returns
    -------
    handle : matplotlib Line2D
        For ``Axes.legend``.
    """
    return importlib.import_module("matplotlib.lines").Line2D(
        [], [], marker=marker, markersize=size, markerfacecolor=color, markeredgecolor=edge,
        linestyle="none", label=label,
    )  # fmt: skip
