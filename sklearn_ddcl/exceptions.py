"""Warnings of the package; each subclasses the scikit-learn warning a user would filter."""

from sklearn.exceptions import ConvergenceWarning

__all__ = ["CollapseWarning", "StabilityWarning"]


class CollapseWarning(ConvergenceWarning):
    """Fewer clusters are in use than were asked for, or features are on a line.

    The message names the cause (duplicate samples, too high a final
    temperature, no warm-up, ...) and the cure. Fitted labels stay consecutive
    and ``n_active_clusters_`` tells how many clusters are left.
    """


class StabilityWarning(ConvergenceWarning):
    """The backbone learns too fast for the prototypes to follow.

    The message names the ratio of learning rates, the bound on it (Corollary 5
    of the DDCL paper) and the cure.
    """
