"""Deep Dual Competitive Learning: deep clustering with the scikit-learn interface."""

from sklearn_ddcl._version import __version__
from sklearn_ddcl.cluster import DDCLClustering, IncrementalDDCL

__all__ = ["DDCLClustering", "IncrementalDDCL", "__version__"]
