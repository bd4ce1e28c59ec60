"""Access to matplotlib, an optional dependency, and what all drawings of points share."""

import importlib

import numpy as np

# Okabe and Ito's palette without black and yellow: apart for all common forms of colour
# blindness, and dark enough on white.
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARK_AREAS, _FULL_MARKS = (14.0, 42.0), 40


def import_pyplot(caller):
    """Import ``matplotlib.pyplot``, or say how to install it.

    Parameters
    ----------
    caller : str
        The public name that needs it, for the error message.

    Returns
    -------
    pyplot : module
        ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed. "
            "Install it with `pip install sklearn-ddcl[plot]`."
        ) from error


def cluster_colors(n_clusters):
    """Return one colour a cluster.

    Parameters
    ----------
    n_clusters : int
        How many are needed.

    Returns
    -------
    colors : list of length n_clusters
        Six distinct hues, or beyond that an even walk through the map
        "viridis", where neighbours are told apart by the numbers drawn beside.
    """
    if n_clusters <= len(_OKABE_ITO):
        return list(_OKABE_ITO[:n_clusters])
    colormap = import_pyplot("cluster_colors").get_cmap("viridis")
    return [colormap(position) for position in np.linspace(0, 0.9, n_clusters)]


def open_axes(ax, caller):
    """Return the Axes to draw on.

    Parameters
    ----------
    ax : matplotlib Axes or None
        The user's; None makes a figure.
    caller : str
        The public name that needs it, for the error message.

    Returns
    -------
    ax : matplotlib Axes
        The Axes.
    own : bool
        Whether it was made here.
    """
    if ax is not None:
        return ax, False
    _, ax = import_pyplot(caller).subplots(figsize=(6.4, 4.2), layout="constrained")
    return ax, True


def one_axes_each(ax, panels):
    """Return the user's Axes, one a panel.

    Parameters
    ----------
    ax : matplotlib Axes or array-like of Axes
        The user's.
    panels : sequence of str
        Names of the panels, for the error message.

    Returns
    -------
    axes : ndarray of Axes of shape (n_panels,)
        The same Axes.

    Raises
    ------
    ValueError
        If there are more or fewer Axes than panels.
    """
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) != len(panels):
        raise ValueError(
            f"ax must have one Axes for each of the {len(panels)} panels {list(panels)}, got "
            f"{len(axes)}."
        )
    return axes


def place_legend(ax, own, **options):
    """Draw a legend that covers nothing of a figure made here.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    own : bool
        Whether the Axes was made here: the legend then stands beside it. Beside
        an Axes of the user's there may be another one.
    options : dict
        Passed on to ``Axes.legend``.
    """
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if own else {"loc": "best"}
    ax.legend(fontsize=8, frameon=not own, **place, **options)


def scatter_samples(X, clusters, colors, ax):
    """Scatter samples as pixels, which keeps vector files small.

    Parameters
    ----------
    X : ndarray of shape (n_samples, 2)
        The samples.
    clusters : ndarray of shape (n_samples,) or None
        Position in ``colors`` of each sample's colour; None draws them grey.
    colors : list of matplotlib colours
        One a cluster.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    samples : matplotlib PathCollection
        The samples drawn, in the order of their rows.
    """
    shades = "0.5"
    if clusters is not None:
        to_rgba = importlib.import_module("matplotlib.colors").to_rgba_array
        shades = to_rgba(colors)[clusters]
    return ax.scatter(*X.T, color=shades, s=12, alpha=0.6, linewidths=0, rasterized=True)


def mark_area(n_marks):
    """Choose how large to draw prototypes: the smaller, the more there are.

    Parameters
    ----------
    n_marks : int
        How many are drawn.

    Returns
    -------
    area : float
        In square points.
    """
    smallest, largest = _MARK_AREAS
    return max(smallest, largest * min(1.0, _FULL_MARKS / n_marks))


def drawn_offsets(positions, others, ax):
    """Measure how far apart things will stand on paper along each axis, at least.

    Parameters
    ----------
    positions, others : ndarray of shape (n, 2) and (m, 2)
        Where they are, in data units.
    ax : matplotlib Axes
        Where they are drawn, with its final limits.

    Returns
    -------
    offsets : ndarray of shape (n, m, 2)
        Not negative, in points.
    """
    one, other = (
        ax.transData.transform(part) * 72 / ax.figure.dpi for part in (positions, others)
    )
    # A legend beside the Axes takes about a third of its width afterwards.
    return np.abs(one[:, None] - other[None]) * 2 / 3


def drawn_gaps(positions, ax):
    """Measure how far apart things will stand on paper, at least.

    Parameters
    ----------
    positions : ndarray of shape (n, 2)
        Where they are, in data units.
    ax : matplotlib Axes
        Where they are drawn, with its final limits.

    Returns
    -------
    gaps : ndarray of shape (n, n)
        Distances in points.
    """
    return np.linalg.norm(drawn_offsets(positions, positions, ax), axis=2)
