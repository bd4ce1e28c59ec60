"""Display of a partition: sizes of its clusters, and classes in them."""

from sklearn_ddcl.displays._contingency import count_partition
from sklearn_ddcl.displays._matplotlib import one_axes_each
from sklearn_ddcl.displays._partition_plot import draw_sizes, draw_table, make_partition_axes


class PartitionDisplay:
    """Cluster sizes as bars and, where classes are known, classes in clusters.

    The table has a row for each class and a column for each cluster, in the
    order of the classes that the clusters are matched to, so that agreement
    lies on the diagonal; clusters without a class come last. Empty cells are 0;
    counts are left out where they could not be read. Clusters without samples
    are not drawn. Use `from_estimator` or `from_predictions` to create one.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Cluster of each sample: integers, booleans, strings or objects. A noise
        label such as -1 is a cluster like any other.
    y : array-like of shape (n_samples,), default=None
        Class of each sample, of the same kinds.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        Bars of the sizes, in the order of `clusters_`.
    image_ : matplotlib AxesImage or None
        Cells of the table.
    texts_ : ndarray of shape (n_classes, n_clusters) of matplotlib Text, or None
        Counts in the cells; None where there is none.
    frames_ : list of matplotlib Rectangle or None
        Around matched cells.
    clusters_ : list of length n_clusters
        Names of the clusters in the order drawn.
    axes_ : ndarray of Axes of shape (1,) or (2,)
        The Axes of the bars and, with `y`, of the table.
    figure_ : matplotlib Figure
        The figure drawn on.

    See Also
    --------
    sklearn_ddcl.metrics.hungarian_match : The matching.
    sklearn_ddcl.metrics.clustering_accuracy_score : ACC, in the table's title.

    Examples
    --------
    >>> from sklearn_ddcl.displays import PartitionDisplay
    >>> display = PartitionDisplay([1, 1, 0, 0, 0], y=["a", "a", "a", "b", "b"]).plot()
    >>> display.clusters_
    [1, 0]
    >>> display.axes_[1].get_title()
    'ACC = 0.800 (framed: matched clusters)'
    """

    def __init__(self, labels, *, y=None):
        self.labels = labels
        self.y = y

    @classmethod
    def from_estimator(cls, estimator, X, *, y=None, ax=None):
        """Draw the partition that a fitted clusterer makes of samples.

        Parameters
        ----------
        estimator : estimator instance
            Fitted, with `predict`.
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Their classes.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw: one for the bars and, with `y`, one for the table;
            None makes a figure.

        Returns
        -------
        display : PartitionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no `predict`, if `X` or `y` do not fit, or if
            the number of Axes differs.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn_ddcl import DDCLClustering
        >>> from sklearn_ddcl.displays import PartitionDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> ddcl = DDCLClustering(10, backbone=None, random_state=0).fit(X)
        >>> display = PartitionDisplay.from_estimator(ddcl, X, y=y)
        >>> len(display.bars_), display.texts_.shape
        (10, (10, 10))
        """
        if not hasattr(estimator, "predict"):
            raise ValueError(
                f"estimator must have predict, got {type(estimator).__name__}; use "
                "PartitionDisplay.from_predictions with its labels_."
            )
        return cls(estimator.predict(X), y=y).plot(ax)

    @classmethod
    def from_predictions(cls, labels, *, y=None, ax=None):
        """Draw a partition.

        Parameters
        ----------
        labels : array-like of shape (n_samples,)
            Cluster of each sample.
        y : array-like of shape (n_samples,), default=None
            Class of each sample.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw: one for the bars and, with `y`, one for the table;
            None makes a figure.

        Returns
        -------
        display : PartitionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If labels are empty, not one-dimensional, missing, not discrete or
            of unequal number, or if the number of Axes differs.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn_ddcl.displays import PartitionDisplay
        >>> display = PartitionDisplay.from_predictions([0, 0, 1])
        >>> [int(bar.get_height()) for bar in display.bars_]
        [2, 1]
        """
        return cls(labels, y=y).plot(ax)

    def plot(self, ax=None):
        """Draw the bars and, with `y`, the table.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw: one for the bars and, with `y`, one for the table;
            None makes a figure.

        Returns
        -------
        display : PartitionDisplay
            This object, with the attributes that end in an underscore.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If labels are empty, not one-dimensional, missing, not discrete or
            of unequal number, or if the number of Axes differs.
        """
        contingency = count_partition(self.labels, self.y)
        names = ("sizes",) if self.y is None else ("sizes", "table")
        self.axes_ = make_partition_axes(contingency) if ax is None else one_axes_each(ax, names)
        self.clusters_ = contingency.clusters
        self.bars_ = draw_sizes(contingency, self.axes_[0])
        self.image_, self.texts_, self.frames_ = None, None, None
        if self.y is not None:
            drawn = draw_table(contingency, self.axes_[1])
            self.image_, self.texts_, self.frames_ = drawn
        self.figure_ = self.axes_[0].figure
        return self
