"""Generators of the synthetic data sets of the papers, and of streams that drift."""

from sklearn_ddcl.datasets._drifting import make_drifting_stream
from sklearn_ddcl.datasets._madelon import make_madelon_clusters
from sklearn_ddcl.datasets._spiral import make_archimedean_spiral

__all__ = ["make_archimedean_spiral", "make_drifting_stream", "make_madelon_clusters"]
