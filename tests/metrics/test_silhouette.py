"""The simplified silhouette: definition, invariances, and what it must not reward."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import simplified_silhouette_score


def loop_score(distances, labels, average, weights):
    """Follow the docstring's definition sample by sample."""
    used = sorted({j for j, w in zip(labels, weights, strict=True) if w > 0})
    members = {j: [i for i, x in enumerate(labels) if x == j and weights[i] > 0] for j in used}
    values = np.zeros(len(labels))
    for j in used:
        for i in members[j] if len(members[j]) > 1 else []:
            a, b = distances[i, j], min(distances[i, other] for other in used if other != j)
            values[i] = 0.0 if max(a, b) == 0 else (b - a) / max(a, b)
    if average == "samples":
        return np.average(values, weights=weights)
    return np.mean(
        [np.average(values[members[j]], weights=np.asarray(weights)[members[j]]) for j in used]
    )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(4, 20),
    st.integers(2, 5),
    st.integers(0, 10**6),
    st.sampled_from(["macro", "samples"]),
    st.booleans(),
)
def test_score_equals_the_loop(n_samples, n_clusters, seed, average, nearest):
    rng = np.random.default_rng(seed)
    distances = rng.uniform(0, 3, (n_samples, n_clusters)).round(1)
    labels = distances.argmin(axis=1) if nearest else rng.integers(0, n_clusters, n_samples)
    weights = rng.integers(0, 3, n_samples).astype(float)
    labels[:2], weights[:2] = [0, 1], 1.0  # two clusters in use
    given_labels = labels if not nearest else labels.copy()
    found = simplified_silhouette_score(
        distances, given_labels, average=average, sample_weight=weights
    )
    assert found == pytest.approx(loop_score(distances, labels, average, weights), abs=1e-12)
    assert -1 <= found <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_score_is_scale_free_and_leaves_its_input_alone(dtype):
    distances = np.random.default_rng(0).uniform(0.1, 1, (30, 3)).astype(dtype)
    distances.setflags(write=False)
    before = distances.copy()
    score = simplified_silhouette_score(distances)
    for scale in (1e-30, 1e30):
        assert simplified_silhouette_score(distances * dtype(scale)) == pytest.approx(
            score, rel=1e-5
        )
    np.testing.assert_array_equal(distances, before)


def test_default_labels_are_the_nearest_centres():
    distances = np.random.default_rng(0).uniform(size=(30, 3))
    expected = simplified_silhouette_score(distances, distances.argmin(axis=1))
    assert simplified_silhouette_score(distances) == expected


def test_the_true_number_of_clusters_scores_best():
    """Unlike -inertia, which prefers the largest k."""
    centers = [[0, 0], [0, 9], [9, 0], [9, 9]]
    X, _ = make_blobs(120, centers=centers, random_state=0)
    scores = {}
    for n_clusters in (2, 3, 4, 5, 8, 16, 60, len(X)):
        model = KMeans(n_clusters, n_init=3, random_state=0).fit(X)
        scores[n_clusters] = simplified_silhouette_score(model.transform(X))
    assert max(scores, key=scores.get) == 4
    assert scores[len(X)] == 0.0


def test_a_large_cluster_does_not_hide_a_bad_small_one():
    distances = [[1.0, 10.0]] * 98 + [[10.0, 9.0]] * 2
    macro = simplified_silhouette_score(distances)
    assert macro == pytest.approx((0.9 + 0.1) / 2)
    assert simplified_silhouette_score(distances, average="samples") > 0.88


def test_two_equal_centres_score_zero():
    distances = np.zeros((4, 2))
    assert simplified_silhouette_score(distances, [0, 0, 1, 1]) == 0.0


def test_centres_without_samples_are_ignored():
    distances = [[1.0, 4.0, 1.5], [0.0, 5.0, 0.5], [4.0, 1.0, 3.0], [5.0, 0.0, 4.0]]
    used = np.asarray(distances)[:, :2]
    assert simplified_silhouette_score(distances) == simplified_silhouette_score(used)


@pytest.mark.parametrize(
    ("distances", "labels", "weights"),
    [
        ([[1.0], [2.0]], None, None),
        ([[0.0, 0.0], [0.0, 0.0]], None, None),  # latent space shrunk to a point
        ([[1.0, 2.0]], None, None),
        ([[1.0, 2.0], [2.0, 1.0]], [0, 1], [1.0, 0.0]),
    ],
)
def test_collapse_scores_minus_one_with_a_warning(distances, labels, weights):
    with pytest.warns(CollapseWarning, match="at least 2 clusters in use, got 1"):
        score = simplified_silhouette_score(distances, labels, sample_weight=weights)
    assert score == -1.0


def test_no_warning_without_collapse():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simplified_silhouette_score([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"distances": [[-1.0, 1.0]]}, "distances must not be negative, got -1.0"),
        ({"distances": [[np.nan, 1.0]]}, "distances contains NaN"),
        ({"distances": [1.0, 2.0]}, "Expected 2D array"),
        ({"distances": [[1.0, 2.0]], "labels": [2]}, "labels must be columns of distances"),
        ({"distances": [[1.0, 2.0]], "average": "micro"}, "average must be one of"),
        ({"distances": [[1.0, 2.0]], "sample_weight": [-1]}, "sample_weight must not be"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        simplified_silhouette_score(**arguments)
