"""What ``history_`` of a fit tells: the loss and its parts, feedback, stability, collapse."""

from sklearn_ddcl.diagnostics._collapse import CollapseReport, CollapseSign, collapse_report
from sklearn_ddcl.diagnostics._decomposition import LossDecomposition, loss_decomposition
from sklearn_ddcl.diagnostics._feedback import SeparationConcentration, separation_concentration
from sklearn_ddcl.diagnostics._records import History, read_history
from sklearn_ddcl.diagnostics._stability import StabilityBound, stability_bound

__all__ = [
    "CollapseReport",
    "CollapseSign",
    "History",
    "LossDecomposition",
    "SeparationConcentration",
    "StabilityBound",
    "collapse_report",
    "loss_decomposition",
    "read_history",
    "separation_concentration",
    "stability_bound",
]
