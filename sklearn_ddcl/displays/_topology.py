"""Display of prototypes and of the edges between them."""

import numpy as np

from sklearn_ddcl.displays._checks import finite_matrix, integer_labels, row_numbers
from sklearn_ddcl.displays._graph import estimator_graph
from sklearn_ddcl.displays._graph_plot import DrawnGraph, draw_graph
from sklearn_ddcl.displays._plane import drawing_plane


class TopologyDisplay:
    """Prototypes and the edges between them, over the samples.

    Colours tell clusters apart: those of the samples (small dots) and those of
    the prototypes (discs). An edge says that two prototypes are neighbours; it
    is the wider, the larger its weight. With more than six clusters, too many
    for colours alone, each has its number on one of its prototypes, unless
    numbers would overlap. Use `from_estimator`, or give arrays of your own.

    Parameters
    ----------
    points : array-like of shape (n_samples, 2) or None
        Samples drawn behind; None draws none.
    prototypes : array-like of shape (n_prototypes, 2)
        The prototypes.
    edges : array-like of shape (n_edges, 2)
        Row numbers of the two prototypes that each edge joins; may be empty.
    weights : array-like of shape (n_edges,), default=None
        Non-negative weights of the edges; None draws all alike.
    labels : array-like of shape (n_samples,), default=None
        Cluster of each sample, any integers; None draws the samples grey.
    prototype_labels : array-like of shape (n_prototypes,), default=None
        Cluster of each prototype, numbered as in `labels`; None draws the
        prototypes white.
    axis_names : tuple of (str, str), default=None
        Labels of the axes.

    Attributes
    ----------
    points_ : matplotlib PathCollection or None
        The samples drawn, in the order of their rows.
    edges_ : matplotlib LineCollection
        The edges drawn, in their order.
    prototypes_ : matplotlib PathCollection
        The prototypes drawn, in the order of their rows.
    ax_ : matplotlib Axes
        The Axes drawn on.
    figure_ : matplotlib Figure
        The figure drawn on.

    See Also
    --------
    PrototypeDisplay : Prototypes as images, or numbered with their samples.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn_ddcl import DDCLClustering
    >>> from sklearn_ddcl.displays import TopologyDisplay
    >>> X, _ = make_moons(300, noise=0.05, random_state=0)
    >>> model = DDCLClustering(2, backbone=None, prototypes_per_cluster=10, random_state=0).fit(X)
    >>> display = TopologyDisplay.from_estimator(model, X)
    >>> len(display.prototypes_.get_offsets())
    20
    """

    def __init__(
        self,
        points,
        prototypes,
        edges,
        *,
        weights=None,
        labels=None,
        prototype_labels=None,
        axis_names=None,
    ):
        self.points = points
        self.prototypes = prototypes
        self.edges = edges
        self.weights = weights
        self.labels = labels
        self.prototype_labels = prototype_labels
        self.axis_names = axis_names

    @classmethod
    def from_estimator(cls, estimator, X, *, labels=None, ax=None):
        """Draw the topology that a fitted clusterer found.

        The prototypes are the estimator's ``prototypes_``, or its
        ``cluster_centers_`` where these are all it has; the samples are drawn in
        the same space, as `encode` gives them. More than two features are
        projected onto the two principal components of the samples, on which
        prototypes can come to lie close that are not. The edges are those of
        ``adjacency_``, or of the competitive Hebbian rule, which joins the
        first and the second winner of each sample.

        Parameters
        ----------
        estimator : estimator instance
            A fitted clusterer, or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Samples.
        labels : array-like of shape (n_samples,), default=None
            Colours of the samples by these integers, such as their classes;
            None colours them by the estimator's `predict`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TopologyDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no prototypes, or if `X` or `labels` do not
            fit.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.cluster import KMeans
        >>> from sklearn.datasets import load_iris
        >>> from sklearn_ddcl.displays import TopologyDisplay
        >>> X = load_iris().data
        >>> model = KMeans(6, random_state=0).fit(X)
        >>> display = TopologyDisplay.from_estimator(model, X)
        >>> display.ax_.get_xlabel()
        'principal component 1 (92% of the variance)'
        """
        graph = estimator_graph(estimator, X)
        points = finite_matrix(graph.features, "X")
        plane = drawing_plane(points)
        display = cls(
            plane.project(points),
            plane.project(graph.prototypes),
            graph.edges,
            weights=graph.weights,
            labels=estimator.predict(X) if labels is None else labels,
            prototype_labels=graph.clusters,
            axis_names=plane.names,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw samples, edges and prototypes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TopologyDisplay
            This object, with the attributes that end in an underscore.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the arrays are not finite, not of two features, or do not fit
            each other.
        """
        prototypes = finite_matrix(self.prototypes, "prototypes", n_columns=2)
        points, rows = None, None
        if self.points is not None:
            points = finite_matrix(self.points, "points", n_columns=2)
            rows = (len(points), "points")
        edges = _edges(self.edges, len(prototypes))
        drawn = draw_graph(
            DrawnGraph(
                points,
                prototypes,
                edges,
                _weights(self.weights, len(edges)),
                integer_labels(self.labels, "labels", rows),
                integer_labels(
                    self.prototype_labels, "prototype_labels", (len(prototypes), "prototypes")
                ),
            ),
            ax,
        )
        self.points_, self.edges_, self.prototypes_, self.ax_ = drawn
        if self.axis_names is not None:
            self.ax_.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        self.figure_ = self.ax_.figure
        return self


def _edges(values, n_prototypes):
    """Return pairs of row numbers of prototypes."""
    edges = np.asarray(values)
    if edges.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(
            "edges must be an array of integers of shape (n_edges, 2), "
            f"got shape {edges.shape} and dtype {edges.dtype}."
        )
    return row_numbers(edges, "edges", n_prototypes)


def _weights(values, n_edges):
    """Return one finite non-negative weight an edge, or None."""
    if values is None:
        return None
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != (n_edges,):
        raise ValueError(
            f"weights must have one entry for each of {n_edges} edges, got shape {weights.shape}."
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("weights must be finite and not negative.")
    return weights
