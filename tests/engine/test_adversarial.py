import math

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from sklearn_ddcl.engine import AdversarialConfig, Discriminator, NeighborContrast, fit_adversarial
from sklearn_ddcl.engine._adversarial import AdversarialModule, AdversarialNet
from sklearn_ddcl.engine._latent_terms import KEYS, LATENT_TERMS
from sklearn_ddcl.engine._mixture import fit_mixture
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.metrics import adjusted_rand_score

X, Y = make_blobs(120, centers=3, n_features=5, random_state=0)
SHORT = {"warm_up": NeighborContrast(n_steps=60), "epochs": 4, "device": "cpu"}


def fit(weight=None, data=X, **changes):
    return fit_adversarial(data, weight, AdversarialConfig(3, **{**SHORT, **changes}))


@pytest.mark.parametrize("loss", sorted(LATENT_TERMS))
def test_blobs_are_found_by_every_loss(loss):
    result = fit(loss=loss)
    assert adjusted_rand_score(Y, result.clusters.labels) > 0.9
    records = [record for record in result.history if record["phase"] == "clustering"]
    assert [record["epoch"] for record in result.history] == list(
        range(1, len(result.history) + 1)
    )
    assert len(records) == 4
    for record in records:
        assert {*KEYS, "loss_pretext", "loss_quantization", "n_active"} <= set(record)
        assert math.isfinite(record["loss_latent"])
        assert math.isnan(record["js_divergence"]) == (loss != "adversarial")


def test_the_seed_repeats_and_global_states_stay():
    before = torch.get_rng_state()
    first, second = fit(seed=3), fit(seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first.clusters.prototypes, second.clusters.prototypes)
    assert not np.array_equal(first.clusters.prototypes, fit(seed=4).clusters.prototypes)


def test_without_task_there_is_no_loss_of_it():
    for changes in ({"pretext_weight": 0.0}, {"warm_up": None}):
        result = fit(**changes)
        last = [record["loss_pretext"] for record in result.history][-4:]
        assert last == [0.0] * 4


def test_rows_of_weight_zero_do_not_matter():
    weight = np.r_[np.ones(120), np.zeros(5)]
    far = np.r_[X, np.full((5, 5), 50.0)]
    found = fit(weight, far)
    np.testing.assert_array_equal(found.clusters.labels[:120], fit(np.ones(120)).clusters.labels)


def step_once(module, x, rate=0.5):
    """One step by hand, of two optimisers, as the loop shall take it."""
    parameters = list(module.backbone.parameters())
    encoder = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    judge = torch.optim.Adam(module.term.network.parameters(), lr=1e-3, betas=(0.5, 0.99))
    module(torch.arange(len(x)), x).loss.backward()
    encoder.step()
    judge.step()
    return [*parameters, *module.term.network.parameters()]


def make_pair():
    generator = torch.Generator().manual_seed(0)
    body = torch.nn.Linear(5, 2)
    with torch.no_grad():
        body.weight.copy_(torch.arange(10.0).reshape(2, 5) / 10)
        body.bias.zero_()
    term = LATENT_TERMS["adversarial"](2, Discriminator(), generator, torch.device("cpu"))
    x = torch.from_numpy(X.astype("f"))
    term.update(fit_mixture(body(x).detach().numpy(), None, 3, "kmeans", 3, 0))
    return AdversarialModule(body, term, Nothing(), 1.0, generator), x


class Nothing(PretextTask):
    def loss(self, backbone, x, z, index, generator):
        return z.new_zeros(())


def test_a_step_of_the_loop_is_one_of_both_optimisers():
    module, x = make_pair()
    twin, _ = make_pair()
    state = module.term.generator.get_state()
    net = AdversarialNet(
        module, generator=module.term.generator, batch_size=120, max_epochs=1, lr=0.5
    ).initialize()
    assert len(net.discriminator_optimizer_.param_groups[0]["params"]) == 6
    assert len(net.optimizer_.param_groups[0]["params"]) == 2
    held = module.term.network.layers
    assert not any(p is q for p in module.parameters() for q in held.parameters())
    module.term.generator.set_state(state)
    twin.term.generator.set_state(state)
    from sklearn_ddcl.engine._batches import Batch

    net.train_step(Batch(torch.arange(120), x, None))
    expected = step_once(twin, x)
    found = [*module.backbone.parameters(), *module.term.network.parameters()]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_closed_forms_need_one_optimiser():
    module, _ = make_pair()
    module.term.network = None
    net = AdversarialNet(module, generator=module.term.generator).initialize()
    assert not hasattr(net, "discriminator_optimizer_")


def test_a_loss_that_is_not_finite_ends_the_fit():
    with pytest.raises(FloatingPointError):
        fit(learning_rate=1e30, epochs=8)


def test_a_backbone_that_returns_no_matrix_is_refused():
    with pytest.raises(ValueError, match="backbone must return"):
        fit(backbone=torch.nn.Unflatten(1, (5, 1)), warm_up=None)
