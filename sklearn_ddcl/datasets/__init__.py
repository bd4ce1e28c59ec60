"""The papers' synthetic data sets, streams that drift, and sets of images."""

from sklearn_ddcl.datasets._drifting import make_drifting_stream
from sklearn_ddcl.datasets._images import fetch_image_set
from sklearn_ddcl.datasets._madelon import make_madelon_clusters
from sklearn_ddcl.datasets._spiral import make_archimedean_spiral

__all__ = [
    "fetch_image_set",
    "make_archimedean_spiral",
    "make_drifting_stream",
    "make_madelon_clusters",
]
