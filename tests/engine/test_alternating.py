import sys

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_ddcl.engine import AlternatingConfig, NeighborContrast, SimCLR, fit_alternating
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.nn import MLP, reset_parameters

LABELS = np.repeat([0, 1, 2], 40)
X = np.random.default_rng(0).normal(size=(120, 5)) + 6 * np.eye(5)[LABELS]
KEYS = {
    *("epoch", "phase", "temperature", "loss_cross_entropy", "nmi_previous", "label_change"),
    *("n_active", "n_reassigned", "inertia", "seconds"),
}


def fit(data=X, weight=None, **changes):
    values = {"n_clusters": 3, "epochs": 4, "n_init": 4, "device": "cpu", **changes}
    return fit_alternating(data, weight, AlternatingConfig(**values))


def linear():
    layer = nn.Linear(5, 3)
    reset_parameters(layer, torch.Generator().manual_seed(1))
    return layer


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"warm_up": NeighborContrast(n_steps=60)},
        {"warm_up": SimCLR(n_steps=60)},
        {"backbone": MLP},
        {"n_components": 4},
        {"batch_size": 2},
        {"kmeans": "sklearn"},
    ],
)
def test_blobs_are_found(changes):
    result = fit(**changes)
    assert adjusted_rand_score(LABELS, result.clusters.labels) > 0.9
    assert len(result.clusters.prototypes) == 3


def test_each_epoch_has_a_record_and_the_last_partition_too():
    history = fit(warm_up=NeighborContrast(n_steps=2)).history
    assert [record["epoch"] for record in history] == list(range(1, 8))
    phases = [record["phase"] for record in history]
    assert phases == ["pretext"] * 2 + ["alternation"] * 4 + ["final"]
    turns = history[2:]
    assert all(set(record) == KEYS for record in turns)
    assert np.isnan(turns[0]["nmi_previous"])
    assert all(0 <= record["nmi_previous"] <= 1 for record in turns[1:])
    assert all(0 <= record["label_change"] <= 1 for record in turns[1:])
    assert all(np.isfinite(record["loss_cross_entropy"]) for record in turns[:-1])


def test_features_are_white_and_on_the_sphere():
    result = fit(n_components=4)
    with torch.no_grad():
        z = result.backbone(torch.from_numpy(X)).numpy()
        raw = result.backbone[0](torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0)
    white = (raw - raw.mean(axis=0)) @ result.backbone[1].basis.numpy()
    np.testing.assert_allclose(white.T @ white / len(X), np.eye(4), atol=1e-8)


def test_the_network_learns_the_labels():
    history = fit(epochs=6, batch_size=8, learning_rate=5e-3).history
    assert history[5]["loss_cross_entropy"] < 0.75 * np.log(3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_results_are_in_the_type_of_the_samples(kind):
    result = fit(X.astype(kind))
    assert result.clusters.prototypes.dtype == kind
    assert all(str(p.dtype)[6:] == kind.__name__ for p in result.backbone.parameters())


def test_sparse_and_dense_rows_give_the_same():
    dense, loose = fit(X), fit(sparse.csr_array(X))
    np.testing.assert_array_equal(dense.clusters.labels, loose.clusters.labels)


def test_the_seed_decides_and_global_random_states_are_left_alone():
    torch_state = torch.get_rng_state()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = fit(), fit(), fit(seed=1)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    np.testing.assert_array_equal(first.clusters.prototypes, second.clusters.prototypes)
    assert first.history[0]["loss_cross_entropy"] != other.history[0]["loss_cross_entropy"]


def test_the_users_module_is_copied():
    module = linear()
    before = module.weight.clone()
    result = fit(backbone=module)
    assert torch.equal(module.weight, before)
    assert not torch.equal(result.backbone[0].weight.float(), before)


def test_rows_of_weight_0_are_labelled_but_not_learned_from():
    weight = np.ones(120)
    weight[100:] = 0.0
    far = X.copy()
    far[100:] *= -1.0
    left_out, other = fit(X, weight), fit(far, weight)
    np.testing.assert_allclose(left_out.clusters.prototypes, other.clusters.prototypes)
    assert len(left_out.clusters.labels) == 120


def test_fewer_rows_of_positive_weight_than_clusters():
    weight = np.zeros(120)
    weight[[0, 50]] = 1.0
    assert len(fit(X, weight).clusters.prototypes) == 2


@pytest.mark.parametrize("data", [np.ones((9, 5)), np.zeros((9, 5)), np.full((9, 5), 1e30)])
def test_constant_samples_are_one_cluster(data):
    result = fit(data)
    assert len(result.clusters.prototypes) == 1
    assert np.isfinite(result.clusters.prototypes).all()


@pytest.mark.parametrize("weight", [None, np.array([1.0] + [0.0] * 119)])
def test_one_row_is_refused(weight):
    with pytest.raises(ValueError, match="n_samples=1 should be >= 2"):
        fit(X[:1] if weight is None else X, weight, n_clusters=1)


@pytest.mark.parametrize(("asked", "count"), [("auto", 6), (None, 24), (4, 4), (1000, 32)])
def test_the_number_of_components(asked, count):
    assert fit(n_components=asked).clusters.prototypes.shape[1] == count


def test_a_rate_that_is_too_large_is_named():
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(5, 3))

        def forward(self, x):
            return torch.exp(x @ self.weight * 1e3)

    with pytest.raises(FloatingPointError, match="must be finite, got NaN or an infinity"):
        fit(backbone=Exploding())


def test_a_kmeans_that_is_missing_is_named_before_the_warm_up(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    records = []
    with pytest.raises(ImportError, match=r"kmeans='faiss' needs faiss: pip install"):
        fit(kmeans="faiss", warm_up=NeighborContrast(n_steps=2), report=records.append)
    assert records == []
