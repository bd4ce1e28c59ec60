"""Bars of cluster sizes, and a table of classes in clusters."""

import importlib

import numpy as np

from sklearn_ddcl.displays._matplotlib import cluster_colors, import_pyplot
from sklearn_ddcl.displays._names import short_name

_TEXT, _SMALLEST_TEXT = 8.0, 5.0
# Mean width of a character over the font size, generous for the default sans serif.
_CHARACTER_WIDTH, _LINE_HEIGHT = 0.66, 1.3
_CELL_INCHES, _BAR_INCHES, _WIDEST, _HIGHEST = (0.3, 0.28), 2.2, 16.0, 12.0


def make_partition_axes(contingency):
    """Make a figure in which the counts can be read.

    Parameters
    ----------
    contingency : Contingency
        What will be drawn.

    Returns
    -------
    axes : ndarray of Axes of shape (1,) or (2,)
        For the sizes and, under them, the table, where classes are known.
    """
    n_clusters, n_classes = len(contingency.clusters), len(contingency.classes)
    digits = len(str(contingency.sizes.max()))
    cell = max(_CELL_INCHES[0], (digits + 0.8) * _CHARACTER_WIDTH * _TEXT / 72)
    heights = [_BAR_INCHES, max(1.5, n_classes * _CELL_INCHES[1] + 0.8)][: 1 + bool(n_classes)]
    size = (min(_WIDEST, max(5.0, n_clusters * cell + 1.2)), min(_HIGHEST, sum(heights)))
    figure = import_pyplot("PartitionDisplay.plot").figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    return np.array([figure.add_subplot(grid[row]) for row in range(len(heights))])


def draw_sizes(contingency, ax):
    """Draw a bar for each cluster, with its size above where there is room.

    Parameters
    ----------
    contingency : Contingency
        What to draw.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    bars : matplotlib BarContainer
        In the order of the clusters.
    """
    places = np.arange(len(contingency.sizes))
    bars = ax.bar(places, contingency.sizes, width=0.75, color=cluster_colors(1)[0])
    ax.set_xlim(-0.5, len(places) - 0.5)
    font = _fitting_font(contingency.sizes, len(places), ax)
    if font >= _SMALLEST_TEXT:
        ax.bar_label(bars, fontsize=font, padding=1)
        ax.margins(y=0.15)
    _name_clusters(contingency.clusters, ax)
    ax.set_ylabel("samples", fontsize=_TEXT)
    ax.set_title("Cluster sizes", fontsize=10)
    ax.tick_params(axis="y", labelsize=_TEXT)
    return bars


def draw_table(contingency, ax):
    """Draw the classes (rows) in the clusters (columns), matched cells framed.

    Parameters
    ----------
    contingency : Contingency
        What to draw.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    image : matplotlib AxesImage
        The cells; the fuller, the darker.
    texts : ndarray of shape (n_classes, n_clusters) of matplotlib Text
        Counts; None where a cell is empty, and everywhere if there is no room.
    frames : list of matplotlib Rectangle
        Around the matched cells, in the order of the classes.
    """
    table = contingency.table
    image = ax.imshow(table, cmap="Blues", aspect="auto", vmin=0, vmax=table.max())
    texts = np.full(table.shape, None, dtype=object)
    font = _fitting_font(table, table.shape[1], ax, len(table))
    if font >= _SMALLEST_TEXT:
        for row, column in np.argwhere(table):
            color = "white" if table[row, column] > 0.65 * table.max() else "black"
            style = {"ha": "center", "va": "center", "color": color, "fontsize": font}
            texts[row, column] = ax.text(column, row, str(table[row, column]), **style)
    rectangle = importlib.import_module("matplotlib.patches").Rectangle
    edge = {"fill": False, "edgecolor": cluster_colors(2)[1], "linewidth": 1.8}
    frames = [
        ax.add_patch(rectangle((column - 0.47, row - 0.47), 0.94, 0.94, **edge))
        for row, column in contingency.matched
    ]
    _name_clusters(contingency.clusters, ax)
    _set_ticks(ax.yaxis, contingency.classes, ax.get_window_extent().height, 1)
    ax.set_ylabel("class", fontsize=_TEXT)
    ax.set_title(f"ACC = {contingency.accuracy:.3f} (framed: matched clusters)", fontsize=10)
    return image, texts, frames


def _name_clusters(clusters, ax):
    """Name the columns, upright where the names are long."""
    longest = max(len(short_name(name)) for name in clusters)
    upright = longest > 3
    _set_ticks(ax.xaxis, clusters, ax.get_window_extent().width, 1 if upright else longest)
    ax.tick_params(axis="x", labelrotation=90 if upright else 0)
    ax.set_xlabel("cluster", fontsize=_TEXT)


def _set_ticks(axis, names, pixels, n_characters):
    """Write as many names as there is room for, evenly."""
    room = pixels * 72 / axis.figure.dpi / len(names)
    needed = max(_LINE_HEIGHT, (n_characters + 1) * _CHARACTER_WIDTH) * _TEXT
    shown = range(0, len(names), int(np.ceil(needed / room)))
    axis.set_ticks(list(shown), [short_name(names[k]) for k in shown], fontsize=_TEXT)


def _fitting_font(counts, n_columns, ax, n_rows=1):
    """Return the font size at which numbers fit the cells of an Axes."""
    extent, longest = ax.get_window_extent(), len(str(np.max(counts)))
    width, height = extent.width / n_columns, extent.height / n_rows
    points = 72 / ax.figure.dpi
    return min(
        _TEXT,
        width * points / ((longest + 0.5) * _CHARACTER_WIDTH),
        height * points / _LINE_HEIGHT,
    )
