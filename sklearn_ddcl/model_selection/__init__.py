"""Helpers for model selection over clusterings."""

from sklearn_ddcl.model_selection._single_split import SingleSplit

__all__ = ["SingleSplit"]
