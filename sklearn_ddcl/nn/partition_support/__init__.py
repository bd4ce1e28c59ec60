"""What keeps clusters in use in training: assignments of whole batches, and penalties."""

from sklearn_ddcl.nn.partition_support._base import PartitionSupport
from sklearn_ddcl.nn.partition_support._combination import (
    CombinationAssignment,
    combination_assignment,
    combination_objective,
)
from sklearn_ddcl.nn.partition_support._entropy import MarginalEntropy, marginal_entropy
from sklearn_ddcl.nn.partition_support._refinement import refine_combination
from sklearn_ddcl.nn.partition_support._sinkhorn import SinkhornAssignment, sinkhorn_assignment
from sklearn_ddcl.nn.partition_support._sum_of_squares import SumOfSquares, sum_of_squares

__all__ = [
    "CombinationAssignment",
    "MarginalEntropy",
    "PartitionSupport",
    "SinkhornAssignment",
    "SumOfSquares",
    "combination_assignment",
    "combination_objective",
    "marginal_entropy",
    "refine_combination",
    "sinkhorn_assignment",
    "sum_of_squares",
]
