import copy

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from torch import nn

from sklearn_ddcl.engine import JointConfig, PretextTask, fit_joint, fit_pretext
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import squared_distances
from sklearn_ddcl.options import FourPhases, JointTraining, Regularization


@pytest.fixture(scope="module")
def problem(train_rows, make_backbone, make_task):
    """Rows, a warm backbone with its task, and prototypes."""

    def make(dtype=torch.float32, **changes):
        x = train_rows(dtype=dtype)
        backbone, task = make_backbone(dtype=dtype, **changes), make_task(dtype=dtype)
        fit_pretext(backbone, task, x, steps=30, batch_size=32, learning_rate=1e-2)
        return x, backbone, task, backbone(x).detach()[[0, 7, 21, 40]]

    return make


def config(loss="quantization", layer="dual", report=None, seed=0, **changes):
    options = JointTraining(**{"epochs": 8, "batch_size": 32} | changes)
    return JointConfig(options, loss=loss, layer=layer, device="cpu", seed=seed, report=report)


@pytest.mark.parametrize("layer", ["dual", "vanilla"])
@pytest.mark.parametrize("loss", ["quantization", "ols", "cross_entropy"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_have_the_type_of_x_and_fit_together(problem, layer, loss, dtype):
    x, backbone, task, start = problem(dtype)
    result = fit_joint(backbone, task, x, start, config(loss, layer))
    z = result.backbone(x)
    assert result.prototypes.dtype == z.dtype == dtype
    assert torch.equal(result.labels, squared_distances(z, result.prototypes).argmin(1))
    assert not result.backbone.training
    assert not result.prototypes.requires_grad
    for record in result.history:
        gap = record["loss_quantization"] - record["loss_ols"] - record["variance"]
        assert abs(gap) <= 1e-5 * record["loss_quantization"]
        assert record["variance"] >= 0
        assert record["force"] == pytest.approx(1 - record["concentration"])


def test_nothing_moves_without_rates_and_prototypes_stay_exactly(problem):
    x, backbone, task, start = problem(torch.float64)
    rates = {"learning_rate": 1e-300, "patience": None, "revive": False}
    result = fit_joint(backbone, task, x, start, config(**rates))
    torch.testing.assert_close(result.prototypes, start, rtol=1e-9, atol=1e-12)


def test_training_lowers_the_quantization_error_in_units_of_the_variance(problem):
    x, backbone, task, start = problem()
    history = fit_joint(backbone, task, x, start, config(epochs=30)).history
    first, last = (
        r["loss_quantization"] / r["latent_variance"] for r in history[:: len(history) - 1]
    )
    assert last < 0.9 * first


def test_the_same_seed_gives_the_same_result_and_another_seed_another(problem):
    x, backbone, task, start = problem(dropout=0.2)
    state, results = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        pair = copy.deepcopy((backbone, task))
        results.append(fit_joint(*pair, x, start, config(seed=seed)).prototypes)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(state, torch.get_rng_state())


def test_a_factor_of_the_latent_space_changes_nothing_but_units(problem):
    """The scaled objective and the normalised rates have no units."""
    x, _, _, _ = problem(torch.float64)
    start = x[[0, 7, 21, 40]]
    labels, factors = [], (1.0, 1000.0)
    prototypes = []
    for factor in factors:
        options = config(epochs=6, learning_rate=0.05, patience=None)
        result = fit_joint(nn.Identity(), None, factor * x, factor * start, options)
        labels.append(result.labels)
        prototypes.append(result.prototypes / factor)
    assert torch.equal(*labels)
    torch.testing.assert_close(*prototypes, rtol=1e-6, atol=1e-9)
    assert not torch.allclose(prototypes[0], start, rtol=1e-3)


def test_every_record_is_reported_with_its_phase(problem):
    seen = []
    x, backbone, task, start = problem()
    result = fit_joint(
        backbone, task, x, start, config(epochs=10, report=seen.append, patience=None)
    )
    assert seen == result.history
    phases = [record["phase"] for record in seen]
    assert (
        phases == ["warm_up"] * 2 + ["stabilization"] * 2 + ["sharpening"] * 4 + ["refinement"] * 2
    )
    assert result.temperature == seen[-1]["temperature"]


def test_weights_of_rows_count(problem):
    x, backbone, task, start = problem()
    weight = torch.ones(len(x))
    equal, heavy = (
        fit_joint(*copy.deepcopy((backbone, task)), x, start, config(), weight * w).prototypes
        for w in (1.0, torch.linspace(0.1, 9, len(x)))
    )
    none = fit_joint(*copy.deepcopy((backbone, task)), x, start, config()).prototypes
    torch.testing.assert_close(equal, none, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(heavy, none, rtol=1e-3)


def test_a_batch_larger_than_the_data_and_rows_of_any_shape(problem):
    x, _, _, _ = problem()
    images = x.reshape(len(x), 1, 2, 3)
    backbone = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(6))
    backbone(images)
    start = backbone.eval()(images).detach()[:3]
    result = fit_joint(backbone, None, images, start, config(batch_size=1000))
    assert result.labels.shape == (len(x),)


def test_bfloat16_on_request_keeps_the_type_of_x(problem):
    x, backbone, task, start = problem()
    result = fit_joint(backbone, task, x, start, config(mixed_precision=True))
    assert result.prototypes.dtype == torch.float32
    assert next(result.backbone.parameters()).dtype == torch.float32


def test_regularization_reaches_the_loss(problem):
    x, backbone, task, start = problem()
    plain = config()
    balanced = plain._replace(regularization=Regularization(balance=5.0))
    results = [
        fit_joint(*copy.deepcopy((backbone, task)), x, start, c).history[0]["loss"]
        for c in (plain, balanced)
    ]
    assert results[1] > results[0]


def test_high_temperatures_are_allowed_and_warn_of_nothing(problem):
    x, backbone, task, start = problem()
    options = config(schedule=FourPhases(initial=2.0, final=0.5))
    assert fit_joint(backbone, task, x, start, options).history[0]["temperature"] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "ldq"}, "loss must be 'quantization', 'ols' or 'cross_entropy', got 'ldq'"),
        ({"layer": "deep"}, "layer must be 'dual' or 'vanilla', got 'deep'"),
        ({"epochs": 0}, "epochs must be an integer >= 1, got 0"),
    ],
)
def test_unknown_names_and_numbers_are_refused(problem, changes, message):
    x, backbone, task, start = problem()
    with pytest.raises(ValueError, match=message):
        fit_joint(backbone, task, x, start, config(**changes))


