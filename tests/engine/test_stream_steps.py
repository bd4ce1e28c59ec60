"""A stream's steps against soft Lloyd, an explicit dual layer, and Algorithm 2 in plain numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine import SoftmaxAssignment, WidrowHoff
from sklearn_ddcl.engine._stream_steps import (
    GradientStep,
    MinimizerStep,
    Rows,
    WidrowHoffStep,
    make_step,
    scores_by_prototype,
    softmax_assignments,
)
from sklearn_ddcl.nn.widrow_hoff import widrow_hoff_path

checked = settings(deadline=None, max_examples=30)


def draw(seed, n=20, d=3, k=4, offset=0.0):
    rng = np.random.default_rng(seed)
    z, p = offset + rng.normal(size=(n, d)), offset + rng.normal(size=(k, d))
    return z, p, rng.uniform(0.1, 3.0, n)


def rows(z, weight, n_new=None):
    n_new = len(z) if n_new is None else n_new
    return Rows(torch.from_numpy(z), torch.from_numpy(weight), n_new)


def take(step, z, p, weight, temperature=1.0, n_new=None, kept=1.0):
    with torch.inference_mode():
        moved = step(rows(z, weight, n_new), torch.from_numpy(p), temperature, kept)
    return moved.prototypes.numpy(), moved.assignments.numpy()


def softmax(z, p, temperature):
    scores = -((z[:, None] - p) ** 2).sum(2) / temperature
    q = np.exp(scores - scores.max(1, keepdims=True))
    return q / q.sum(1, keepdims=True)


# --- assignments


@checked
@given(seed=st.integers(0, 999), exponent=st.integers(-3, 3), offset=st.sampled_from([0.0, 10.0]))
def test_assignments_are_the_softmax_of_distances(seed, exponent, offset):
    z, p, _ = draw(seed, offset=offset)
    q = softmax_assignments(torch.from_numpy(z), torch.from_numpy(p), 10.0**exponent)
    np.testing.assert_allclose(q, softmax(z, p, 10.0**exponent), rtol=1e-8, atol=1e-12)


def test_scores_differ_from_distances_by_the_rows_norms_alone():
    z, p, _ = draw(0)
    scores = scores_by_prototype(torch.from_numpy(z), torch.from_numpy(p)).numpy()
    squares = ((p[:, None] - z) ** 2).sum(2)
    np.testing.assert_allclose(scores + (z**2).sum(1), squares)


# --- the minimiser


@checked
@given(
    seed=st.integers(0, 999),
    n_steps=st.integers(1, 4),
    n_new=st.integers(1, 20),
    temperature=st.sampled_from([0.05, 1.0, 20.0]),
)
def test_the_minimiser_is_soft_lloyd_on_summary_and_piece(seed, n_steps, n_new, temperature):
    z, p, weight = draw(seed)
    found, assignments = take(MinimizerStep(n_steps), z, p, weight, temperature, n_new)
    np.testing.assert_allclose(assignments, softmax(z, p, temperature)[-n_new:], atol=1e-12)
    for _ in range(n_steps):
        shares = softmax(z, p, temperature) * weight[:, None]
        p = shares.T @ z / shares.sum(0)[:, None]
    np.testing.assert_allclose(found, p, rtol=1e-8, atol=1e-10)


def test_the_minimiser_has_no_gradient_left():
    z, p, weight = draw(1)
    q = torch.from_numpy(softmax(z, p, 1.0))
    moved = torch.from_numpy(take(MinimizerStep(1), z, p, weight)[0]).requires_grad_()
    squares = (torch.from_numpy(z)[:, None] - moved).square().sum(2)
    (torch.from_numpy(weight)[:, None] * q * squares).sum().backward()
    np.testing.assert_allclose(moved.grad, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("mass", "expected"),
    [(1e-320, 10), (1e-9, 10), (200, 10), (201, 10), (224, 9), (1_000, 2), (2_000, 1), (1e300, 1)],
)
def test_more_steps_are_taken_while_little_has_been_seen(mass, expected):
    z, p, _ = draw(2)
    weight = np.full(20, mass / 20)
    found, _ = take(MinimizerStep(None), z, p, weight, 0.5)
    same, _ = take(MinimizerStep(expected), z, p, np.ones(20), 0.5)
    if mass > 1e-300:
        np.testing.assert_allclose(found, same, rtol=1e-9)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [9.5, 10.0, 1e3])
def test_a_prototype_far_from_all_rows_stays_or_comes_to_one_of_them(dtype, far):
    # at 10 its mass has no digits in float32, at 1000 it is 0
    z, weight = (
        np.zeros((5, 1), dtype) + np.arange(5, dtype=dtype)[:, None] / 100,
        np.ones(5, dtype),
    )
    z += 1.0
    p = np.array([[1.0], [far]], dtype)
    found, _ = take(MinimizerStep(1), z, p, weight, temperature=0.8)
    assert found[1] == p[1] or z.min() - 1e-3 <= found[1] <= z.max() + 1e-3


def test_weight_stands_for_repetition():
    z, p, _ = draw(3, n=4)
    often = take(MinimizerStep(2), z[[0, 0, 0, 1, 2, 2, 3]], p, np.ones(7))[0]
    weighted = take(MinimizerStep(2), z, p, np.array([3.0, 1.0, 2.0, 1.0]))[0]
    np.testing.assert_allclose(weighted, often)


# --- a gradient step


@checked
@given(
    seed=st.integers(0, 999),
    n=st.integers(1, 8),
    d=st.integers(1, 8),
    n_steps=st.integers(1, 3),
    n_before=st.integers(0, 3),
)
def test_a_gradient_step_is_that_of_an_explicit_dual_layer(seed, n, d, n_steps, n_before):
    z, p, weight = draw(seed, n + n_before, d)
    found, assignments = take(GradientStep(0.3, n_steps), z, p, weight, 2.0, n)
    z, weight = (torch.from_numpy(values[n_before:]) for values in (z, weight))
    np.testing.assert_allclose(assignments, softmax(z.numpy(), p, 2.0), atol=1e-12)
    # P = W^T Z, and what no sample spans stays as it is
    W = torch.linalg.pinv(z).T @ torch.from_numpy(p).T
    rest = torch.from_numpy(p) - W.T @ z
    rate = 0.3 / float(torch.linalg.eigvalsh(z @ z.T).max())
    for _ in range(n_steps):
        W.requires_grad_()
        P = W.T @ z + rest
        q = torch.from_numpy(softmax(z.numpy(), P.detach().numpy(), 2.0))
        squares = (z[:, None] - P).square().sum(2)
        (weight[:, None] * q * squares).sum().div(weight.sum()).backward()
        W = (W - rate * W.grad).detach()
    np.testing.assert_allclose(found, (W.T @ z + rest).numpy(), rtol=1e-4, atol=1e-6)


def test_features_of_value_0_move_nothing():
    p = draw(0)[1]
    np.testing.assert_array_equal(
        take(GradientStep(0.5, 1), np.zeros((5, 3)), p, np.ones(5))[0], p
    )


# --- Widrow-Hoff


def accumulated(pieces, p, options, kept):
    """Algorithm 2 and the sums of Eq. 21 over all pieces, from loops over samples."""
    k, d = p.shape
    alpha = (np.arange(1, d + 1) / d) ** options.feature_weight
    curvature, target = np.zeros((d, k, k)), np.zeros((k, d))
    for z, weight in pieces:
        curvature, target = kept * curvature, kept * target
        step_size = options.step_size / (p**2).sum(0).max()
        path = widrow_hoff_path(torch.from_numpy(z), torch.from_numpy(p), step_size).numpy()
        for i in range(len(z)):
            for t in range(d):
                for s in range(t + 1):
                    q = path[t, i]
                    curvature[s] += weight[i] * alpha[t] * np.outer(q, q)
                    target[:, s] += weight[i] * alpha[t] * z[i, s] * q
        gradient = np.stack([curvature[s] @ p[:, s] - target[:, s] for s in range(d)], axis=1)
        bound = np.abs(curvature).sum(1).max(1)
        p = p - options.learning_rate * gradient / bound
    return p, path[-1]


@checked
@given(
    seed=st.integers(0, 999),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    power=st.sampled_from([0.0, 1.0, 3.0]),
    kept=st.sampled_from([1.0, 0.5]),
)
def test_widrow_hoff_steps_are_those_of_plain_sums_over_all_that_was_seen(seed, cuts, power, kept):
    z, p, weight = draw(seed, sum(cuts), 4, 3)
    options = WidrowHoff(0.7, power, 0.4)
    edges = np.cumsum(cuts)[:-1]
    pieces = list(zip(np.split(z, edges), np.split(weight, edges), strict=True))
    expected, last = accumulated(pieces, p, options, kept)
    step = WidrowHoffStep(options)
    for part, own in pieces:
        # rows before the piece must have no part in it
        part, own = np.concatenate([np.full((2, 4), 1e6), part]), np.append([1.0, 1.0], own)
        p, assignments = take(step, part, p, own, n_new=len(part) - 2, kept=kept)
    np.testing.assert_allclose(p, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(assignments, last, atol=1e-10)


def test_the_sums_follow_a_shift_of_the_samples():
    z, p, weight = draw(5, 12, 3, 4)
    offset = np.array([3.0, -1.0, 0.5])
    step, shifted = WidrowHoffStep(WidrowHoff()), WidrowHoffStep(WidrowHoff())
    p, _ = take(step, z, p, weight)
    take(shifted, z, draw(5, 12, 3, 4)[1], weight)
    shifted.shift(torch.from_numpy(offset))
    gradients = [
        torch.einsum("skl,ls->ks", step.curvature, torch.from_numpy(at)) - step.target
        for step, at in ((step, p), (shifted, p - offset))
    ]
    torch.testing.assert_close(*gradients)


def test_prototypes_that_are_all_0_give_no_direction():
    z, _, weight = draw(0)
    step = WidrowHoffStep(WidrowHoff())
    found, q = take(step, z, np.zeros((4, 3)), weight)
    assert not found.any()
    np.testing.assert_array_equal(q, 0.25)
    step.shift(torch.ones(3))
    assert step.target is None


# --- which step


@pytest.mark.parametrize(
    ("options", "kind", "sees_summary"),
    [
        (SoftmaxAssignment(), MinimizerStep, True),
        (SoftmaxAssignment(dual_learning_rate=0.1), GradientStep, False),
        (WidrowHoff(), WidrowHoffStep, False),
    ],
)
def test_options_choose_the_step(options, kind, sees_summary):
    step = make_step(options)
    assert type(step) is kind
    assert step.sees_summary is sees_summary


@pytest.mark.parametrize(
    "step", [MinimizerStep(2), GradientStep(0.1, 2), WidrowHoffStep(WidrowHoff())]
)
def test_steps_change_no_input_and_keep_the_type(step):
    z, p, weight = (values.astype(np.float32) for values in draw(0))
    copies = z.copy(), p.copy(), weight.copy()
    found, q = take(step, z, p, weight, n_new=5)
    assert found.dtype == q.dtype == np.float32
    assert q.shape == (5, 4)
    for now, then in zip((z, p, weight), copies, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    "step", [MinimizerStep(1), GradientStep(0.1, 1), WidrowHoffStep(WidrowHoff())]
)
def test_rows_of_another_width_are_refused(step):
    with pytest.raises((ValueError, RuntimeError), match=r"columns|shape"):
        take(step, np.ones((5, 2)), np.ones((4, 3)), np.ones(5))


def test_what_widrow_hoff_keeps_follows_the_units_of_the_features():
    z, p, weight = draw(0)
    factor, now = np.array([2.0, 1.0, 0.5]), np.array([1.0, 4.0, 0.25])
    moved = []
    for old in (factor, now):  # the sums of the past, made in other units, or in these
        step = WidrowHoffStep(WidrowHoff())
        step.rescale(torch.from_numpy(now))
        take(step, z * now, p * now, weight)
        if old is factor:
            step.target = step.target * torch.from_numpy(factor / now)
            step.factor = torch.from_numpy(factor)
        step.rescale(torch.from_numpy(now))
        moved.append(take(step, z * now, p * now, weight)[0])
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-12)
