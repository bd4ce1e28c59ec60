"""Display of prototypes as images or as points."""

import numpy as np

from sklearn_ddcl.displays._checks import finite_matrix, integer_labels, row_numbers
from sklearn_ddcl.displays._image_grid import as_images, draw_image_grid
from sklearn_ddcl.displays._names import short_name
from sklearn_ddcl.displays._point_plot import draw_points
from sklearn_ddcl.displays._sources import estimator_prototypes, nearest_samples
from sklearn_ddcl.metrics import hungarian_match

_SHOW = ("prototype", "nearest")


class PrototypeDisplay:
    """Prototypes as a grid of images, or as points over two-dimensional samples.

    Each prototype is titled with its number and, where labels are known, with
    the number of samples in its cluster and the class that it is matched to.
    Use `from_estimator` or `from_prototypes` to create one.

    Parameters
    ----------
    prototypes : array-like of shape (n_prototypes, n_features)
        The prototypes, one a row.
    image_shape : tuple of int, default=None
        (height, width), (height, width, channels) or (channels, height, width):
        draw images. None draws points, for two features.
    X : array-like of shape (n_samples, 2), default=None
        Samples drawn behind the points.
    labels : array-like of shape (n_samples,), default=None
        Cluster of each sample, as row numbers of `prototypes`. Without it,
        samples are drawn in grey and sizes are left out.
    class_names : dict, default=None
        Class matched to each cluster, as from
        `sklearn_ddcl.metrics.hungarian_match`; clusters without a class may be
        absent.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The Axes drawn on; of a grid, the outer one.
    axes_ : ndarray of Axes
        The tiles of a grid, row by row, None where there is no tile; for
        points an array that holds `ax_`.
    figure_ : matplotlib Figure
        The figure drawn on.

    Raises
    ------
    ValueError
        If `prototypes` is not a finite matrix, or labels do not fit.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ddcl.displays import PrototypeDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = KMeans(10, random_state=0).fit(X)
    >>> display = PrototypeDisplay.from_estimator(model, X, y, image_shape=(8, 8))
    >>> display.axes_.shape
    (2, 5)
    """

    def __init__(self, prototypes, *, image_shape=None, X=None, labels=None, class_names=None):
        self.prototypes = prototypes
        self.image_shape = image_shape
        self.X = X
        self.labels = labels
        self.class_names = class_names

    @classmethod
    def from_estimator(
        cls, estimator, X=None, y=None, *, image_shape=None, show="prototype", ax=None
    ):
        """Draw the prototypes of a fitted clusterer.

        Parameters
        ----------
        estimator : estimator instance
            A fitted clusterer with `cluster_centers_`, or a Pipeline ending in
            one; there the centres are mapped back to the input space.
        X : array-like of shape (n_samples, n_features), default=None
            Samples to be counted (and drawn, for two features).
        y : array-like of shape (n_samples,), default=None
            Classes of the samples, to be matched to the clusters; needs `X`.
        image_shape : tuple of int, default=None
            Draw images of this shape; None draws points, for two features.
        show : {"prototype", "nearest"}, default="prototype"
            "nearest" draws, instead of each prototype, the sample of `X` that
            is nearest to it by the estimator's `transform`: for clusterers
            whose prototypes live in a latent space.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : PrototypeDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no centres, if the prototypes are neither
            images nor points, if `show` is unknown, or if `X` is needed.

        Examples
        --------
        >>> from sklearn.cluster import KMeans
        >>> from sklearn.datasets import make_moons
        >>> from sklearn_ddcl.displays import PrototypeDisplay
        >>> X, y = make_moons(random_state=0)
        >>> model = KMeans(4, random_state=0).fit(X)
        >>> display = PrototypeDisplay.from_estimator(model, X)
        >>> display.ax_ is display.axes_[0]
        True
        """
        if show not in _SHOW:
            raise ValueError(f"show must be one of {_SHOW}, got {show!r}.")
        if X is None and (y is not None or show == "nearest"):
            raise ValueError("X must be given with y or with show='nearest', got None.")
        if show == "nearest":
            prototypes = nearest_samples(estimator, X)
        else:
            prototypes = estimator_prototypes(estimator)
        labels = None if X is None else estimator.predict(X)
        return cls.from_prototypes(
            prototypes, X=X, labels=labels, y=y, image_shape=image_shape, ax=ax
        )

    @classmethod
    def from_prototypes(
        cls, prototypes, *, X=None, labels=None, y=None, image_shape=None, ax=None
    ):
        """Draw given prototypes.

        Parameters
        ----------
        prototypes : array-like of shape (n_prototypes, n_features)
            The prototypes, one a row.
        X : array-like of shape (n_samples, n_features), default=None
            Samples, drawn behind points; not read for images.
        labels : array-like of shape (n_samples,), default=None
            Cluster of each sample, as row numbers of `prototypes`.
        y : array-like of shape (n_samples,), default=None
            Classes of the samples, to be matched to `labels`.
        image_shape : tuple of int, default=None
            Draw images of this shape; None draws points, for two features.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : PrototypeDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the prototypes are neither images nor points, or if `y` comes
            without `labels`.

        Examples
        --------
        >>> from sklearn_ddcl.displays import PrototypeDisplay
        >>> display = PrototypeDisplay.from_prototypes([[0, 1, 1, 0]], image_shape=(2, 2))
        >>> display.axes_.shape
        (1, 1)
        """
        if y is not None and labels is None:
            raise ValueError("labels must be given with y, got None.")
        class_names = None if y is None else hungarian_match(y, labels)
        drawn = None if image_shape is not None else X
        display = cls(
            prototypes, image_shape=image_shape, X=drawn, labels=labels, class_names=class_names
        )
        return display.plot(ax)

    def plot(self, ax=None, *, cmap="gray_r"):
        """Draw the prototypes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        cmap : str, default="gray_r"
            Colour map of images without channels: small values white.

        Returns
        -------
        display : PrototypeDisplay
            This object, with `ax_`, `axes_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the prototypes are neither images nor points.
        """
        prototypes = finite_matrix(self.prototypes, "prototypes")
        labels = integer_labels(self.labels, "labels")
        if labels is not None:
            row_numbers(labels, "labels", len(prototypes))
        titles = self._titles(len(prototypes), labels)
        if self.image_shape is not None:
            images = as_images(prototypes, self.image_shape)
            self.ax_, self.axes_ = draw_image_grid(images, titles, ax, cmap)
        else:
            samples = self._samples(prototypes, labels)
            self.ax_ = draw_points(prototypes, titles, samples, ax)
            self.axes_ = np.array([self.ax_], dtype=object)
        self.figure_ = self.ax_.figure
        return self

    def _titles(self, n_prototypes, labels):
        """Write number, size and class of each prototype, one a line."""
        titles = [f"cluster {number}" for number in range(n_prototypes)]
        if labels is not None:
            sizes = np.bincount(labels, minlength=n_prototypes)
            titles = [f"{title}\nn = {size}" for title, size in zip(titles, sizes, strict=True)]
        if self.class_names is not None:
            names = [_class_title(self.class_names, number) for number in range(n_prototypes)]
            titles = [f"{title}\n{name}" for title, name in zip(titles, names, strict=True)]
        return titles

    def _samples(self, prototypes, labels):
        """Return the samples to be drawn behind points, or None."""
        if prototypes.shape[1] != 2:
            raise ValueError(
                f"prototypes with {prototypes.shape[1]} features are no points in the plane: "
                "give image_shape to draw images."
            )
        if self.X is None:
            return None
        X = finite_matrix(self.X, "X", n_columns=2)
        return X, integer_labels(labels, "labels", (len(X), "X"))


def _class_title(class_names, number):
    """Name the class of a cluster, cut so that neighbouring titles do not meet."""
    if number not in class_names:
        return "no class"
    return f"class {short_name(class_names[number])}"
