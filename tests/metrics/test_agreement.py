"""NMI and ARI against scikit-learn, and the label checks in front of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from sklearn_ddcl.metrics import adjusted_rand_score, normalized_mutual_info_score

label_lists = st.integers(2, 20).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n),
        st.lists(st.sampled_from("abc"), min_size=n, max_size=n),
    )
)


@settings(deadline=None, max_examples=40)
@given(label_lists, st.sampled_from(["min", "geometric", "arithmetic", "max"]))
def test_nmi_equals_scikit_learn(labels, average_method):
    expected = sklearn_metrics.normalized_mutual_info_score(*labels, average_method=average_method)
    found = normalized_mutual_info_score(*labels, average_method=average_method)
    assert found == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(label_lists)
def test_ari_equals_scikit_learn(labels):
    expected = sklearn_metrics.adjusted_rand_score(*labels)
    assert adjusted_rand_score(*labels) == pytest.approx(expected, abs=1e-12)


def test_default_average_is_the_geometric_mean_of_the_entropies():
    y_true, y_pred = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    joint = np.array([[2, 0, 0], [0, 2, 1], [0, 0, 1]]) / 6
    rows, columns = joint.sum(1), joint.sum(0)
    positive = joint > 0
    information = np.sum(joint[positive] * np.log((joint / np.outer(rows, columns))[positive]))
    entropies = [-np.sum(p * np.log(p)) for p in (rows, columns)]
    expected = information / np.sqrt(np.prod(entropies))
    assert normalized_mutual_info_score(y_true, y_pred) == pytest.approx(expected)


def test_labels_of_mixed_type_are_accepted():
    mixed = np.array(["a", 1, "a", 1], dtype=object)
    assert adjusted_rand_score(mixed, [0, 1, 0, 1]) == 1.0
    assert normalized_mutual_info_score(mixed, [0, 1, 0, 1]) == pytest.approx(1.0)


@pytest.mark.parametrize("function", [normalized_mutual_info_score, adjusted_rand_score])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (([], []), "at least 1 sample"),
        (([0, 1], [0]), "same length"),
        (([0, 1], [0.1, 0.2]), "y_pred must hold discrete labels"),
    ],
)
def test_bad_labels_are_refused(function, labels, message):
    with pytest.raises(ValueError, match=message):
        function(*labels)


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="'average_method' parameter"):
        normalized_mutual_info_score([0, 1], [0, 1], average_method="harmonic")
