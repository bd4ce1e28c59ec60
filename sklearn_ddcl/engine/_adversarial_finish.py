"""The clusters of an adversarial fit: by nearest centres, joined prototypes, or Gaussians."""

from typing import NamedTuple

import numpy as np
import torch

from sklearn_ddcl.engine._grouping import Grouped, group_rows
from sklearn_ddcl.engine._inference import nearest_sets
from sklearn_ddcl.engine._joining import RESTARTS, join_prototypes
from sklearn_ddcl.engine._labelling import label_rows
from sklearn_ddcl.engine._mixture import Mixture, posterior

__all__ = ["Finished", "finish_gaussian", "finish_nearest"]


class Finished(NamedTuple):
    """Clusters, and the mixture whose posterior decides of them.

    Attributes
    ----------
    clusters : Grouped
        Centres or prototypes in use, their clusters, labels and inertia.
    mixture : Mixture or None
        The Gaussians in the order of the clusters, in the dtype of the
        features; None where the nearest prototype decides.
    """

    clusters: Grouped
    mixture: Mixture | None = None


def finish_nearest(
    features: np.ndarray,
    weight: np.ndarray | None,
    means: np.ndarray,
    n_clusters: int,
    device: str,
    generator: torch.Generator,
) -> Finished:
    """Make clusters of means: each is one, or more of them are joined.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Features of all rows.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    means : ndarray of shape (m, d)
        Means of the last mixture.
    n_clusters : int
        Number of clusters k: where there are more means they are joined.
    device : str
        Device name or "auto".
    generator : torch.Generator
        Source of the restarts' seeds.

    Returns
    -------
    Finished
        The clusters.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> z = np.array([[0.0], [1.0], [9.0]])
    >>> finish_nearest(z, None, z[1:], 2, "cpu", torch.Generator()).clusters.labels
    array([0, 0, 1], dtype=int32)
    """
    start = means.astype(features.dtype)
    if len(start) > n_clusters:
        used = slice(None) if weight is None else np.flatnonzero(weight > 0)
        share = None if weight is None else weight[used]
        joined = join_prototypes(
            features[used], share, n_clusters, start, RESTARTS, torch.device("cpu"), generator
        )
        return Finished(group_rows(features, weight, joined, device))
    found = label_rows(features, weight, start, device)
    groups = np.arange(len(found.prototypes), dtype=np.int32)
    return Finished(
        Grouped(found.prototypes, groups, found.prototypes, found.labels, found.inertia)
    )


def finish_gaussian(
    features: np.ndarray, weight: np.ndarray | None, mixture: Mixture, device: str
) -> Finished:
    """Make clusters of the Gaussians that are the likeliest of any row.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Features of all rows.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    mixture : Mixture
        The last mixture.
    device : str
        Device name or "auto".

    Returns
    -------
    Finished
        Clusters numbered by falling weight, of those Gaussians.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((2, 1))
    >>> mixture = Mixture(one[:, 0] / 2, np.array([[9.0], [0.0]]), one, 0.0)
    >>> finish_gaussian(np.array([[0.0], [1.0], [9.0]]), None, mixture, "cpu").clusters.labels
    array([0, 0, 1], dtype=int32)
    """
    kind = features.dtype
    least = np.finfo(kind).tiny  # a positive share or variance may be 0 in float32
    rounded = Mixture(
        np.maximum(mixture.weights.astype(kind), least),
        mixture.means.astype(kind),
        np.maximum(mixture.variances.astype(kind), least),
        mixture.score,
    )
    labels = posterior(rounded, features).argmax(axis=1)
    mass = np.bincount(labels, weight, minlength=len(rounded.means))
    order = np.argsort(-mass, kind="stable")
    kept = order[mass[order] > 0]
    final = Mixture(
        rounded.weights[kept] / rounded.weights[kept].sum(),
        rounded.means[kept],
        rounded.variances[kept],
        rounded.score,
    )
    labels = posterior(final, features).argmax(axis=1).astype(np.int32)
    inertia = nearest_sets(features, final.means, weight, device).inertia
    groups = np.arange(len(kept), dtype=np.int32)
    return Finished(Grouped(final.means, groups, final.means, labels, inertia), final)
