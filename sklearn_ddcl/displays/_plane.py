"""Features brought to the plane in which they are drawn."""

from typing import NamedTuple

import numpy as np


class Plane(NamedTuple):
    """A plane and the names of its axes.

    Attributes
    ----------
    origin : ndarray of shape (n_features,)
        What is drawn at the origin.
    basis : ndarray of shape (n_features, 2)
        Directions of the two axes.
    names : tuple of (str, str)
        What the axes show.
    """

    origin: np.ndarray
    basis: np.ndarray
    names: tuple[str, str]

    def project(self, points):
        """Return the coordinates of points in the plane.

        Parameters
        ----------
        points : ndarray of shape (n, n_features)
            The points.

        Returns
        -------
        coordinates : ndarray of shape (n, 2)
            Where they are drawn.
        """
        return (points - self.origin) @ self.basis


def drawing_plane(points):
    """Choose the plane: the two features there are, or the first principal components.

    Parameters
    ----------
    points : ndarray of shape (n, n_features), dtype float64
        Finite points.

    Returns
    -------
    plane : Plane
        The same for the same points: the largest entry of each direction is
        positive.

    Raises
    ------
    ValueError
        If there is one feature only.
    """
    n_features = points.shape[1]
    if n_features < 2:
        raise ValueError("X must have at least 2 features to be drawn in the plane, got 1.")
    if n_features == 2:
        return Plane(np.zeros(2), np.eye(2), ("feature 0", "feature 1"))
    origin = points.mean(axis=0)
    centred = points - origin
    centred /= np.abs(centred).max() or 1.0  # squares of huge or tiny values leave the range
    values, vectors = _leading_two(centred)
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), [0, 1]])
    total = np.square(centred).sum() or 1.0
    names = [
        f"principal component {number} ({value / total:.0%} of the variance)"
        for number, value in enumerate(values, start=1)
    ]
    return Plane(origin, vectors, tuple(names))


def _leading_two(centred):
    """Return the two largest eigenvalues of the scatter matrix, and their vectors."""
    if len(centred) >= centred.shape[1]:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        return values[:-3:-1].clip(0), vectors[:, :-3:-1]
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    missing = max(0, 2 - len(singular))  # a single point has no second direction
    values = np.pad(np.square(singular), (0, missing))
    return values[:2], np.pad(rows, ((0, missing), (0, 0)))[:2].T
