import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    gram_step,
    normalized_dual_learning_rate,
    quantization_gradient_prototypes,
    small_gram,
    soft_assignments,
    soft_quantization_loss,
    span_step,
    squared_distances,
)

checked = settings(deadline=None, max_examples=30)


def test_both_sides_have_the_same_leading_eigenvalue(make_problem):
    z = make_problem(0, 9, 4, 1).z
    tall, wide = small_gram(z), small_gram(z.T)
    assert tall.shape == wide.shape == (4, 4)
    rate = normalized_dual_learning_rate(0.3, tall)
    assert normalized_dual_learning_rate(0.3, z @ z.T) == pytest.approx(rate, rel=1e-3)
    assert rate == pytest.approx(0.3 / float(torch.linalg.matrix_norm(z, 2)) ** 2, rel=1e-3)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), d=st.integers(1, 8), k=st.integers(1, 4))
def test_both_steps_agree(make_problem, seed, n, d, k):
    z, p, _, _ = make_problem(seed, n, d, k)
    gradient = make_problem(seed + 1, n, d, k).p
    torch.testing.assert_close(
        gram_step(p, gradient, z.T @ z, 0.1),
        span_step(p, gradient, z, 0.1),
        rtol=1e-11,
        atol=1e-12,
    )


@checked
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-3, 1.0, 1e3]), n=st.integers(5, 40))
def test_one_default_rate_serves_every_scale(make_problem, seed, scale, n):
    """At fixed assignments Lq falls in every step, however many samples and however large."""
    z, p, q, _ = make_problem(seed, n, 3, 4, scale=scale)
    rate = normalized_dual_learning_rate(0.9, small_gram(z))
    losses = []
    for _ in range(20):
        losses.append(float(soft_quantization_loss(squared_distances(z, p), q)))
        p = gram_step(p, quantization_gradient_prototypes(z, p, q), z.T @ z, rate)
    assert torch.isfinite(p).all()
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(losses))


def test_an_unscaled_rate_diverges(make_problem):
    z, p, q, _ = make_problem(0, 200, 3, 4, scale=10.0)
    for _ in range(100):
        p = gram_step(p, quantization_gradient_prototypes(z, p, q), z.T @ z, 0.1)
    assert not p.abs().max() < 1e100


def test_a_step_stays_in_the_span_of_the_samples(make_problem):
    z = make_problem(1, 3, 10, 1).z
    p = torch.zeros(4, 10, dtype=torch.float64)
    for _ in range(5):
        q = soft_assignments(squared_distances(z, p), 1.0)
        q = q + 0.01 * torch.arange(4)
        p = span_step(p, quantization_gradient_prototypes(z, p, q), z, 0.01)
    assert int(torch.linalg.matrix_rank(torch.cat([z, p]))) == 3
    assert p.abs().max() > 0


def test_features_of_zero_leave_the_rate_alone():
    assert normalized_dual_learning_rate(0.2, torch.zeros(3, 3)) == 0.2


def test_a_warm_start_changes_nothing_but_the_path(make_problem):
    gram = small_gram(make_problem(2, 20, 5, 1).z)
    leading = torch.linalg.eigh(gram).eigenvectors[:, -1]
    assert normalized_dual_learning_rate(0.1, gram, start=leading) == pytest.approx(
        normalized_dual_learning_rate(0.1, gram), rel=1e-3
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, z: gram_step(p, p[:1], z.T @ z, 0.1), "gradient and p"),
        (lambda p, z: gram_step(p, p, z @ z.T, 0.1), r"gram must have shape \(3, 3\)"),
        (lambda p, z: gram_step(p, p, z.T @ z, 0.0), "learning_rate must be"),
        (lambda p, z: span_step(p, p, z[:, :2], 0.1), "z and p must have"),
        (lambda p, z: span_step(p, p, z, -1.0), "learning_rate must be"),
        (lambda p, z: normalized_dual_learning_rate(0.0, z.T @ z), "rate must be"),
        (lambda p, z: normalized_dual_learning_rate(0.1, z), "square"),
        (lambda p, z: small_gram(z[0]), "z must be a 2-D"),
    ],
)
def test_bad_arguments_are_refused(make_problem, call, message):
    z, p, _, _ = make_problem(3, 5, 3, 2)
    with pytest.raises(ValueError, match=message):
        call(p, z)
