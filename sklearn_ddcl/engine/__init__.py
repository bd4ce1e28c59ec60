"""Training and inference in torch: configuration in, numpy results out."""

from sklearn_ddcl.engine._build import (
    resolve_flow,
    resolve_regularization,
    resolve_temperature,
)
from sklearn_ddcl.engine._config import ReducedConfig, ReducedFlow, Regularization
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._inference import assignments, distances, nearest, nearest_two
from sklearn_ddcl.engine._joint import JointResult, fit_joint
from sklearn_ddcl.engine._joint_config import JointConfig
from sklearn_ddcl.engine._module import make_module
from sklearn_ddcl.engine._phases import FourPhases
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._pretraining import fit_pretext
from sklearn_ddcl.engine._reduced import ReducedResult, fit_reduced
from sklearn_ddcl.engine._training_options import JointTraining

__all__ = [
    "FourPhases",
    "JointConfig",
    "JointResult",
    "JointTraining",
    "PretextTask",
    "ReducedConfig",
    "ReducedFlow",
    "ReducedResult",
    "Regularization",
    "assignments",
    "distances",
    "encode_rows",
    "fit_joint",
    "fit_pretext",
    "fit_reduced",
    "make_module",
    "nearest",
    "nearest_two",
    "resolve_flow",
    "resolve_regularization",
    "resolve_temperature",
]
