"""Checks of what displays are given; each error names the parameter, its value and what fits."""

import numpy as np


def finite_matrix(values, name, n_columns=None):
    """Return a non-empty finite float matrix.

    Parameters
    ----------
    values : array-like of shape (n_rows, n_features)
        The values.
    name : str
        The name of the parameter, for the error messages.
    n_columns : int, default=None
        How many columns there must be; None takes any number.

    Returns
    -------
    matrix : ndarray of shape (n_rows, n_features), dtype float64
        The values.

    Raises
    ------
    ValueError
        If there is no value, no matrix, one that is not finite, or another
        number of columns.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"{name} must be a non-empty matrix, got shape {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be finite, got NaN or infinite values.")
    if n_columns is not None and matrix.shape[1] != n_columns:
        raise ValueError(
            f"{name} must have {n_columns} features to be drawn, got {matrix.shape[1]}."
        )
    return matrix


def integer_labels(values, name, rows=None):
    """Return labels as an array of integers.

    Parameters
    ----------
    values : array-like of shape (n,) or None
        The labels; None is returned as it is.
    name : str
        The name of the parameter, for the error messages.
    rows : tuple of (int, str), default=None
        How many labels there must be, and rows of what they belong to; None
        takes any number.

    Returns
    -------
    labels : ndarray of shape (n,) or None
        The labels.

    Raises
    ------
    ValueError
        If the labels are no integers, not one-dimensional, or of another
        number.
    """
    if values is None:
        return None
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of integers, "
            f"got shape {labels.shape} and dtype {labels.dtype}."
        )
    if rows is not None and len(labels) != rows[0]:
        raise ValueError(
            f"{name} must have one entry for each of {rows[0]} rows of {rows[1]}, "
            f"got {len(labels)}."
        )
    return labels


def row_numbers(values, name, n_prototypes):
    """Check that all numbers are those of prototypes.

    Parameters
    ----------
    values : ndarray of int
        The numbers.
    name : str
        The name of the parameter, for the error messages.
    n_prototypes : int
        How many prototypes there are.

    Returns
    -------
    values : ndarray of int
        The same array.

    Raises
    ------
    ValueError
        If a number is negative or too large.
    """
    if values.size and not 0 <= values.min() <= values.max() < n_prototypes:
        raise ValueError(
            f"{name} must be row numbers of prototypes, from 0 to {n_prototypes - 1}, "
            f"got values from {values.min()} to {values.max()}."
        )
    return values
