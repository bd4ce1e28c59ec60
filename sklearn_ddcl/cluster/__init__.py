"""The estimators: numpy in, numpy out."""

from sklearn_ddcl.cluster._ddcl import DDCLClustering

__all__ = ["DDCLClustering"]
