"""Prototypes as numbered points over a scatter of two-dimensional samples."""

import numpy as np

from sklearn_ddcl.displays._matplotlib import (
    cluster_colors,
    drawn_gaps,
    open_axes,
    place_legend,
    scatter_samples,
)

_LARGEST_LEGEND = 12
_DISC_POINTS = 15.0
_DOT_POINTS = 6.0


def draw_points(prototypes, titles, samples, ax):
    """Draw prototypes, and behind them samples in the colours of their clusters.

    Parameters
    ----------
    prototypes : ndarray of shape (n_prototypes, 2)
        Positions of the prototypes.
    titles : list of str
        One title a prototype, for the legend (drawn for up to 12).
    samples : tuple of (ndarray of shape (n_samples, 2), ndarray or None) or None
        Samples and their clusters as row numbers of `prototypes`; None for the
        clusters draws grey samples.
    ax : matplotlib Axes or None
        Where to draw; None makes a figure.

    Returns
    -------
    ax : matplotlib Axes
        The Axes drawn on.
    """
    ax, outside = open_axes(ax, "PrototypeDisplay.plot")
    colors = cluster_colors(len(prototypes))
    if samples is not None:
        X, clusters = samples
        scatter_samples(X, clusters, colors, ax)
    ax.update_datalim(prototypes)
    ax.autoscale_view()
    numbered = _discs_stay_apart(prototypes, ax)
    diameter = _DISC_POINTS if numbered else _DOT_POINTS
    for number, (position, color) in enumerate(zip(prototypes, colors, strict=True)):
        ax.plot(
            *position,
            marker="o",
            markersize=diameter,
            markerfacecolor="white" if numbered else color,
            markeredgecolor=color if numbered else "black",
            markeredgewidth=2 if numbered else 0.8,
            linestyle="none",
            label=titles[number].replace("\n", ", "),
            zorder=3,
        )
        if numbered:
            ax.text(*position, str(number), ha="center", va="center", fontsize=8, zorder=4)
    if len(prototypes) <= _LARGEST_LEGEND:
        place_legend(ax, outside, markerscale=0.5)
    return ax


def _discs_stay_apart(prototypes, ax):
    """Tell whether numbered discs around the prototypes would not overlap."""
    if len(prototypes) < 2:
        return True
    gaps = drawn_gaps(prototypes, ax)
    np.fill_diagonal(gaps, np.inf)
    return bool(gaps.min() > _DISC_POINTS + 2)
