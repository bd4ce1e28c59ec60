"""Several prototypes for each cluster on given features."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.engine._grouping import Grouped, group_rows
from sklearn_ddcl.engine._joining import (
    RESTARTS,
    JoinedPrototypes,
    join_prototypes,
    seed_prototypes,
)
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device

__all__ = ["JoinedResult", "fit_joined"]


class JoinedResult(NamedTuple):
    """Clusters of joined prototypes.

    Attributes
    ----------
    clusters : Grouped
        Prototypes, clusters and labels.
    joined : JoinedPrototypes
        Where they come from: agreement and gaps.
    """

    clusters: Grouped
    joined: JoinedPrototypes


def fit_joined(
    features: np.ndarray,
    weight: np.ndarray | None,
    n_clusters: int | None,
    n_prototypes: int,
    device: str,
    seed: int,
) -> JoinedResult:
    """Find prototypes of given features and join them into clusters.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Finite features, float32 or float64.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    n_clusters : int or None
        Number of clusters; None lets the topology decide.
    n_prototypes : int
        Number of prototypes.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.

    Returns
    -------
    JoinedResult
        The fitted clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import fit_joined
    >>> z = np.r_[np.linspace(0, 1, 60), np.linspace(5, 6, 40)][:, None]
    >>> fit_joined(z, None, 2, 10, "cpu", 0).clusters.labels[[0, 59, 60]]
    array([0, 0, 1], dtype=int32)
    """
    generator = make_generator(seed)
    used = slice(None) if weight is None else np.flatnonzero(weight > 0)
    z, share = features[used], None if weight is None else weight[used]
    first = seed_prototypes(z, share, min(n_prototypes, len(z)), generator)
    place = resolve_device(device, float_type(z.dtype))
    joined = join_prototypes(z, share, n_clusters, first, RESTARTS, place, generator)
    return JoinedResult(group_rows(features, weight, joined, device), joined)
