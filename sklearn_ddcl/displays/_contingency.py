"""Counts of a partition, its clusters in the order of the classes that they are matched to."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.metrics import clustering_accuracy_score, hungarian_match
from sklearn_ddcl.metrics._validation import encode_labels


class Contingency(NamedTuple):
    """Clusters, and how many samples of each class they hold.

    Attributes
    ----------
    clusters : list of length n_clusters
        Names of the clusters, in the order drawn.
    sizes : ndarray of shape (n_clusters,)
        How many samples each holds.
    classes : list of length n_classes
        Names of the classes; empty where none are known.
    table : ndarray of shape (n_classes, n_clusters)
        Counts.
    matched : list of (int, int)
        Row and column of each class with a cluster.
    accuracy : float
        Share of samples in matched cells; NaN where no classes are known.
    """

    clusters: list
    sizes: np.ndarray
    classes: list
    table: np.ndarray
    matched: list[tuple[int, int]]
    accuracy: float


def count_partition(labels, y=None):
    """Count the samples of clusters and of classes in them.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Cluster of each sample: integers, booleans, strings or objects.
    y : array-like of shape (n_samples,), default=None
        Class of each sample, of the same kinds.

    Returns
    -------
    contingency : Contingency
        With `y`, clusters come in the order of the classes that the Hungarian
        algorithm matches them to, those without a class behind.

    Raises
    ------
    ValueError
        If labels are empty, not one-dimensional, missing, not discrete, or of
        unequal number.
    """
    clusters, codes = encode_labels(labels, "labels")
    sizes = np.bincount(codes, minlength=len(clusters))
    if y is None:
        return Contingency(clusters, sizes, [], np.empty((0, len(clusters)), int), [], np.nan)
    classes, rows = encode_labels(y, "y")
    if len(rows) != len(codes):
        raise ValueError(
            f"y must have one entry for each of {len(codes)} labels, got {len(rows)}."
        )
    match = hungarian_match(rows, codes)
    order = np.array(sorted(range(len(clusters)), key=lambda j: (match.get(j, len(classes)), j)))
    table = np.zeros((len(classes), len(clusters)), dtype=int)
    np.add.at(table, (rows, codes), 1)
    matched = [(match[j], place) for place, j in enumerate(order.tolist()) if j in match]
    return Contingency(
        [clusters[j] for j in order],
        sizes[order],
        classes,
        table[:, order],
        matched,
        clustering_accuracy_score(rows, codes),
    )
