"""The shared checks: every error names the parameter and what is allowed."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_ddcl.metrics import _validation as validation


@pytest.mark.parametrize(
    ("labels", "classes", "codes"),
    [
        ([3, 1, 3], [1, 3], [1, 0, 1]),
        (["b", "a"], ["a", "b"], [1, 0]),
        (np.array(["b", 2, "b"], dtype=object), ["b", 2], [0, 1, 0]),
        ([True, False], [False, True], [1, 0]),
        ([2.0, -1.0], [-1.0, 2.0], [1, 0]),
        (pd.Series(["x", "y", "x"], index=[5, 6, 7]), ["x", "y"], [0, 1, 0]),
        (pd.Categorical(["x", "y", "x"]), ["x", "y"], [0, 1, 0]),
    ],
)
def test_labels_of_every_kind_are_numbered(labels, classes, codes):
    found, numbers = validation.encode_labels(labels, "y")
    assert found == classes
    assert numbers.dtype == np.intp
    np.testing.assert_array_equal(numbers, codes)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "y must hold at least 1 sample"),
        ([[0], [1]], r"y must be one-dimensional, got an array of shape \(2, 1\)"),
        ([[0], [1, 2]], "y must be one-dimensional, got a ragged sequence"),
        (5, r"y must be one-dimensional, got an array of shape \(\)"),
        ([0.0, np.nan], "y must not have missing"),
        ([0.0, np.inf], "y must not have missing"),
        (["a", None], "y must not have missing"),
        (pd.Series(["a", pd.NA], dtype=object), "y must not have missing"),
        (np.array(["a", np.nan], dtype=object), "y must not have missing"),
        ([0.5, 1.0], "y must hold discrete labels, got the value 0.5"),
        ([1j, 0j], "y must not be complex"),
        (sparse.csr_array([[1, 0]]), "y must be a dense array"),
    ],
)
def test_bad_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        validation.encode_labels(labels, "y")


def test_partitions_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="same length, got 2 and 3 samples"):
        validation.check_label_pair([0, 1], [0, 1, 1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"sample_weight must have shape \(3,\), got shape \(2,\)"),
        ([[1, 2, 3]], r"sample_weight must have shape \(3,\)"),
        ([1, -2, 1], "sample_weight must not be negative, got -2"),
        ([0, 0, 0], "sample_weight must have a positive entry"),
        ([1, np.nan, 1], "sample_weight contains NaN"),
        ([1, np.inf, 1], "sample_weight contains infinity"),
    ],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        validation.check_weights(weights, 3)


def test_weights_keep_their_ratios_and_the_callers_array():
    weights = np.array([1e300, 2e300])
    weights.setflags(write=False)
    np.testing.assert_allclose(validation.check_weights(weights, 2), [0.5, 1.0])
    np.testing.assert_array_equal(validation.check_weights(None, 2), [1.0, 1.0])


def test_samples_and_prototypes_must_share_a_space():
    with pytest.raises(ValueError, match="same number of features, got 2 and 3"):
        validation.check_samples_and_prototypes(np.ones((4, 2)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="prototypes contains NaN"):
        validation.check_samples_and_prototypes(np.ones((4, 1)), [[np.nan]])


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        ([[0.5, 0.4]], "row 0 sums to 0.9"),
        ([[1.5, -0.5]], "assignments must not be negative"),
        ([[np.nan, 1.0]], "assignments contains NaN"),
    ],
)
def test_rows_off_the_simplex_are_refused(assignments, message):
    with pytest.raises(ValueError, match=message):
        validation.check_assignments(assignments)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2], "from 0 to 1, got values from 0 to 2"),
        ([-1, 0], "got values from -1 to 0"),
        ([0.0, 1.0], "one-dimensional array of integers"),
        ([[0, 1]], "one-dimensional array of integers"),
        ([0], "inconsistent numbers of samples"),
    ],
)
def test_labels_must_be_columns_of_distances(labels, message):
    with pytest.raises(ValueError, match=message):
        validation.check_distances(np.ones((2, 2)), labels)


def test_an_object_without_predict_is_refused():
    with pytest.raises(TypeError, match="must have a predict method to be scored, got object"):
        validation.predict_labels(object(), [[1.0]])
