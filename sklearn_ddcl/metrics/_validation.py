"""Checks shared by the metrics; each error names the parameter, its value and what is allowed."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length

# Rows of a soft assignment come from float16 networks too; beyond this they are no probabilities.
_SIMPLEX_TOLERANCE = 1e-3


def encode_labels(labels, name):
    """Encode labels by the positions of their distinct values.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Integers, booleans, whole floats, strings or objects; mixed types are
        numbered in the order of their first appearance.
    name : str
        The name of the parameter, for the error messages.

    Returns
    -------
    classes : list
        The distinct labels as Python objects.
    codes : ndarray of shape (n_samples,), dtype intp
        The position of each sample's label in `classes`.

    Raises
    ------
    ValueError
        If `labels` is empty, not one-dimensional, has missing values, or holds
        numbers that are not whole.
    """
    values = _as_label_array(labels, name)
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        bad = values[values != np.floor(values)][0]
        raise ValueError(f"{name} must hold discrete labels, got the value {bad}.")
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except TypeError:
        positions: dict = {}
        codes = [positions.setdefault(value, len(positions)) for value in values]
        return list(positions), np.asarray(codes, dtype=np.intp)
    return classes.tolist(), codes.astype(np.intp)


def _as_label_array(labels, name):
    """Return `labels` as a non-empty one-dimensional array without missing values."""
    if sparse.issparse(labels):
        raise ValueError(f"{name} must be a dense array of labels, got a sparse matrix.")
    try:
        values = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"{name} must be one-dimensional, got a ragged sequence.") from error
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got an array of shape {values.shape}.")
    if values.size == 0:
        raise ValueError(f"{name} must hold at least 1 sample, got an empty array.")
    if values.dtype.kind == "c":
        raise ValueError(f"{name} must not be complex, got dtype {values.dtype}.")
    if _has_missing(values):
        raise ValueError(f"{name} must not have missing or infinite values (NaN, None, NA, inf).")
    return values


def _has_missing(values):
    """Tell whether NaN, an infinity, None or pandas' NA is among the labels."""
    if values.dtype.kind == "f":
        return not np.isfinite(values).all()
    if values.dtype.kind != "O":
        return False
    return any(_is_missing(value) for value in values)


def _is_missing(value):
    """Tell whether one Python object stands for a missing value."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        # pandas' NA refuses to be a truth value.
        return True


def check_label_pair(y_true, y_pred):
    """Encode the labels of two partitions of the same samples.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        The two partitions.

    Returns
    -------
    true : tuple of (list, ndarray of shape (n_samples,))
        Classes and codes of `y_true`, see `encode_labels`.
    pred : tuple of (list, ndarray of shape (n_samples,))
        Classes and codes of `y_pred`.
    """
    true = encode_labels(y_true, "y_true")
    pred = encode_labels(y_pred, "y_pred")
    if len(true[1]) != len(pred[1]):
        raise ValueError(
            "y_true and y_pred must have the same length, "
            f"got {len(true[1])} and {len(pred[1])} samples."
        )
    return true, pred


def check_weights(sample_weight, n_samples):
    """Return the weights as float64, ones when there are none.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Non-negative finite weights, at least one of them positive.
    n_samples : int
        The length that is expected.

    Returns
    -------
    weights : ndarray of shape (n_samples,), dtype float64
        A fresh array where `sample_weight` is None, otherwise possibly a view.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), got shape {weights.shape}."
        )
    if weights.min() < 0:
        raise ValueError(f"sample_weight must not be negative, got {weights.min()}.")
    if not weights.any():
        raise ValueError("sample_weight must have a positive entry, got zeros only.")
    # Only ratios matter; dividing first keeps sums of huge weights finite.
    return weights / weights.max()


def check_samples_and_prototypes(X, prototypes):
    """Validate samples and prototypes that live in the same space.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    prototypes : array-like of shape (n_prototypes, n_features)
        The prototypes.

    Returns
    -------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Finite samples in their own floating dtype.
    prototypes : ndarray of shape (n_prototypes, n_features), dtype float64
        Finite prototypes.
    """
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X")
    prototypes = check_array(prototypes, dtype=np.float64, input_name="prototypes")
    if X.shape[1] != prototypes.shape[1]:
        raise ValueError(
            "X and prototypes must have the same number of features, "
            f"got {X.shape[1]} and {prototypes.shape[1]}."
        )
    return X, prototypes


def check_assignments(assignments):
    """Validate a matrix of soft assignments.

    Parameters
    ----------
    assignments : array-like of shape (n_samples, n_clusters)
        Probabilities, each row summing to 1.

    Returns
    -------
    assignments : ndarray of shape (n_samples, n_clusters), dtype float64
        The same numbers.
    """
    assignments = check_array(assignments, dtype=np.float64, input_name="assignments")
    if assignments.min() < 0:
        raise ValueError(f"assignments must not be negative, got {assignments.min()}.")
    sums = assignments.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > _SIMPLEX_TOLERANCE:
        raise ValueError(
            f"Each row of assignments must sum to 1, row {worst} sums to {sums[worst]:.6g}."
        )
    return assignments


def check_distances(distances, labels):
    """Validate a matrix of distances to the centres and the labels that go with it.

    Parameters
    ----------
    distances : array-like of shape (n_samples, n_clusters)
        Non-negative finite distances.
    labels : array-like of shape (n_samples,) or None
        Column numbers; None takes the nearest centre (the first of equals).

    Returns
    -------
    distances : ndarray of shape (n_samples, n_clusters)
        The same numbers in their own floating dtype.
    labels : ndarray of shape (n_samples,), dtype intp
        The column of each sample's own centre.
    """
    distances = check_array(distances, dtype=[np.float64, np.float32], input_name="distances")
    if distances.min() < 0:
        raise ValueError(f"distances must not be negative, got {distances.min()}.")
    if labels is None:
        return distances, distances.argmin(axis=1)
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name="labels")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            "labels must be a one-dimensional array of integers, "
            f"got shape {labels.shape} and dtype {labels.dtype}."
        )
    check_consistent_length(distances, labels)
    if labels.min() < 0 or labels.max() >= distances.shape[1]:
        raise ValueError(
            f"labels must be columns of distances, from 0 to {distances.shape[1] - 1}, "
            f"got values from {labels.min()} to {labels.max()}."
        )
    return distances, labels.astype(np.intp)


def predict_labels(estimator, X):
    """Return the clusters that a fitted estimator predicts.

    Parameters
    ----------
    estimator : estimator instance
        A fitted clusterer, or a Pipeline ending in one.
    X : array-like of shape (n_samples, ...)
        Samples that the estimator accepts.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        As `predict` gave them.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.
    """
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"estimator must have a predict method to be scored, got {type(estimator).__name__}."
        )
    return np.asarray(estimator.predict(X))
