"""Helpers shared by the estimators: input, its validation, and reporting of progress."""

from sklearn_ddcl.utils._reporting import make_reporter
from sklearn_ddcl.utils._sources import is_table, iterate_batches, release_pages
from sklearn_ddcl.utils._validation import check_weights, scale_weights

__all__ = [
    "check_weights",
    "is_table",
    "iterate_batches",
    "make_reporter",
    "release_pages",
    "scale_weights",
]
