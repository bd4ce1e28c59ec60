"""Small objects that group options of the estimators.

Each has ``get_params`` and ``set_params``, so that a search reaches into it, as in
``GridSearchCV(estimator, {"temperature__minimum": [0.01, 0.1]})``.
"""

from sklearn_ddcl.engine import (
    Autoencoding,
    Discriminator,
    FourPhases,
    JointTraining,
    LatentMixture,
    NeighborContrast,
    ReducedFlow,
    Regularization,
    SimCLR,
    SoftmaxAssignment,
    WidrowHoff,
)
from sklearn_ddcl.nn.partition_support import (
    CombinationAssignment,
    MarginalEntropy,
    SinkhornAssignment,
    SumOfSquares,
)
from sklearn_ddcl.nn.schedules import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
)

__all__ = [
    "Autoencoding",
    "CombinationAssignment",
    "ConstantTemperature",
    "Discriminator",
    "ExponentialTemperature",
    "FourPhases",
    "GeometricTemperature",
    "JointTraining",
    "LatentMixture",
    "MarginalEntropy",
    "NeighborContrast",
    "ReducedFlow",
    "Regularization",
    "SimCLR",
    "SinkhornAssignment",
    "SoftmaxAssignment",
    "SumOfSquares",
    "WidrowHoff",
]
