"""Access to matplotlib, an optional dependency, and colours that everyone can tell apart."""

import importlib

import numpy as np

# Okabe and Ito's palette without black and yellow: apart for all common forms of colour
# blindness, and dark enough on white.
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


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
