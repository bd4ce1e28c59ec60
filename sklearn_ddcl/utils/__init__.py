"""Helpers shared by the estimators: input, its validation, and reporting of progress."""

from sklearn_ddcl.utils._fitting import draw_seed, kept_on_error
from sklearn_ddcl.utils._pipelines import estimator_history, final_step
from sklearn_ddcl.utils._reporting import make_reporter
from sklearn_ddcl.utils._sources import is_table, iterate_batches, release_pages
from sklearn_ddcl.utils._validation import check_weights, scale_weights

__all__ = [
    "check_weights",
    "draw_seed",
    "estimator_history",
    "final_step",
    "is_table",
    "iterate_batches",
    "kept_on_error",
    "make_reporter",
    "release_pages",
    "scale_weights",
]
