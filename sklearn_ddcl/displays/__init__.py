"""Plots as objects: data in, drawing when asked, in the way of scikit-learn's displays."""

from sklearn_ddcl.displays._prototypes import PrototypeDisplay

__all__ = ["PrototypeDisplay"]
