"""Where a display finds its prototypes: in an estimator, or among the samples."""

import numpy as np

from sklearn_ddcl.utils import final_step


def estimator_prototypes(estimator):
    """Return the centres of a fitted clusterer in its input space.

    Parameters
    ----------
    estimator : estimator instance
        With `cluster_centers_`, or a Pipeline whose last step has them and
        whose other steps have `inverse_transform`.

    Returns
    -------
    prototypes : ndarray of shape (n_clusters, n_features)
        The centres.

    Raises
    ------
    ValueError
        If there are no centres, or if they cannot be mapped back: those of
        learned features cannot.
    """
    final = final_step(estimator)
    if not hasattr(final, "cluster_centers_"):
        raise ValueError(
            f"estimator must be fitted and have cluster_centers_, got {type(final).__name__}."
        )
    if getattr(final, "backbone", None) is not None:
        raise ValueError(
            f"the centres of {type(final).__name__} with backbone={final.backbone!r} are latent "
            "and cannot be drawn among the samples; use show='nearest' with X, or "
            "PrototypeDisplay.from_prototypes with the clusters' mean samples."
        )
    prototypes = np.asarray(final.cluster_centers_)
    if final is estimator or len(estimator.steps) == 1:
        return prototypes
    before = estimator[:-1]
    if not hasattr(before, "inverse_transform"):
        raise ValueError(
            "the steps before the clusterer must have inverse_transform, got "
            f"{[name for name, _ in before.steps]}; use show='nearest' with X instead."
        )
    return np.asarray(before.inverse_transform(prototypes))


def nearest_samples(estimator, X):
    """Return for each cluster the sample nearest to its prototype.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, with a `transform` that returns distances to the prototypes.
    X : array-like of shape (n_samples, n_features)
        The samples.

    Returns
    -------
    samples : ndarray of shape (n_clusters, n_features)
        One row of `X` a cluster.

    Raises
    ------
    ValueError
        If `transform` is missing.
    """
    if not hasattr(estimator, "transform"):
        raise ValueError(
            "estimator must be fitted and have transform (distances to the prototypes) for "
            f"show='nearest', got {type(estimator).__name__}."
        )
    distances = np.asarray(estimator.transform(X))
    return np.asarray(X)[distances.argmin(axis=0)]
