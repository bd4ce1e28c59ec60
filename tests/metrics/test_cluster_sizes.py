"""Cluster-size variance against the paper's table and against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.metrics import cluster_size_variance


@pytest.mark.parametrize(
    ("n_samples", "n_clusters", "printed"),
    [(60_000, 10, 54_000), (60_000, 100, 59_400), (13_000, 10, 11_700)],
    ids=["CIFAR-10 and FashionMNIST", "CIFAR-100", "STL"],
)
def test_collapse_gives_the_printed_figures(n_samples, n_clusters, printed):
    """Column "No Reg", rows CVar, of Table 1 of Mahon and Lukasiewicz."""
    labels = np.zeros(n_samples, dtype=int)
    assert cluster_size_variance(labels, n_clusters) == pytest.approx(printed)


def test_normalisation_agrees_with_the_entropies_of_table_2():
    """CIFAR-10, CA: variance 424 and entropy 3.27 bits of 60,000 images in 10 clusters.

    For nearly equal shares p the entropy is log2(k) - k / (2 ln 2) (sum p^2 - 1 / k),
    and CVar / n is the bracket if CVar is the variance over the mean size.
    """
    bracket = 424 / 60_000
    assert round(np.log2(10) - 10 / (2 * np.log(2)) * bracket, 2) == 3.27


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(5, 8))
def test_variance_follows_its_two_formulas(labels, n_clusters):
    sizes = np.array([labels.count(j) for j in range(n_clusters)])
    n_samples = len(labels)
    plain = cluster_size_variance(labels, n_clusters, normalize=False)
    assert plain == pytest.approx(np.mean((sizes - n_samples / n_clusters) ** 2))
    expected = n_samples * (np.sum((sizes / n_samples) ** 2) - 1 / n_clusters)
    found = cluster_size_variance(labels, n_clusters)
    assert found == pytest.approx(expected, abs=1e-9)
    assert 0 <= found <= n_samples * (1 - 1 / n_clusters) + 1e-9


def test_without_n_clusters_only_clusters_in_use_count():
    assert cluster_size_variance(["a", "b", "a", "b"]) == 0.0
    assert cluster_size_variance([7, 7, 7]) == 0.0
    assert cluster_size_variance(["a", "b", "a", "b"], 4) == 1.0


@pytest.mark.parametrize(
    ("n_clusters", "message"),
    [
        (1, "n_clusters must be at least 2, the number of distinct labels, got 1"),
        (2.0, "n_clusters must be an integer or None, got 2.0"),
        (True, "n_clusters must be an integer or None, got True"),
        ("2", "n_clusters must be an integer or None, got '2'"),
    ],
)
def test_bad_n_clusters_is_refused(n_clusters, message):
    with pytest.raises(ValueError, match=message):
        cluster_size_variance([0, 1], n_clusters)


def test_no_labels_are_refused():
    with pytest.raises(ValueError, match="labels must hold at least 1 sample"):
        cluster_size_variance([], 3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 5))
def test_soft_assignments_have_both_variances(seed, n_samples, n_clusters):
    soft = np.random.default_rng(seed).dirichlet(np.full(n_clusters, 0.5), size=n_samples)
    mean = soft.mean(axis=0)
    found = cluster_size_variance(soft, kind="soft")
    expected = n_samples * (np.sum(mean**2) - 1 / n_clusters)
    assert found == pytest.approx(expected, abs=1e-9)
    hard = cluster_size_variance(soft)
    assert hard == pytest.approx(cluster_size_variance(soft.argmax(axis=1), n_clusters))


def test_hard_rows_have_equal_variances():
    one_hot = np.eye(4)[[0, 0, 1, 2]]
    found = [cluster_size_variance(one_hot, kind=kind) for kind in ("hard", "soft")]
    assert found == [0.5, 0.5]
    assert cluster_size_variance(one_hot, 8) == cluster_size_variance([0, 0, 1, 2], 8)


@pytest.mark.parametrize(
    ("assignments", "kind", "message"),
    [
        ([0, 1], "soft", "kind='soft' needs assignments of shape"),
        ([0, 1], "medium", r"kind must be one of \('hard', 'soft'\), got 'medium'"),
        ([[0.5, 0.6]], "soft", "must sum to 1"),
        ([[-0.5, 1.5]], "hard", "must not be negative"),
    ],
)
def test_bad_assignments_are_refused(assignments, kind, message):
    with pytest.raises(ValueError, match=message):
        cluster_size_variance(assignments, kind=kind)


def test_fewer_clusters_than_columns_are_refused():
    with pytest.raises(ValueError, match="n_clusters must be at least 3"):
        cluster_size_variance(np.eye(3), 2)
