"""Prototypes as numbered points over a scatter of two-dimensional samples."""

import numpy as np

from sklearn_ddcl.displays._matplotlib import cluster_colors, import_pyplot

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
    outside = ax is None
    if outside:
        pyplot = import_pyplot("PrototypeDisplay.plot")
        _, ax = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    colors = cluster_colors(len(prototypes))
    if samples is not None:
        _draw_samples(*samples, colors, ax)
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
        # Beside an Axes of the user's there may be another one.
        place = (
            {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if outside else {"loc": "best"}
        )
        ax.legend(fontsize=8, frameon=not outside, markerscale=0.5, **place)
    return ax


def _draw_samples(X, clusters, colors, ax):
    """Scatter the samples, cluster by cluster; as pixels, to keep vector files small."""
    style = {"s": 12, "alpha": 0.6, "linewidths": 0, "rasterized": True}
    if clusters is None:
        ax.scatter(*X.T, color="0.5", **style)
        return
    for number, color in enumerate(colors):
        ax.scatter(*X[clusters == number].T, color=color, **style)


def _discs_stay_apart(prototypes, ax):
    """Tell whether numbered discs around the prototypes would not overlap."""
    points = ax.transData.transform(prototypes) * 72 / ax.figure.dpi
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    # A legend beside the Axes takes about a third of its width afterwards.
    return bool(gaps.min() * 2 / 3 > _DISC_POINTS + 2) if len(gaps) > 1 else True
