"""The graph of a fitted clusterer: its prototypes, their clusters, and the edges between them."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.displays._latent import dense, latent_space
from sklearn_ddcl.metrics._nearest import nearest_two


class PrototypeGraph(NamedTuple):
    """Prototypes in feature space and the edges between them.

    Attributes
    ----------
    features : ndarray of shape (n_samples, n_features)
        The samples in the space of the prototypes.
    prototypes : ndarray of shape (n_prototypes, n_features)
        The prototypes.
    edges : ndarray of shape (n_edges, 2)
        Row numbers of the prototypes that each edge joins, the lower first.
    weights : ndarray of shape (n_edges,)
        How many samples each edge stands for, or its entry of ``adjacency_``.
    clusters : ndarray of shape (n_prototypes,)
        Cluster of each prototype.
    """

    features: np.ndarray
    prototypes: np.ndarray
    edges: np.ndarray
    weights: np.ndarray
    clusters: np.ndarray


def estimator_graph(estimator, X):
    """Read the graph of a fitted clusterer.

    Parameters
    ----------
    estimator : estimator instance
        With ``prototypes_`` or ``cluster_centers_``, or a Pipeline that ends in
        such a one.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    graph : PrototypeGraph
        Edges are those of ``adjacency_`` where the estimator has it, else those
        of the competitive Hebbian rule on the samples.

    Raises
    ------
    ValueError
        If there are no prototypes, or if they and the samples differ in their
        number of features.
    """
    final, features, prototypes = latent_space(estimator, X)
    if hasattr(final, "adjacency_"):
        edges, weights = adjacency_edges(final.adjacency_, len(prototypes))
    else:
        edges, weights = hebbian_edges(features, prototypes)
    return PrototypeGraph(features, prototypes, edges, weights, _clusters(final, len(prototypes)))


def _clusters(final, n_prototypes):
    """Return the cluster of each prototype; its own number, where nothing is said of it."""
    for name in ("component_labels_", "prototype_labels_"):
        if hasattr(final, name):
            return np.asarray(getattr(final, name))
    return np.arange(n_prototypes)


def adjacency_edges(adjacency, n_prototypes):
    """List the edges of an adjacency matrix.

    Parameters
    ----------
    adjacency : {array-like, sparse matrix} of shape (n_prototypes, n_prototypes)
        Symmetric; the diagonal is not read.
    n_prototypes : int
        How many prototypes there are.

    Returns
    -------
    edges : ndarray of shape (n_edges, 2)
        Pairs of row numbers, the lower first.
    weights : ndarray of shape (n_edges,)
        Their entries.

    Raises
    ------
    ValueError
        If the matrix has another shape.
    """
    if np.shape(adjacency) != (n_prototypes, n_prototypes):
        raise ValueError(
            f"adjacency_ must have shape ({n_prototypes}, {n_prototypes}), got "
            f"{np.shape(adjacency)}."
        )
    upper = np.triu(dense(adjacency), k=1)
    edges = np.argwhere(upper)
    return edges, upper[tuple(edges.T)]


def hebbian_edges(features, prototypes):
    """Join the first and the second winner of each sample.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Samples in the space of the prototypes.
    prototypes : ndarray of shape (n_prototypes, n_features)
        The prototypes.

    Returns
    -------
    edges : ndarray of shape (n_edges, 2)
        Pairs of row numbers, the lower first.
    weights : ndarray of shape (n_edges,)
        How many samples have these winners.
    """
    if len(prototypes) < 2:
        return np.empty((0, 2), dtype=np.intp), np.empty(0)
    winners, _ = nearest_two(features, prototypes)
    lower, upper = np.sort(winners, axis=1).T
    codes, counts = np.unique(lower * len(prototypes) + upper, return_counts=True)
    return np.column_stack(divmod(codes, len(prototypes))), counts.astype(np.float64)
