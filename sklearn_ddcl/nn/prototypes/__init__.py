"""Prototype layers: from features to prototypes."""

from sklearn_ddcl.nn.prototypes._base import PrototypeGenerator
from sklearn_ddcl.nn.prototypes._deep_dual import DeepDualPrototypes
from sklearn_ddcl.nn.prototypes._dual import (
    DualPrototypes,
    dual_prototypes,
    exact_dual_weights,
    random_dual_weights,
)
from sklearn_ddcl.nn.prototypes._gram import (
    gram_step,
    normalized_dual_learning_rate,
    small_gram,
    span_step,
)
from sklearn_ddcl.nn.prototypes._memory_bank import DualMemoryBank
from sklearn_ddcl.nn.prototypes._vanilla import VanillaPrototypes

__all__ = [
    "DeepDualPrototypes",
    "DualMemoryBank",
    "DualPrototypes",
    "PrototypeGenerator",
    "VanillaPrototypes",
    "dual_prototypes",
    "exact_dual_weights",
    "gram_step",
    "normalized_dual_learning_rate",
    "random_dual_weights",
    "small_gram",
    "span_step",
]
