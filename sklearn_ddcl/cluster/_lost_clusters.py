"""The warning of a fit that has fewer clusters than were asked for."""

import warnings

from sklearn_ddcl.exceptions import CollapseWarning

__all__ = ["COINCIDING_FEATURES", "warn_of_lost_clusters"]

# What deep estimators say before the last cure, which is their own.
COINCIDING_FEATURES = (
    "X may have fewer distinct samples than that, or the backbone gives different samples the "
    "same features. Lower n_clusters, epochs or learning_rate, or "
)


def warn_of_lost_clusters(estimator, causes):
    """Warn of clusters that are not in use, from within a validated method.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``n_clusters`` and ``n_active_clusters_``.
    causes : str
        Likely causes, and what to do, as a sentence goes on.

    Warns
    -----
    CollapseWarning
        If fewer than ``n_clusters`` clusters are in use.
    """
    if estimator.n_active_clusters_ < estimator.n_clusters:
        warnings.warn(
            f"{estimator.n_active_clusters_} of n_clusters={estimator.n_clusters} clusters are in "
            f"use: {causes}",
            CollapseWarning,
            stacklevel=4,  # through the method and its validating wrapper
        )
