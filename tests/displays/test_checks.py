"""Checks of arrays: what passes comes back, what does not is named."""

import numpy as np
import pytest

from sklearn_ddcl.displays._checks import finite_matrix, integer_labels, row_numbers


def test_what_fits_comes_back():
    matrix = finite_matrix([[1, 2], [3, 4]], "X", n_columns=2)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(integer_labels([3, -1], "labels", (2, "X")), [3, -1])
    assert integer_labels(None, "labels", (2, "X")) is None
    numbers = np.array([[0, 2], [1, 0]])
    assert row_numbers(numbers, "edges", 3) is numbers
    assert row_numbers(numbers[:0], "edges", 0).size == 0


@pytest.mark.parametrize(
    ("values", "columns", "message"),
    [
        ([1.0], None, r"P must be a non-empty matrix, got shape \(1,\)"),
        (np.empty((0, 2)), None, r"P must be a non-empty matrix, got shape \(0, 2\)"),
        ([[np.nan, 1.0]], None, "P must be finite"),
        ([[np.inf, 1.0]], None, "P must be finite"),
        ([[1.0, 2.0, 3.0]], 2, "P must have 2 features to be drawn, got 3"),
    ],
)
def test_matrices_that_do_not_fit_are_named(values, columns, message):
    with pytest.raises(ValueError, match=message):
        finite_matrix(values, "P", n_columns=columns)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, 1.0], "labels must be a one-dimensional array of integers, got .* float64"),
        (["a", "b"], "labels must be a one-dimensional array of integers"),
        ([[0], [1]], r"labels must be a one-dimensional array of integers, got shape \(2, 1\)"),
        ([0], "labels must have one entry for each of 2 rows of X, got 1"),
    ],
)
def test_labels_that_do_not_fit_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        integer_labels(values, "labels", (2, "X"))


@pytest.mark.parametrize("values", [[-1, 0], [0, 3]])
def test_numbers_of_no_prototype_are_named(values):
    with pytest.raises(ValueError, match="edges must be row numbers of prototypes, from 0 to 2"):
        row_numbers(np.array(values), "edges", 3)
