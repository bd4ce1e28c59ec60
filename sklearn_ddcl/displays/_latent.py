"""The space in which a fitted clusterer has its prototypes, and samples in it."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.utils import final_step


class Latent(NamedTuple):
    """Samples and prototypes in one space.

    Attributes
    ----------
    final : estimator instance
        The clusterer, out of its Pipeline.
    features : ndarray of shape (n_samples, n_features)
        The samples.
    prototypes : ndarray of shape (n_prototypes, n_features)
        The prototypes.
    """

    final: object
    features: np.ndarray
    prototypes: np.ndarray


def latent_space(estimator, X):
    """Bring samples to the space of a clusterer's prototypes.

    Parameters
    ----------
    estimator : estimator instance
        With ``prototypes_`` or ``cluster_centers_``, or a Pipeline that ends in
        such a one. What has `encode` is asked for its features.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    latent : Latent
        All prototypes, where the estimator has more than one a cluster.

    Raises
    ------
    ValueError
        If there are no prototypes, or if they and the samples differ in their
        number of features.
    """
    final, features = final_step(estimator), X
    if final is not estimator and len(estimator.steps) > 1:
        features = estimator[:-1].transform(X)
    prototypes = _prototypes(final)
    features = dense(final.encode(features) if hasattr(final, "encode") else features)
    if features.ndim != 2 or features.shape[1] != prototypes.shape[1]:
        raise ValueError(
            f"X must have {prototypes.shape[1]} features in the space of the prototypes, "
            f"got shape {features.shape}."
        )
    return Latent(final, features, prototypes)


def _prototypes(final):
    """Return the prototypes of an estimator; its centres, where these are all it has."""
    for name in ("prototypes_", "cluster_centers_"):
        if hasattr(final, name):
            return np.asarray(getattr(final, name), dtype=np.float64)
    raise ValueError(
        "estimator must be fitted and have prototypes_ or cluster_centers_, got "
        f"{type(final).__name__}."
    )


def dense(values):
    """Return an array of floats.

    Parameters
    ----------
    values : {array-like, sparse matrix} of shape (n, m)
        Numbers.

    Returns
    -------
    values : ndarray of shape (n, m), dtype float64
        The same numbers.
    """
    values = values.toarray() if hasattr(values, "toarray") else values
    return np.asarray(values, dtype=np.float64)
