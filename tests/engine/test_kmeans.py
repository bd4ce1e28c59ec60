"""k-means of features: each method, the choice between them, empty clusters, faiss missing."""

import importlib.machinery
import sys
import types
import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from sklearn_ddcl.engine import AlternatingConfig, _kmeans, fit_alternating
from sklearn_ddcl.engine._kmeans import KMEANS, continue_kmeans, reassign_empty, resolve_kmeans
from sklearn_ddcl.metrics import adjusted_rand_score

LABELS = np.repeat(np.arange(12), 20)
CENTERS = np.random.default_rng(1).normal(size=(12, 6))
Z = (CENTERS[LABELS] + np.random.default_rng(0).normal(scale=0.1, size=(240, 6))).astype("f")


class Index:
    def __init__(self, centroids):
        self.centroids = centroids

    def search(self, z, k):
        gaps = np.square(z[:, None] - self.centroids).sum(axis=2)
        return gaps.min(axis=1, keepdims=True), gaps.argmin(axis=1)[:, None]


class FakeKmeans:
    """faiss's interface, as far as it is used, on scikit-learn."""

    made = []  # noqa: RUF012

    def __init__(self, d, k, **options):
        self.d, self.k, self.options = d, k, options
        FakeKmeans.made.append(self)

    def train(self, x, weights=None, init_centroids=None):
        assert x.dtype == init_centroids.dtype == np.float32
        assert x.flags.c_contiguous
        assert x.shape[1] == self.d
        assert weights is None or weights.dtype == np.float32
        model = KMeans(self.k, init=init_centroids, n_init=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # faiss does not say
            model.fit(x, sample_weight=weights)
        self.centroids = model.cluster_centers_
        self.index = Index(self.centroids)


@pytest.fixture
def fake(monkeypatch):
    """Plant a module in faiss's place."""
    module = types.ModuleType("faiss")
    module.__spec__ = importlib.machinery.ModuleSpec("faiss", None)
    module.Kmeans = FakeKmeans
    module.ClusteringParameters = lambda: types.SimpleNamespace(early_stop_threshold=0.0)
    monkeypatch.setitem(sys.modules, "faiss", module)
    monkeypatch.setattr(FakeKmeans, "made", [])
    return module


@pytest.fixture(params=["sklearn", "fake", "faiss"])
def method(request):
    """Give each k-means; faiss itself where it is installed."""
    if request.param == "fake":
        request.getfixturevalue("fake")
    elif request.param == "faiss":
        pytest.importorskip("faiss")
    return resolve_kmeans("sklearn" if request.param == "sklearn" else "faiss")


def test_clusters_are_found_and_the_inertia_is_theirs(method):
    found = method(Z, None, 12, 3, 0)
    assert adjusted_rand_score(LABELS, found.labels) == 1.0
    means = np.array([Z[found.labels == j].mean(axis=0) for j in range(12)])
    np.testing.assert_allclose(found.centers, means, atol=1e-5)
    assert found.inertia == pytest.approx(np.square(Z - means[found.labels]).sum(), rel=1e-4)


def test_the_seed_decides(method):
    noise = np.random.default_rng(2).normal(size=(600, 6)).astype("f")
    one, same, other = (method(noise, None, 20, 1, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.centers, same.centers)
    assert one.inertia != other.inertia


def test_more_starts_are_no_worse(method):
    noise = np.random.default_rng(2).normal(size=(600, 6)).astype("f")
    assert method(noise, None, 20, 8, 0).inertia <= method(noise, None, 20, 1, 0).inertia


@pytest.mark.parametrize("n_rows", [40, 240])
def test_weights_count_rows(method, n_rows):
    """Rows enough for a sample of starts, and too few for one."""
    rows = Z[np.random.default_rng(0).permutation(240)[:n_rows]]
    weight = np.ones(n_rows)
    weight[::4] = 3.0
    found = method(rows, weight, 2, 10, 0)
    expected = KMeans(2, n_init=10, random_state=0).fit(rows, sample_weight=weight)
    assert found.inertia == pytest.approx(expected.inertia_, rel=1e-3)


def test_rows_without_weight_to_speak_of_draw_no_centre(method):
    weight = np.where(LABELS < 3, 1.0, 1e-30)
    found = method(Z, weight, 3, 3, 0)
    assert adjusted_rand_score(LABELS[:60], found.labels[:60]) == 1.0


@pytest.mark.parametrize("rows", [np.ones((60, 2)), np.repeat(np.eye(2), 30, axis=0)])
def test_fewer_distinct_rows_than_clusters_are_taken(method, rows):
    found = method(rows.astype("f"), None, 3, 2, 0)
    assert found.centers.shape == (3, 2)
    assert found.inertia == pytest.approx(0.0, abs=1e-3)  # faiss moves copies apart


def test_the_callers_rows_may_be_read_only_and_of_any_order(method):
    rows = np.asfortranarray(Z)
    rows.setflags(write=False)
    method(rows, None, 12, 1, 0)
    np.testing.assert_array_equal(rows, Z)


def test_all_rows_are_used_until_the_sum_rests(fake):
    resolve_kmeans("faiss")(Z, None, 12, 4, 0)
    assert len(FakeKmeans.made) == 4
    for made in FakeKmeans.made:
        assert made.options["max_points_per_centroid"] >= len(Z)
        assert made.options["min_points_per_centroid"] == 1
        assert made.options["early_stop_threshold"] > 0


def test_an_older_faiss_runs_all_iterations(fake):
    fake.ClusteringParameters = types.SimpleNamespace
    resolve_kmeans("faiss")(Z, None, 12, 1, 0)
    assert "early_stop_threshold" not in FakeKmeans.made[0].options


@pytest.mark.parametrize(("rows", "clusters", "used"), [(100, 5, 0), (99, 6, 0), (100, 6, 1)])
def test_auto_takes_faiss_for_many_rows_and_clusters_only(fake, monkeypatch, rows, clusters, used):
    monkeypatch.setattr(_kmeans, "_MANY_ROWS", 100)
    monkeypatch.setattr(_kmeans, "_MANY_CLUSTERS", 6)
    resolve_kmeans("auto")(Z[:rows], None, clusters, 1, 0)
    assert len(FakeKmeans.made) == used


def test_auto_without_faiss_is_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert resolve_kmeans("auto") is resolve_kmeans("sklearn")


def test_a_fit_goes_through_faiss(fake):
    config = AlternatingConfig(3, epochs=2, n_init=2, kmeans="faiss", device="cpu")
    result = fit_alternating(np.asarray(Z[:60], dtype=float), None, config)
    assert len(FakeKmeans.made) == 3 * 2  # two epochs and the last partition
    assert adjusted_rand_score(LABELS[:60], result.clusters.labels) > 0.9


def test_faiss_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"needs faiss: pip install 'sklearn-ddcl\[faiss\]'"):
        resolve_kmeans("faiss")


def test_an_unknown_name_is_no_method():
    assert sorted(KMEANS) == ["auto", "faiss", "sklearn"]
    with pytest.raises(KeyError):
        resolve_kmeans("lloyd")


def test_empty_clusters_take_the_rows_that_are_farthest_from_their_own():
    z = np.eye(4)[[0, 0, 0, 1, 2]]
    centers = np.array([z.mean(axis=0), [-1.0, 0, 0, 0], [0, -1.0, 0, 0]])
    moved = reassign_empty(z, centers, np.zeros(5, dtype=int))
    assert moved[2] == 2
    assert len(np.unique(moved[1])) == 3
    np.testing.assert_array_equal(moved[0][0], centers[0])
    assert set(map(tuple, moved[0][1:])) == {tuple(z[3]), tuple(z[4])}


def test_what_has_no_distinct_rows_left_stays_empty():
    z = np.ones((5, 2)) / np.sqrt(2)
    centers = np.array([z[0], [-1.0, 0.0]])
    found, labels, moved = reassign_empty(z, centers, np.zeros(5, dtype=int))
    np.testing.assert_array_equal(found, centers)
    assert (labels.tolist(), moved) == ([0] * 5, 0)


def test_full_clusters_and_the_callers_arrays_are_left_alone():
    z, labels = np.eye(3), np.array([0, 1, 2])
    centers = z + 0.1
    found = reassign_empty(z, centers, labels)
    assert found[2] == 0
    np.testing.assert_array_equal(found[0], centers)
    assert found[0] is not centers


def test_going_on_from_centres_ends_at_the_same_place():
    weight = np.random.default_rng(2).uniform(0.1, 1.0, size=len(Z))
    found = continue_kmeans(Z, weight, CENTERS.astype("f"))
    oracle = KMeans(12, n_init=1, init=CENTERS.astype("f")).fit(Z, sample_weight=weight)
    np.testing.assert_allclose(found.centers, oracle.cluster_centers_, rtol=1e-5)
    again = continue_kmeans(Z, weight, found.centers)
    np.testing.assert_allclose(again.centers, found.centers, rtol=1e-5)
    np.testing.assert_array_equal(again.labels, found.labels)


def test_going_on_from_centres_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"initial centers \(12, 2\)"):
        continue_kmeans(Z, None, CENTERS[:, :2].astype("f"))
