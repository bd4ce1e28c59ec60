"""Warnings of the package; each subclasses the scikit-learn warning a user would filter."""

from sklearn.exceptions import ConvergenceWarning

__all__ = ["CollapseWarning"]


class CollapseWarning(ConvergenceWarning):
    """Fewer clusters are in use than were asked for.

    The message names the cause (duplicate samples, too high a final
    temperature, ...) and the cure. Fitted labels stay consecutive and
    ``n_active_clusters_`` tells how many clusters are left.
    """
