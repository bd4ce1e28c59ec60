"""Helpers for model selection over clusterings, and pipelines for streams."""

from sklearn_ddcl.model_selection._pipeline import IncrementalPipeline, make_incremental_pipeline
from sklearn_ddcl.model_selection._single_split import SingleSplit

__all__ = ["IncrementalPipeline", "SingleSplit", "make_incremental_pipeline"]
