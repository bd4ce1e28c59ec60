import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_ddcl.engine import (
    Autoencoding,
    DeepConfig,
    JointTraining,
    NeighborContrast,
    Regularization,
    SimCLR,
    fit_deep,
)
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.nn import reset_parameters

LABELS = np.repeat([0, 1, 2], 40)
X = np.random.default_rng(0).normal(size=(120, 5)) + 6 * np.eye(5)[LABELS]


def configure(**changes):
    values = {
        "n_clusters": 3,
        "prototypes_per_cluster": 4,
        "backbone": "mlp",
        "warm_up": NeighborContrast(n_steps=60),
        "training": JointTraining(epochs=2),
        "loss": "quantization",
        "regularization": Regularization(),
        "device": "cpu",
        "seed": 0,
    }
    return DeepConfig(**{**values, **changes})


def fit(data=X, weight=None, **changes):
    return fit_deep(data, weight, configure(**changes))


def features(result, data=X):
    with torch.no_grad():
        return result.backbone(torch.from_numpy(data)).numpy()


def linear():
    """A small module of one's own, with the same weights in every process."""
    layer = nn.Linear(5, 3)
    reset_parameters(layer, torch.Generator().manual_seed(1))
    return layer


CONFIGURATIONS = {
    "default": {},
    "autoencoder": {"warm_up": Autoencoding(n_steps=60)},
    "simclr": {"warm_up": SimCLR(n_steps=60)},
    "no warm-up": {"warm_up": None},
    "one each": {"prototypes_per_cluster": 1},
    "ols": {"loss": "ols"},
    "cross entropy": {"loss": "cross_entropy"},
    "module": {"backbone": linear()},
    "any number": {"n_clusters": None, "prototypes_per_cluster": None},
}
each_configuration = pytest.mark.parametrize("name", CONFIGURATIONS)


@each_configuration
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clusters_are_those_of_the_features(name, dtype):
    data = X.astype(dtype)
    result = fit(data, **CONFIGURATIONS[name])
    z, clusters = features(result, data), result.clusters
    squares = ((z[:, None] - clusters.prototypes[None]) ** 2).sum(2)
    np.testing.assert_array_equal(clusters.labels, clusters.groups[squares.argmin(1)])
    assert clusters.inertia == pytest.approx(squares.min(1).sum(), rel=1e-3)
    means = [z[clusters.labels == j].mean(0) for j in range(len(clusters.centers))]
    np.testing.assert_allclose(clusters.centers, means, rtol=1e-3, atol=1e-4)
    assert z.dtype == clusters.prototypes.dtype == clusters.centers.dtype == dtype
    if name != "no warm-up" and name != "any number":
        assert adjusted_rand_score(LABELS, clusters.labels) > 0.9


def test_history_is_that_of_warm_up_and_joint_phase_numbered_through():
    seen = []
    result = fit(report=seen.append)
    assert [record["epoch"] for record in result.history] == list(range(1, 63))
    phases = [record["phase"] for record in result.history]
    assert seen == result.history, "what is reported is what is kept"
    assert set(phases[:60]) == {"pretext"}
    assert "pretext" not in phases[60:]
    assert result.n_iter == 2
    assert result.temperature == result.history[-1]["temperature"] > 0


