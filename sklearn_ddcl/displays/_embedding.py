"""Display of samples in the plane, in the colours of their clusters or labels."""

from sklearn_ddcl.displays._checks import finite_matrix
from sklearn_ddcl.displays._latent import latent_space
from sklearn_ddcl.displays._matplotlib import (
    cluster_colors,
    mark_area,
    open_axes,
    place_legend,
    scatter_samples,
)
from sklearn_ddcl.displays._names import NAMED_BY_COLOR, legend_mark, short_name, write_names
from sklearn_ddcl.displays._plane import drawing_plane
from sklearn_ddcl.metrics._validation import encode_labels


class EmbeddingDisplay:
    """Samples as a clusterer sees them, in the plane, with its prototypes.

    Colours tell clusters, or labels of yours, apart. With more than six, too
    many for colours alone, each has its name on one of its samples, unless
    names would overlap. Use `from_estimator`, or give arrays of your own.

    Parameters
    ----------
    points : array-like of shape (n_samples, 2)
        The samples.
    labels : array-like of shape (n_samples,), default=None
        Cluster or class of each sample: integers, booleans, strings or objects;
        None draws the samples grey.
    prototypes : array-like of shape (n_prototypes, 2), default=None
        Prototypes to be marked.
    axis_names : tuple of (str, str), default=None
        Labels of the axes.
    label_name : str, default="cluster"
        What a label is, for the legend.

    Attributes
    ----------
    points_ : matplotlib PathCollection
        The samples drawn, in the order of their rows.
    prototypes_ : matplotlib PathCollection or None
        The prototypes drawn, in the order of their rows.
    ax_ : matplotlib Axes
        The Axes drawn on.
    figure_ : matplotlib Figure
        The figure drawn on.

    See Also
    --------
    TopologyDisplay : The edges between the prototypes too.
    PartitionDisplay : Clusters and classes as counts.

    Examples
    --------
    >>> from sklearn_ddcl.displays import EmbeddingDisplay
    >>> display = EmbeddingDisplay([[0, 0], [1, 1]], labels=["a", "b"], label_name="class").plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['class a', 'class b']
    """

    def __init__(
        self, points, *, labels=None, prototypes=None, axis_names=None, label_name="cluster"
    ):
        self.points = points
        self.labels = labels
        self.prototypes = prototypes
        self.axis_names = axis_names
        self.label_name = label_name

    @classmethod
    def from_estimator(cls, estimator, X, *, labels=None, ax=None):
        """Draw samples as a fitted clusterer encodes them.

        Two features are drawn as they are, more of them on the two leading
        principal components of the samples. What lies close there need not lie
        close in all features.

        Parameters
        ----------
        estimator : estimator instance
            A fitted clusterer with prototypes, or a Pipeline that ends in one.
            Without `encode`, its input is drawn.
        X : array-like of shape (n_samples, n_features)
            Samples.
        labels : array-like of shape (n_samples,), default=None
            Colours of the samples by these, such as their classes; None colours
            them by the estimator's `predict`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no prototypes, if it encodes to one feature, or
            if `X` or `labels` do not fit.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn_ddcl import DDCLClustering
        >>> from sklearn_ddcl.displays import EmbeddingDisplay
        >>> X = load_digits().data
        >>> ddcl = DDCLClustering(10, backbone=None, random_state=0).fit(X)
        >>> display = EmbeddingDisplay.from_estimator(ddcl, X)
        >>> display.ax_.get_xlabel()
        'principal component 1 (15% of the variance)'
        """
        latent = latent_space(estimator, X)
        features = finite_matrix(latent.features, "X")
        plane = drawing_plane(features)
        display = cls(
            plane.project(features),
            labels=estimator.predict(X) if labels is None else labels,
            prototypes=plane.project(latent.prototypes),
            axis_names=plane.names,
            label_name="cluster" if labels is None else "label",
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the samples, and the prototypes over them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay
            This object, with the attributes that end in an underscore.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the arrays are not finite, not of two features, or do not fit
            each other.
        """
        points = finite_matrix(self.points, "points", n_columns=2)
        names, codes = _encode(self.labels, len(points))
        marks = self.prototypes
        if marks is not None:
            marks = finite_matrix(marks, "prototypes", n_columns=2)
        self.ax_, own = open_axes(ax, "EmbeddingDisplay.plot")
        colors = cluster_colors(len(names))
        self.points_ = scatter_samples(points, codes, colors, self.ax_)
        self.prototypes_ = None if marks is None else _mark(marks, self.ax_)
        listed = list(zip(names, colors, strict=True))
        handles = [] if marks is None else [legend_mark("prototype", "white", 6, "black", "D")]
        if len(listed) > NAMED_BY_COLOR:
            self.ax_.autoscale_view()
            written = write_names(points, codes, listed, self.ax_, marks)
            sample = "$7$" if isinstance(names[0], int) else "$a$"
            room = "" if written == len(listed) else " (some have no room)"
            handles.append(legend_mark(f"a {self.label_name}{room}", "black", 6, marker=sample))
        else:
            handles += [
                legend_mark(f"{self.label_name} {short_name(name)}", color, 7)
                for name, color in listed
            ]
        if handles:
            place_legend(self.ax_, own, handles=handles)
        if self.axis_names is not None:
            self.ax_.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        self.figure_ = self.ax_.figure
        return self


def _encode(labels, n_samples):
    """Return the distinct labels and the position of each sample's among them."""
    if labels is None:
        return [], None
    names, codes = encode_labels(labels, "labels")
    if len(codes) != n_samples:
        raise ValueError(
            f"labels must have one entry for each of {n_samples} rows of points, got {len(codes)}."
        )
    return names, codes


def _mark(prototypes, ax):
    """Mark prototypes so that they stand out from samples of any colour."""
    return ax.scatter(
        *prototypes.T, s=mark_area(len(prototypes)), c="white", marker="D", edgecolors="black",
        linewidths=0.9, zorder=3,
    )  # fmt: skip
