"""Sizes of clusters from labels and from soft assignments."""

import numpy as np
import pytest

from sklearn_ddcl.metrics._marginal import marginal_sizes


def test_sizes_of_labels_are_those_in_use():
    assert marginal_sizes(["b", "a", "b"], "hard").tolist() == [1, 2]


def test_sizes_of_rows_count_all_columns_and_the_first_of_equals():
    rows = [[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]]
    assert marginal_sizes(rows, "hard").tolist() == [1, 1, 0]
    np.testing.assert_allclose(marginal_sizes(rows, "soft"), [0.7, 1.3, 0.0])


def test_float32_rows_are_summed_in_float64():
    rows = np.full((3, 2), 0.5, dtype=np.float32)
    assert marginal_sizes(rows, "soft").dtype == np.float64


@pytest.mark.parametrize("kind", ["", None, "Soft"])
def test_unknown_kinds_are_refused(kind):
    with pytest.raises(ValueError, match="kind must be one of"):
        marginal_sizes([0, 1], kind)


def test_labels_have_no_soft_sizes():
    with pytest.raises(ValueError, match="needs assignments of shape"):
        marginal_sizes([0, 1], "soft")


def test_bad_labels_are_named():
    with pytest.raises(ValueError, match="labels must hold at least 1 sample"):
        marginal_sizes([], "hard", "labels")