@each_configuration
def test_the_seed_decides_and_global_states_stay(name):
    state = torch.get_rng_state()
    runs = [fit(seed=seed, **CONFIGURATIONS[name]).clusters.prototypes for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_the_users_objects_stay_as_they_are():
    module, warm_up, data = nn.Linear(5, 3), NeighborContrast(n_steps=20), X.copy()
    before = copy.deepcopy(module.state_dict())
    fit(data, backbone=module, warm_up=warm_up)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.training
    assert not warm_up.fitted
    assert vars(warm_up).keys() == warm_up.get_params().keys()
    np.testing.assert_array_equal(data, X)


@pytest.mark.parametrize("kind", [NeighborContrast, Autoencoding, SimCLR])
def test_a_fitted_warm_up_is_reused_and_not_changed(kind):
    warm_up = kind(n_steps=60).fit(X, n_clusters=3)
    state = copy.deepcopy((warm_up.backbone_.state_dict(), warm_up.task_.state_dict()))
    results = [fit(warm_up=warm_up, seed=seed) for seed in (0, 0, 1)]
    for now, then in zip((warm_up.backbone_, warm_up.task_), state, strict=True):
        assert all(torch.equal(value, then[key]) for key, value in now.state_dict().items())
    np.testing.assert_array_equal(features(results[0]), features(results[1]))
    for result in results:
        assert len(result.history) == 2
        assert adjusted_rand_score(LABELS, result.clusters.labels) > 0.9


def test_reuse_begins_where_the_warm_up_ended():
    warm_up = NeighborContrast(n_steps=60).fit(X, n_clusters=3)
    training = JointTraining(epochs=1, learning_rate=1e-12)
    with torch.no_grad():
        expected = warm_up.backbone_(torch.from_numpy(X)).numpy()
    for data in (X, X[::2]):  # other rows: another graph, the same backbone
        result = fit(data, warm_up=warm_up, training=training)
        np.testing.assert_allclose(features(result), expected, rtol=1e-5, atol=1e-5)


def test_rows_of_weight_zero_are_labelled_but_not_trained_on():
    noise = np.random.default_rng(1).normal(size=(30, 5)) * 20
    weight = np.r_[np.ones(120), np.zeros(30)]
    result = fit(np.r_[X, noise], weight)
    assert len(result.clusters.labels) == 150
    assert adjusted_rand_score(LABELS, result.clusters.labels[:120]) > 0.9
    plain = fit()
    np.testing.assert_allclose(result.clusters.prototypes, plain.clusters.prototypes, atol=1e-3)


def test_weights_too_small_for_float32_are_zero():
    weight = np.r_[np.ones(119), 1e-60]
    assert len(fit(weight=weight).clusters.labels) == 120


def test_sparse_rows_are_dense_rows():
    data = np.where(np.abs(X) < 0.5, 0.0, X)
    results = [fit(kind(data)) for kind in (np.asarray, sparse.csr_array)]
    np.testing.assert_array_equal(results[0].clusters.labels, results[1].clusters.labels)


@pytest.mark.parametrize("change", [lambda x: x + 1e8, lambda x: 1e-200 * x, lambda x: 1e200 * x])
def test_offset_and_scale_make_no_difference_to_the_partition(change):
    assert adjusted_rand_score(LABELS, fit(change(X)).clusters.labels) > 0.9


@pytest.mark.parametrize("n", range(1, 11))
def test_very_few_rows(n):
    k = min(n, 3)
    result = fit(X[:n], n_clusters=k, prototypes_per_cluster=None)
    assert np.isfinite(result.clusters.prototypes).all()
    assert len(result.clusters.labels) == n
    assert 1 <= len(result.clusters.centers) <= k


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_equal_rows_are_one_cluster(name):
    result = fit(np.full((30, 5), 7.1), **CONFIGURATIONS[name])
    assert len(result.clusters.centers) == 1
    assert result.clusters.inertia == pytest.approx(0.0, abs=1e-6)


def test_duplicates_stay_together():
    result = fit(np.repeat(X[::10], 10, axis=0))
    assert all(len(set(part)) == 1 for part in result.clusters.labels.reshape(12, 10))


@pytest.mark.parametrize("width", [1, 2])
def test_one_or_two_features(width):
    assert np.isfinite(fit(X[:, :width]).clusters.prototypes).all()


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (nn.Unflatten(1, (5, 1)), "must return floating point features of shape"),
        (nn.Flatten(0), "must return floating point features of shape"),
        (nn.Identity(), "no parameters to train"),
    ],
)
def test_backbones_that_cannot_be_trained_are_refused(backbone, message):
    with pytest.raises(ValueError, match=message):
        fit(backbone=backbone)


def test_a_fitted_warm_up_refuses_samples_of_another_shape():
    warm_up = NeighborContrast(n_steps=2).fit(X)
    with pytest.raises(ValueError, match="takes samples of the shape"):
        fit(X[:, :3], warm_up=warm_up)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_fit_trains_whatever_the_callers_mode(mode):
    expected = fit().clusters.prototypes
    with mode():
        np.testing.assert_array_equal(fit().clusters.prototypes, expected)
        warm_up = NeighborContrast(n_steps=2).fit(X)
        assert not torch.is_grad_enabled()
    assert len(fit(warm_up=warm_up).history) == 2


def test_a_learning_rate_that_is_too_large_is_told():
    with pytest.raises(FloatingPointError, match="learning_rate"):
        fit(training=JointTraining(epochs=5, learning_rate=1e8), backbone=nn.Linear(5, 3))
