"""Clustering accuracy against brute force over all one-to-one namings."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.metrics import clustering_accuracy_score, hungarian_match


def brute_force_accuracy(y_true, y_pred, weights):
    """Try every injective map between clusters and (padded) classes."""
    clusters, classes = sorted(set(y_pred)), sorted(set(y_true))
    names = classes + [None] * len(clusters)
    best = 0.0
    for chosen in set(permutations(names, len(clusters))):
        naming = dict(zip(clusters, chosen, strict=True))
        hits = [naming[c] == t for t, c in zip(y_true, y_pred, strict=True)]
        best = max(best, float(np.dot(hits, weights)) / float(np.sum(weights)))
    return best


@st.composite
def partitions(draw):
    n_samples = draw(st.integers(1, 12))
    labels = st.lists(st.integers(0, 3), min_size=n_samples, max_size=n_samples)
    weights = st.lists(st.floats(0.1, 9.0), min_size=n_samples, max_size=n_samples)
    return draw(labels), draw(labels), draw(weights)


@settings(deadline=None, max_examples=40)
@given(partitions())
def test_accuracy_equals_brute_force(case):
    y_true, y_pred, weights = case
    expected = brute_force_accuracy(y_true, y_pred, np.ones(len(y_true)))
    assert clustering_accuracy_score(y_true, y_pred) == pytest.approx(expected)
    expected = brute_force_accuracy(y_true, y_pred, weights)
    found = clustering_accuracy_score(y_true, y_pred, sample_weight=weights)
    assert found == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(partitions())
def test_match_reproduces_the_accuracy(case):
    y_true, y_pred, weights = case
    match = hungarian_match(y_true, y_pred, sample_weight=weights)
    assert len(set(match.values())) == len(match)
    hits = [match.get(c) == t for t, c in zip(y_true, y_pred, strict=True)]
    found = clustering_accuracy_score(y_true, y_pred, sample_weight=weights)
    assert found == pytest.approx(np.dot(hits, weights) / np.sum(weights))


@settings(deadline=None, max_examples=40)
@given(partitions(), st.permutations(range(4)))
def test_accuracy_ignores_names_and_order_of_samples(case, names):
    y_true, y_pred, _ = case
    renamed = [f"cluster {names[label]}" for label in y_pred]
    expected = clustering_accuracy_score(y_true, y_pred)
    assert clustering_accuracy_score(y_true[::-1], renamed[::-1]) == pytest.approx(expected)
    assert clustering_accuracy_score(y_pred, y_true) == pytest.approx(expected)
    assert 0 < expected <= 1


def test_integer_weights_equal_repetition():
    y_true, y_pred, repeats = [0, 0, 1, 1, 2], [1, 1, 0, 1, 1], [1, 2, 3, 1, 2]
    assert clustering_accuracy_score(
        y_true, y_pred, sample_weight=repeats
    ) == clustering_accuracy_score(np.repeat(y_true, repeats), np.repeat(y_pred, repeats))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([0, 0, 1, 1], [0, 1, 2, 3], 0.5),  # more clusters than classes
        ([0, 1, 2, 3], [0, 0, 0, 0], 0.25),  # collapse
        (["a", "b"], [True, False], 1.0),
        ([0, 0, 1, 1, 1], [-1, -1, 0, 0, -1], 0.8),  # noise is a cluster like any other
        ([7], [3], 1.0),
    ],
)
def test_accuracy_by_hand(y_true, y_pred, expected):
    assert clustering_accuracy_score(y_true, y_pred) == expected


def test_match_leaves_out_clusters_without_a_class():
    assert hungarian_match([0, 0, 0, 1], [5, 5, 6, 7]) == {5: 0, 7: 1}


def test_match_leaves_out_pairs_that_share_no_sample():
    # Cluster 1 could only be given class "b", of which it holds nothing.
    assert hungarian_match(["a"] * 9 + ["b"], [0] * 8 + [1] + [0]) == {0: "a"}


def test_match_returns_plain_python_labels_of_any_type():
    match = hungarian_match(np.array(["cat", 3], dtype=object), np.array([1, 0]))
    assert match == {0: 3, 1: "cat"}
    assert all(type(key) is int for key in match)


@pytest.mark.parametrize("function", [clustering_accuracy_score, hungarian_match])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([], [], "y_true must hold at least 1 sample"),
        ([0, 1], [0], "same length"),
        ([0, 1], [[0], [1]], "y_pred must be one-dimensional"),
        ([0, np.nan], [0, 1], "y_true must not have missing"),
        ([0, 1], [0.25, 0.75], "y_pred must hold discrete labels"),
    ],
)
def test_bad_labels_are_refused(function, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        function(y_true, y_pred)


def test_callers_arrays_are_left_alone():
    y_true, y_pred = np.array([1, 0, 1]), np.array([0, 0, 1])
    y_true.setflags(write=False)
    y_pred.setflags(write=False)
    clustering_accuracy_score(y_true, y_pred)
    np.testing.assert_array_equal(y_true, [1, 0, 1])
