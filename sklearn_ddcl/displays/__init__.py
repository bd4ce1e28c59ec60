"""Plots as objects: data in, drawing when asked, in the way of scikit-learn's displays."""

from sklearn_ddcl.displays._dynamics import TrainingDynamicsDisplay
from sklearn_ddcl.displays._embedding import EmbeddingDisplay
from sklearn_ddcl.displays._partition import PartitionDisplay
from sklearn_ddcl.displays._prototypes import PrototypeDisplay
from sklearn_ddcl.displays._topology import TopologyDisplay

__all__ = [
    "EmbeddingDisplay",
    "PartitionDisplay",
    "PrototypeDisplay",
    "TopologyDisplay",
    "TrainingDynamicsDisplay",
]
