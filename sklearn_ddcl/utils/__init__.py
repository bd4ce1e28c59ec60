"""Helpers shared by the estimators: validation of input and reporting of progress."""

from sklearn_ddcl.utils._reporting import make_reporter
from sklearn_ddcl.utils._validation import (
    HasMethods,
    Interval,
    StrOptions,
    check_weights,
    fit_context,
    scale_weights,
)

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_weights",
    "fit_context",
    "make_reporter",
    "scale_weights",
]
