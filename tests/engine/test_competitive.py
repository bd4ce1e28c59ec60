import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_circles

from sklearn_ddcl.engine import CompetitiveConfig, fit_competitive
from sklearn_ddcl.engine._competitive_layers import LAYERS

BLOBS = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0]


def fit(X=BLOBS, weight=None, n_prototypes=12, **options):
    options = {"epochs": 60, "device": "cpu", **options}
    return fit_competitive(X, weight, CompetitiveConfig(n_prototypes, **options))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_a_result_is_consistent(layer, init):
    result = fit(layer=layer, init=init)
    p, groups, centers, labels, inertia = result.clusters
    gaps = cdist(BLOBS, p, "sqeuclidean")
    np.testing.assert_array_equal(result.winners, gaps.argmin(axis=1))
    np.testing.assert_array_equal(labels, groups[result.winners])
    assert inertia == pytest.approx(gaps.min(axis=1).sum())
    assert len(np.unique(result.winners)) == len(p) <= 12  # pruned: all others win something
    sizes = np.bincount(labels)
    assert (np.diff(sizes) <= 0).all()
    for cluster, center in enumerate(centers):
        np.testing.assert_allclose(center, BLOBS[labels == cluster].mean(axis=0))
    assert result.adjacency.sum() == 2 * len(BLOBS)
    assert len(result.history) == result.n_epochs == 60


def test_the_error_comes_near_that_of_k_means():
    X = make_circles(500, noise=0.05, factor=0.5, random_state=0)[0]
    result = fit(X, n_prototypes=30, epochs=300, topology_weight=0.0)
    kmeans = KMeans(30, n_init=5, random_state=0).fit(X)
    assert result.clusters.inertia < 1.1 * kmeans.inertia_


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e6)])
def test_scale_and_offset_change_nothing(layer, scale, shift):
    base, moved = fit(layer=layer), fit(BLOBS * scale + shift, layer=layer)
    np.testing.assert_array_equal(base.winners, moved.winners)
    np.testing.assert_allclose(
        (moved.clusters.prototypes - shift) / scale, base.clusters.prototypes, atol=1e-4
    )


def test_rows_of_weight_zero_are_not_seen_in_training_and_labelled_after():
    strange = np.full((5, 2), 1e3)
    weight = np.r_[np.ones(300), np.zeros(5)]
    with_them = fit(np.r_[BLOBS, strange], weight)
    without = fit()
    np.testing.assert_allclose(with_them.clusters.prototypes, without.clusters.prototypes)
    assert with_them.clusters.labels.shape == (305,)
    assert with_them.adjacency.sum() == 600


def test_weights_of_all_sizes_move_nothing_out_of_the_data():
    weight = np.r_[np.ones(3), np.full(297, 1e-25)]
    p = fit(BLOBS.astype(np.float32), weight).clusters.prototypes
    assert (p >= BLOBS.min(axis=0) - 1).all()
    assert (p <= BLOBS.max(axis=0) + 1).all()


def test_one_common_weight_changes_nothing():
    one = fit().clusters
    two = fit(weight=np.full(300, 0.25)).clusters
    np.testing.assert_allclose(one.prototypes, two.prototypes, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [50, 299])
def test_mini_batches_reach_the_same_clusters(batch_size):
    result = fit(batch_size=batch_size, epochs="auto")
    assert result.n_epochs == (67 if batch_size == 50 else 200)  # 400 steps
    assert len(result.clusters.centers) == 3
    full = fit(epochs=400)
    assert result.clusters.inertia < 1.1 * full.clusters.inertia


@pytest.mark.parametrize("kind", ["sparse", "read-only", "memmap"])
@pytest.mark.parametrize("batch_size", [64, 300])
def test_other_containers_give_the_same(tmp_path, kind, batch_size):
    data = BLOBS.copy()
    if kind == "sparse":
        data = sparse.csr_array(BLOBS)
    elif kind == "memmap":
        data = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=BLOBS.shape)
        data[:] = BLOBS
    else:
        data.setflags(write=False)
    one, other = fit(batch_size=batch_size), fit(data, batch_size=batch_size)
    np.testing.assert_allclose(other.clusters.prototypes, one.clusters.prototypes, rtol=1e-6)
    np.testing.assert_allclose(other.clusters.centers, one.clusters.centers, rtol=1e-6)


def test_the_literal_graph_moves_no_prototype_and_the_soft_one_does():
    none, literal = fit(topology_weight=0.0), fit(topology="literal", topology_weight=0.5)
    soft = fit(topology="soft", topology_weight=0.5)
    np.testing.assert_array_equal(none.clusters.prototypes, literal.clusters.prototypes)
    last = literal.history[-1]  # Eq. 21 for features of variance 1
    assert last["loss_topology"] == 2 * last["n_edges"]
    assert last["loss"] == pytest.approx(
        last["loss_quantization"] + 0.5 * last["loss_topology"] * BLOBS.var(axis=0).mean()
    )
    assert soft.history[-1]["n_edges"] < literal.history[-1]["n_edges"]


def test_records_are_in_squared_units_of_the_data():
    one, other = fit().history[-1], fit(10 * BLOBS).history[-1]
    assert other["loss_quantization"] == pytest.approx(100 * one["loss_quantization"], rel=1e-3)
    assert other["loss_topology"] == pytest.approx(one["loss_topology"], rel=1e-3)


def test_a_tiny_rate_leaves_the_start():
    slow = fit(learning_rate=1e-9, topology_weight=0.0)
    first, last = (slow.history[at]["loss_quantization"] for at in (0, -1))
    assert last == pytest.approx(first, rel=1e-6)


def test_a_rate_without_bounds_names_itself():
    with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+300 or topology_weight="):
        fit(learning_rate=1e300)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("X", [np.ones((20, 3)), np.eye(2), np.array([[1.0]])])
def test_degenerate_rows(X, layer):
    result = fit(X, layer=layer)
    assert np.isfinite(result.clusters.prototypes).all()
    assert 1 <= len(result.clusters.prototypes) <= len(np.unique(X, axis=0))
    assert result.clusters.inertia < 1e-3


def test_gradients_are_made_even_where_they_were_switched_off():
    with torch.inference_mode():
        assert len(fit(epochs=3).history) == 3


def test_one_seed_one_result_and_the_global_state_untouched():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one, same, other = fit(seed=3), fit(seed=3), fit(seed=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(one.clusters.prototypes, same.clusters.prototypes)
    assert not np.array_equal(one.clusters.prototypes, other.clusters.prototypes)


def test_values_too_large_are_refused():
    with pytest.raises(ValueError, match="too large"):
        fit(BLOBS * 1e200)
