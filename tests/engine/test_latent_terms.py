import math

import numpy as np
import pytest
import torch

from sklearn_ddcl.engine import Discriminator
from sklearn_ddcl.engine._latent_terms import KEYS, LATENT_TERMS
from sklearn_ddcl.engine._mixture import Mixture

MIXTURE = Mixture(
    np.array([0.25, 0.75]),
    np.array([[100.0, 0.0, 5.0], [104.0, 0.0, 5.0]]),
    np.array([[1.0, 0.5, 2.0], [0.3, 0.5, 1.0]]),
    0.0,
)
CPU = torch.device("cpu")


def make(name, mixture=MIXTURE, **options):
    term = LATENT_TERMS[name](3, Discriminator(**options), torch.Generator().manual_seed(0), CPU)
    term.update(mixture)
    return term


def features(n=50, seed=1):
    z = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return (z + torch.tensor([102.0, 0.0, 5.0])).requires_grad_()


@pytest.mark.parametrize("name", sorted(LATENT_TERMS))
def test_scale_and_offset_of_the_features_do_not_matter(name):
    moved = Mixture(MIXTURE[0], 8 * MIXTURE[1] + 16, 64 * MIXTURE[2], 0.0)
    z = features()
    torch.testing.assert_close(make(name)(z), make(name, moved)(8 * z + 16), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(LATENT_TERMS))
def test_summary_names_what_was_seen_and_forgets_it(name):
    term, z = make(name), features()
    weight = torch.arange(1.0, 51.0)
    first, second = float(term(z).detach()), float(term(z, weight).detach())
    assert math.isfinite(first)
    assert first != second
    summary = term.summary()
    assert tuple(summary) == KEYS
    latent = summary["loss_latent"] + (
        summary["loss_discriminator"] if name == "adversarial" else 0.0
    )
    assert latent == pytest.approx((first + second) / 2, rel=1e-5)
    assert term.seen == []


def test_the_closed_forms_against_loops():
    z = features(20)
    u = (z.detach().double().numpy() - term_shift()) / term_unit()
    means = (MIXTURE.means - term_shift()) / term_unit()
    gaps = np.square(u[:, None] - means)
    nearest = gaps.sum(axis=2).argmin(axis=1)
    assert float(make("euclidean")(z).detach()) == pytest.approx(
        gaps.sum(axis=2).min(1).mean() / 3, rel=1e-4
    )
    own = MIXTURE.weights @ MIXTURE.variances
    expected = 0.0
    for row, j in zip(gaps, nearest, strict=True):
        ratio = own / MIXTURE.variances[j]
        scaled = row[j] * term_unit() ** 2 / MIXTURE.variances[j]
        expected += 0.5 * (scaled + ratio - 1 - np.log(ratio)).sum() / 3
    assert float(make("kl")(z).detach()) == pytest.approx(expected / 20, rel=1e-4)


def term_shift():
    return MIXTURE.weights @ MIXTURE.means


def term_unit():
    within = MIXTURE.weights @ MIXTURE.variances
    between = MIXTURE.weights @ np.square(MIXTURE.means - term_shift())
    return np.sqrt((within + between).mean())


def test_both_players_have_their_own_gradients():
    """One backward pass gives each what it would get alone."""
    joint, encoder, own = (make("adversarial") for _ in range(3))
    z = features()
    joint(z).backward()
    both = z.grad.clone(), [p.grad.clone() for p in joint.network.parameters()]
    _, seen = encoder.loss((z - encoder.shift) / encoder.unit, None)
    z.grad = None
    drawn = own._draw(50)
    u = (z - own.shift) / own.unit
    alone = torch.nn.functional.softplus(-own.network(u)).mean()
    (wanted,) = torch.autograd.grad(alone, z)
    torch.testing.assert_close(both[0], wanted)
    scores = own.network(torch.cat([drawn, u.detach()])).squeeze(1)
    targets = torch.cat([torch.full((50,), 0.9), torch.zeros(50)])
    loss = 2 * torch.nn.functional.binary_cross_entropy_with_logits(scores, targets)
    grads = torch.autograd.grad(loss, list(own.network.parameters()))
    for found, expected in zip(both[1], grads, strict=True):
        torch.testing.assert_close(found, expected)
    assert float(seen[0].detach()) == pytest.approx(float(alone.detach()))


@pytest.mark.parametrize("name", sorted(LATENT_TERMS))
def test_constant_features_have_a_finite_loss(name):
    tiny = np.full((1, 3), np.finfo(np.float64).tiny)
    term = make(name, Mixture(np.ones(1), np.ones((1, 3)), tiny, 0.0))
    z = torch.ones(4, 3, requires_grad=True)
    loss = term(z)
    loss.backward()
    assert math.isfinite(float(loss.detach()))
    assert torch.isfinite(z.grad).all()


def test_draws_have_the_moments_of_the_mixture():
    term = make("adversarial", width=0.5)
    drawn = term._draw(40_000).double().numpy()
    means = (MIXTURE.means - term_shift()) / term_unit()
    within = MIXTURE.weights @ MIXTURE.variances / term_unit() ** 2
    between = MIXTURE.weights @ np.square(means)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(drawn.var(axis=0), 0.25 * within + between, rtol=0.05)


@pytest.mark.parametrize("options", [{}, {"spectral_norm": True}, {"instance_noise": 0.3}])
def test_a_trained_discriminator_proves_what_there_is(options):
    """Features far from the mixture: ln 2. Features drawn from it: nothing."""
    term = make("adversarial", width=1.0, label_smoothing=0.0, hidden=(32,), **options)
    optimizer = torch.optim.Adam(term.network.parameters(), lr=0.01)
    found = {}
    for name, shift in (("far", 6.0), ("same", 0.0)):
        for _ in range(300):
            u = term._draw(256) + shift
            optimizer.zero_grad()
            term(u * term.unit + term.shift).backward()
            optimizer.step()
        term.seen = term.seen[-50:]
        found[name] = term.summary()
    assert found["far"]["js_divergence"] > 0.6
    assert found["far"]["discriminator_accuracy"] > 0.97
    assert abs(found["same"]["js_divergence"]) < 0.05
    assert abs(found["same"]["discriminator_accuracy"] - 0.5) < 0.1


def test_features_of_another_width_are_refused():
    term = make("euclidean")
    with pytest.raises(RuntimeError, match="size"):
        term(torch.zeros(4, 2))


def test_weights_that_do_not_fit_are_refused():
    for name in LATENT_TERMS:
        with pytest.raises(ValueError, match=r"weight must have shape \(50,\)"):
            make(name)(features(), torch.ones(3))
