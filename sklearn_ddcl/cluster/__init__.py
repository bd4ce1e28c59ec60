"""The estimators: numpy in, numpy out."""

from sklearn_ddcl.cluster._adversarial import AdversarialDeepClustering
from sklearn_ddcl.cluster._competitive import CompetitiveClustering
from sklearn_ddcl.cluster._ddcl import DDCLClustering
from sklearn_ddcl.cluster._deep_cluster import DeepClusterBaseline
from sklearn_ddcl.cluster._incremental import IncrementalDDCL
from sklearn_ddcl.cluster._online import OnlineDeepClustering

__all__ = [
    "AdversarialDeepClustering",
    "CompetitiveClustering",
    "DDCLClustering",
    "DeepClusterBaseline",
    "IncrementalDDCL",
    "OnlineDeepClustering",
]
