"""Helpers shared by the estimators: validation of input and reporting of progress."""

from sklearn_ddcl.utils._reporting import make_reporter
from sklearn_ddcl.utils._validation import check_weights, scale_weights

__all__ = ["check_weights", "make_reporter", "scale_weights"]
