import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits

from sklearn_ddcl.nn import (
    adversarial_encoder_loss,
    discriminator_loss,
    jensen_shannon_estimate,
)

checked = settings(deadline=None, max_examples=60)


def scores(seed, m=7, n=9, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    drawn, encoded = (
        scale * torch.randn(size, generator=generator, dtype=torch.float64) for size in (m, n)
    )
    return drawn, encoded, torch.rand(n, generator=generator, dtype=torch.float64) + 0.01


def grid(first, second, n=200_001, reach=30.0):
    """Points of a line and the weights of two densities there, by the midpoint rule."""
    low = float(min(first.mean, second.mean)) - reach
    high = float(max(first.mean, second.mean)) + reach
    z = torch.linspace(low, high, n, dtype=torch.float64)
    step = float(z[1] - z[0])
    return z, step * first.log_prob(z).exp(), step * second.log_prob(z).exp()


def divergence(p, q):
    """The Jensen-Shannon divergence by its definition, as a mean of two KL divergences."""
    middle = 0.5 * (p + q)
    kl = [torch.where(r > 0, r * torch.log(r / middle), 0.0).sum() for r in (p, q)]
    return 0.5 * float(kl[0] + kl[1])


def normals(gap, spread):
    return (
        Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double()),
        Normal(torch.tensor(gap).double(), torch.tensor(spread).double()),
    )


def discriminator_expectation(score, p, q):
    """Expected loss of the discriminator, from the weighted term of either side."""
    tiny = torch.full((1,), 60.0, dtype=torch.float64)  # a drawn score that adds e^-60
    encoded = discriminator_loss(tiny, score, q)
    drawn = discriminator_loss(tiny, -score, p)  # symmetric: D and 1 - D change places
    return float(encoded + drawn)


@checked
@given(seed=st.integers(0, 10_000), smoothing=st.floats(0.0, 0.5))
def test_both_losses_are_cross_entropies(seed, smoothing):
    drawn, encoded, weight = scores(seed)
    share = weight / weight.sum()
    expected = (
        binary_cross_entropy_with_logits(drawn, torch.full_like(drawn, 1.0 - smoothing))
        + (share * binary_cross_entropy_with_logits(encoded, 0 * encoded, reduction="none")).sum()
    )
    torch.testing.assert_close(discriminator_loss(drawn, encoded, weight, smoothing), expected)
    wanted = (share * -torch.nn.functional.logsigmoid(encoded)).sum()
    torch.testing.assert_close(adversarial_encoder_loss(encoded, weight), wanted)


@pytest.mark.parametrize(("gap", "spread"), [(0.0, 1.0), (1.0, 1.0), (2.0, 0.5), (8.0, 3.0)])
def test_the_optimal_discriminator_attains_the_divergence(gap, spread):
    first, second = normals(gap, spread)
    z, p, q = grid(first, second)
    score = first.log_prob(z) - second.log_prob(z)
    least = 2 * math.log(2.0) - 2 * divergence(p, q)
    assert discriminator_expectation(score, p, q) == pytest.approx(least, abs=1e-6)


@checked
@given(seed=st.integers(0, 10_000), gap=st.floats(0.0, 4.0), spread=st.floats(0.3, 3.0))
def test_no_other_discriminator_proves_more(seed, gap, spread):
    first, second = normals(gap, spread)
    z, p, q = grid(first, second, n=2_001)
    best = first.log_prob(z) - second.log_prob(z)
    generator = torch.Generator().manual_seed(seed)
    other = best + torch.randn(len(z), generator=generator, dtype=torch.float64)
    assert discriminator_expectation(other, p, q) >= discriminator_expectation(best, p, q)


def test_estimate_from_draws_approaches_the_divergence():
    first, second = normals(2.0, 0.7)
    _, p, q = grid(first, second)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        a, b = first.sample((200_000,)), second.sample((200_000,))
    score = [first.log_prob(x) - second.log_prob(x) for x in (a, b)]
    assert float(jensen_shannon_estimate(*score)) == pytest.approx(divergence(p, q), abs=5e-3)
    flat = [0 * x for x in score]
    assert float(jensen_shannon_estimate(*flat)) == pytest.approx(0.0, abs=1e-12)
    assert float(jensen_shannon_estimate(-score[0], -score[1])) < 0.0  # worse than a guess


@checked
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 1e4))
def test_estimate_is_at_most_ln_2_and_never_nan(seed, scale):
    drawn, encoded, weight = scores(seed, scale=scale)
    estimate = float(jensen_shannon_estimate(drawn, encoded, weight))
    assert math.isfinite(estimate)
    assert estimate <= math.log(2.0)
    ideal = float(jensen_shannon_estimate(drawn.abs() + 800, -encoded.abs() - 800))
    assert ideal == pytest.approx(math.log(2.0))


def test_smoothing_bounds_the_best_score():
    score = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    # one point, seen as drawn and as encoded equally often: D = (1 - s) / 2
    for smoothing in (0.0, 0.1, 0.5):
        best = math.log((1 - smoothing) / (1 + smoothing))
        shifted = score + best
        (gradient,) = torch.autograd.grad(
            discriminator_loss(shifted, shifted, smoothing=smoothing), score
        )
        assert float(gradient) == pytest.approx(0.0, abs=1e-12)


def test_the_encoder_keeps_its_gradient_where_the_discriminator_is_sure():
    encoded = torch.tensor([-60.0], dtype=torch.float64, requires_grad=True)
    (alive,) = torch.autograd.grad(adversarial_encoder_loss(encoded), encoded)
    (saturated,) = torch.autograd.grad(
        -discriminator_loss(torch.zeros(1).double(), encoded), encoded
    )
    assert float(alive) == pytest.approx(-1.0)
    assert -1e-20 < float(saturated) < 0.0  # the same way, and next to nothing


def test_gradients_and_types():
    drawn, encoded, weight = (t.requires_grad_() for t in scores(0))
    weight = weight.detach()
    assert torch.autograd.gradcheck(
        lambda a, b: discriminator_loss(a, b, weight, 0.1), (drawn, encoded)
    )
    assert torch.autograd.gradcheck(lambda b: adversarial_encoder_loss(b, weight), (encoded,))
    assert torch.autograd.gradcheck(jensen_shannon_estimate, (drawn, encoded))
    single = discriminator_loss(drawn.float(), encoded.float(), weight, 0.1)
    assert single.dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: discriminator_loss(a[:, None], b), r"drawn must be a 1-D .*\(7, 1\)"),
        (lambda a, b: discriminator_loss(a, b.long()), "encoded must be a 1-D .*int64"),
        (lambda a, b: discriminator_loss(a, [0.0]), "encoded must be a 1-D .*got list"),
        (lambda a, b: discriminator_loss(a[:0], b), "drawn must have at least one score"),
        (lambda a, b: discriminator_loss(a, b, smoothing=0.6), "smoothing must be .* <= 0.5, got"),
        (lambda a, b: discriminator_loss(a, b, smoothing=math.nan), "smoothing must be"),
        (lambda a, b: discriminator_loss(a, b, a), r"weight must have shape \(9,\)"),
        (lambda a, b: adversarial_encoder_loss(b[:0]), "encoded must have at least one"),
        (lambda a, b: adversarial_encoder_loss(b, -torch.ones(9)), "non-negative"),
        (lambda a, b: jensen_shannon_estimate(a, b[None]), "encoded must be a 1-D"),
    ],
)
def test_scores_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*scores(0)[:2])
