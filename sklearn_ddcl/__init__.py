"""Deep Dual Competitive Learning: deep clustering with the scikit-learn interface."""

from sklearn_ddcl._version import __version__
from sklearn_ddcl.cluster import (
    AdversarialDeepClustering,
    CompetitiveClustering,
    DDCLClustering,
    DeepClusterBaseline,
    IncrementalDDCL,
    OnlineDeepClustering,
)

__all__ = [
    "AdversarialDeepClustering",
    "CompetitiveClustering",
    "DDCLClustering",
    "DeepClusterBaseline",
    "IncrementalDDCL",
    "OnlineDeepClustering",
    "__version__",
]
