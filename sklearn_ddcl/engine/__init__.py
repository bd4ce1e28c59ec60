"""Training and inference in torch: configuration in, numpy results out."""

from sklearn_ddcl.engine._build import (
    resolve_flow,
    resolve_regularization,
    resolve_temperature,
)
from sklearn_ddcl.engine._config import ReducedConfig, ReducedFlow, Regularization
from sklearn_ddcl.engine._inference import assignments, distances, nearest, nearest_two
from sklearn_ddcl.engine._module import make_module
from sklearn_ddcl.engine._reduced import ReducedResult, fit_reduced

__all__ = [
    "ReducedConfig",
    "ReducedFlow",
    "ReducedResult",
    "Regularization",
    "assignments",
    "distances",
    "fit_reduced",
    "make_module",
    "nearest",
    "nearest_two",
    "resolve_flow",
    "resolve_regularization",
    "resolve_temperature",
]