def test_a_backbone_of_another_shape_is_named(problem):
    x, _, _, start = problem()
    with pytest.raises(ValueError, match=r"backbone must return .* \(60, d\).*\(60, 6, 1\)"):
        fit_joint(nn.Unflatten(1, (6, 1)), None, x, start, config())


def test_prototypes_of_another_width_are_named(problem):
    x, backbone, task, start = problem()
    with pytest.raises(ValueError, match="prototypes and features must have the same number"):
        fit_joint(backbone, task, x, start[:, :2], config())


def test_rows_that_are_not_finite_are_named(problem):
    x, backbone, task, start = problem()
    x = x.clone()
    x[3] = float("nan")
    with pytest.raises(FloatingPointError, match="features of the backbone must be finite"):
        fit_joint(backbone, task, x, start, config())


def test_a_rate_far_too_large_ends_in_an_error_that_names_it(problem):
    x, backbone, task, start = problem()
    options = config(learning_rate=1e30, gradient_clip=None, epochs=30, revive=False)
    with pytest.raises(FloatingPointError, match=r"learning_rate|learning rate"):
        fit_joint(nn.Sequential(*backbone, nn.Linear(3, 3)), task, x, start, options)


@pytest.mark.parametrize("weight", [torch.ones(3), torch.zeros(60), -torch.ones(60)])
def test_weights_that_cannot_be_are_refused(problem, weight):
    x, backbone, task, start = problem()
    with pytest.raises(ValueError, match="sample_weight must"):
        fit_joint(backbone, task, x, start, config(), weight)


@pytest.mark.slow
def test_joint_training_keeps_the_warm_start_of_digits():
    """Labels after the joint phase are about as good as before, and no prototype dies."""
    images, y = load_digits(return_X_y=True)
    x = torch.from_numpy(images).float()
    x = (x - x.mean(dim=0)) / x.std()
    before, after, active = [], [], []
    for seed in range(3):
        backbone, task = decoder_pair(seed)
        fit_pretext(backbone, task, x, steps=600, device="cpu")
        z = encode(backbone, x)
        means = KMeans(10, n_init=4, random_state=seed).fit(z.numpy())
        start = torch.from_numpy(means.cluster_centers_).float()
        before.append(clustering_accuracy_score(y, means.labels_))
        options = JointConfig(JointTraining(epochs=40), device="cpu")
        result = fit_joint(*copy.deepcopy((backbone, task)), x, start, options)
        after.append(clustering_accuracy_score(y, result.labels.numpy()))
        active.append(result.history[-1]["n_active"])
    assert np.median(after) >= np.median(before) - 0.02
    assert active == [10, 10, 10]


def decoder_pair(seed):
    """Return a network with weights of this seed, and the task of undoing it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sizes = [(64, 256), (256, 256), (256, 10)]
        backbone = nn.Sequential(*stack(sizes))
        task = Undo(nn.Sequential(*stack([(b, a) for a, b in reversed(sizes)])))
    return backbone, task


def stack(sizes):
    """List linear layers with ReLU between them."""
    return [part for a, b in sizes for part in (nn.Linear(a, b), nn.ReLU())][:-1]


class Undo(PretextTask):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def loss(self, backbone, x, z, index, generator):
        return (self.decoder(z) - x).square().mean()


def test_known_features_are_not_computed_again(problem):
    x, backbone, task, start = problem()
    z = encode(backbone, x)
    pairs = copy.deepcopy((backbone, task)), copy.deepcopy((backbone, task))
    plain = fit_joint(*pairs[0], x, start, config())
    known = fit_joint(*pairs[1], x, start, config(), features=z)
    assert torch.equal(plain.prototypes, known.prototypes)
    assert torch.equal(plain.features, known.features)
    with pytest.raises(ValueError, match="features of shape"):
        fit_joint(backbone, task, x, start, config(), features=z[1:])
