"""Counts of partitions: scikit-learn's table as oracle, order, matching, bad labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.cluster import contingency_matrix

from sklearn_ddcl.displays._contingency import count_partition
from sklearn_ddcl.metrics import clustering_accuracy_score, hungarian_match


@given(seed=st.integers(0, 999), n=st.integers(1, 60), k=st.integers(1, 7), c=st.integers(1, 7))
def test_counts_are_those_of_scikit_learn_in_the_order_of_the_match(seed, n, k, c):
    rng = np.random.default_rng(seed)
    labels, y = rng.integers(-1, k, size=n), rng.integers(c, size=n)
    found = count_partition(labels, y)
    names, order = np.unique(labels), np.array(found.clusters)
    assert sorted(found.clusters) == names.tolist()
    expected = contingency_matrix(y, labels)[:, np.searchsorted(names, order)]
    np.testing.assert_array_equal(found.table, expected)
    np.testing.assert_array_equal(found.sizes, expected.sum(axis=0))
    matched = {found.clusters[column]: found.classes[row] for row, column in found.matched}
    assert matched == hungarian_match(y, labels)
    assert found.accuracy == pytest.approx(clustering_accuracy_score(y, labels))
    assert sum(found.table[cell] for cell in found.matched) / n == pytest.approx(found.accuracy)


def test_matched_clusters_follow_the_classes_and_others_come_last():
    y = np.array(["a"] * 4 + ["b"] * 4 + ["c"] * 4)
    labels = np.array([3, 3, 3, 9, 7, 7, 7, 7, 0, 0, 5, 9])
    found = count_partition(labels, y)
    assert found.clusters == [3, 7, 0, 5, 9]
    assert found.matched == [(0, 0), (1, 1), (2, 2)]
    assert found.table.tolist() == [[3, 0, 0, 0, 1], [0, 4, 0, 0, 0], [0, 0, 2, 1, 1]]


def test_without_classes_clusters_keep_their_order():
    found = count_partition(["b", "a", "b"])
    assert (found.clusters, found.sizes.tolist(), found.classes) == (["a", "b"], [1, 2], [])
    assert found.table.shape == (0, 2)
    assert np.isnan(found.accuracy)


def test_fewer_clusters_than_classes():
    found = count_partition([0, 0, 0], [5, 5, 6])
    assert (found.matched, found.table.tolist()) == ([(0, 0)], [[2], [1]])


def test_the_order_of_samples_has_no_influence():
    rng = np.random.default_rng(0)
    labels, y = rng.integers(6, size=(2, 200))
    order = rng.permutation(200)
    one, other = count_partition(labels, y), count_partition(labels[order], y[order])
    assert one.clusters == other.clusters
    np.testing.assert_array_equal(one.table, other.table)


@pytest.mark.parametrize(
    ("labels", "y", "message"),
    [
        ([], None, "labels must hold at least 1 sample"),
        ([[0, 1]], None, "labels must be one-dimensional"),
        ([0.5, 1.0], None, "labels must hold discrete labels, got the value 0.5"),
        ([np.nan, 1.0], None, "labels must not have missing"),
        ([0, 1], [0, 1, 1], "y must have one entry for each of 2 labels, got 3"),
        ([0, 1], ["a", None], "y must not have missing"),
        ([0, 1], np.eye(2), "y must be one-dimensional"),
    ],
)
def test_bad_labels_are_named(labels, y, message):
    with pytest.raises(ValueError, match=message):
        count_partition(labels, y)
