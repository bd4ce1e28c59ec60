import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import neighbor_contrast_loss, nt_xent_loss

checked = settings(deadline=None, max_examples=30)


def naive_contrast(anchor, positive, weight=None, degrees=1.0):
    """By broadcasting and autograd."""
    squares = (anchor[:, None] - positive).square().sum(dim=2)
    logits = -0.5 * (degrees + 1.0) * torch.log1p(squares / degrees)
    labels = torch.arange(len(anchor))
    rows = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return rows.mean() if weight is None else (weight * rows).sum() / weight.sum()


def looped_contrast(anchor, positive):
    """Straight from the formula, in Python's floats."""
    a, p = anchor.tolist(), positive.tolist()
    total = 0.0
    for i in range(len(a)):
        s = [1.0 / (1.0 + math.dist(a[i], p[j]) ** 2) for j in range(len(p))]
        total += math.log(sum(s)) - math.log(s[i])
    return total / len(a)


def looped_nt_xent(first, second, temperature):
    """Eq. 1 of SimCLR over both directions, in Python's floats."""
    views = [*first.tolist(), *second.tolist()]
    n = len(first)

    def similarity(i, j):
        dot = sum(a * b for a, b in zip(views[i], views[j], strict=True))
        return dot / (math.hypot(*views[i]) * math.hypot(*views[j]))

    total = 0.0
    for i in range(2 * n):
        terms = [math.exp(similarity(i, j) / temperature) for j in range(2 * n) if j != i]
        total -= math.log(math.exp(similarity(i, (i + n) % (2 * n)) / temperature) / sum(terms))
    return total / (2 * n)


@pytest.fixture
def draw(make_problem):
    """Pairs whose positives are nearer than the other samples."""

    def pairs(seed, n, d, scale=1.0, **options):
        z, _, _, weight = make_problem(seed, n, d, 1, scale=scale, **options)
        noise = make_problem(seed + 1, n, d, 1, scale=0.3 * scale).z
        return z, z + noise.to(z.dtype), weight

    return pairs


def gradients(function, *tensors):
    leaves = [t.detach().clone().requires_grad_() for t in tensors]
    loss = function(*leaves)
    return loss.detach(), *torch.autograd.grad(loss, leaves)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 1), (7, 2), (12, 5)])
def test_contrast_against_a_loop(draw, n, d):
    anchor, positive, _ = draw(0, n, d)
    ours = float(neighbor_contrast_loss(anchor, positive))
    assert ours == pytest.approx(looped_contrast(anchor, positive), abs=1e-14)


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    d=st.integers(1, 6),
    degrees=st.sampled_from([0.3, 1.0, 2.0, 30.0, 1e6]),
    scale=st.sampled_from([1e-3, 1.0, 30.0]),
)
def test_contrast_and_its_gradients_against_autograd(make_problem, seed, n, d, degrees, scale):
    anchor, _, _, weight = make_problem(seed, n, d, 1, scale=scale)
    positive = make_problem(seed + 1, n, d, 1, scale=scale).z
    ours = gradients(
        lambda a, p, w: neighbor_contrast_loss(a, p, w, degrees=degrees), anchor, positive, weight
    )
    naive = gradients(lambda a, p, w: naive_contrast(a, p, w, degrees), anchor, positive, weight)
    for value, expected in zip(ours, naive, strict=True):
        room = 1e-11 * max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(value, expected, rtol=1e-7, atol=room)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("degrees", [1.0, 2.5])
def test_contrast_passes_gradcheck(draw, degrees, symmetric):
    inputs = [t.requires_grad_() for t in draw(3, 6, 3)]
    assert torch.autograd.gradcheck(
        lambda a, p, w: neighbor_contrast_loss(a, p, w, degrees=degrees, symmetric=symmetric),
        inputs,
    )


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    degrees=st.sampled_from([0.3, 1.0, 2.0, 1e6]),
    scale=st.sampled_from([1e-3, 1.0, 30.0]),
)
def test_symmetric_contrast_is_the_mean_of_both_directions(make_problem, seed, n, degrees, scale):
    anchor, _, _, weight = make_problem(seed, n, 3, 1, scale=scale)
    positive = make_problem(seed + 1, n, 3, 1, scale=scale).z

    def mean(a, p, w):
        there, back = (
            neighbor_contrast_loss(x, y, w, degrees=degrees) for x, y in [(a, p), (p, a)]
        )
        return 0.5 * (there + back)

    ours = gradients(
        lambda a, p, w: neighbor_contrast_loss(a, p, w, degrees=degrees, symmetric=True),
        anchor,
        positive,
        weight,
    )
    for value, expected in zip(ours, gradients(mean, anchor, positive, weight), strict=True):
        room = 1e-11 * max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(value, expected, rtol=1e-7, atol=room)


def test_anchor_and_positive_may_be_one_tensor(draw):
    z = draw(4, 5, 2)[0].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: neighbor_contrast_loss(x, x), (z,))
    assert torch.autograd.gradcheck(lambda x: neighbor_contrast_loss(x, x.roll(1, 0)), (z,))


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("degrees", [1.0, 3.0])
def test_float32_keeps_its_digits_at_a_distance(draw, degrees, symmetric):
    anchor, positive, _ = draw(5, 64, 10, scale=20.0, offset=1000.0, dtype=torch.float32)

    def loss(a, p):
        return neighbor_contrast_loss(a, p, degrees=degrees, symmetric=symmetric)

    def naive(a, p):
        there, back = (naive_contrast(x, y, degrees=degrees) for x, y in [(a, p), (p, a)])
        return 0.5 * (there + back) if symmetric else there

    exact = gradients(naive, anchor.double(), positive.double())
    for value, expected in zip(gradients(loss, anchor, positive), exact, strict=True):
        assert value.dtype == torch.float32
        error = (value.double() - expected).abs().max() / expected.abs().max()
        assert error < 2e-5


def test_a_perfect_pair_keeps_the_digits_of_a_tiny_loss():
    # 1 + s rounds to 1 in float32; the loss is s, not 0.
    anchor = torch.tensor([[0.0], [3e4]])
    assert float(neighbor_contrast_loss(anchor, anchor)) == pytest.approx(1 / 9e8, rel=1e-5)


def test_a_wrong_pair_keeps_the_digits_of_a_large_loss():
    anchor = torch.tensor([[0.0], [4e4]], dtype=torch.float64)
    loss = float(neighbor_contrast_loss(anchor, anchor.flip(0)))
    assert loss == pytest.approx(math.log(2 + 1.6e9), rel=1e-14)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(2, 10))
def test_contrast_is_invariant(make_problem, seed, n):
    anchor, _, q, weight = make_problem(seed, n, 3, 3)
    positive = make_problem(seed + 1, n, 3, 1).z
    loss = neighbor_contrast_loss(anchor, positive, weight)
    assert loss >= 0
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    rotation = torch.linalg.qr(anchor.T @ q + torch.eye(3, dtype=q.dtype))[0]
    for a, p, w in [
        (anchor[order], positive[order], weight[order]),
        (anchor + 7.0, positive + 7.0, weight),
        (anchor @ rotation, positive @ rotation, weight),
        (anchor, positive, 5.0 * weight),
    ]:
        torch.testing.assert_close(neighbor_contrast_loss(a, p, w), loss)


def test_coinciding_samples_give_the_logarithm_of_their_number():
    z = torch.zeros(8, 3, requires_grad=True)
    loss = neighbor_contrast_loss(z, z.detach())
    assert float(loss.detach()) == pytest.approx(math.log(8))
    loss.backward()
    assert torch.equal(z.grad, torch.zeros(8, 3))


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("degrees", [1.0, 4.0])
def test_one_sample_has_neither_loss_nor_gradient(degrees, symmetric):
    for loss, first, second in (
        gradients(
            lambda a, p: neighbor_contrast_loss(a, p, degrees=degrees, symmetric=symmetric),
            torch.ones(1, 2),
            torch.zeros(1, 2),
        ),
        gradients(nt_xent_loss, torch.ones(1, 2), torch.ones(1, 2)),
    ):
        assert float(loss) == pytest.approx(0.0)
        assert torch.allclose(first, torch.zeros(1, 2))
        assert torch.allclose(second, torch.zeros(1, 2))


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e5, 1e8])
@pytest.mark.parametrize("degrees", [1.0, 50.0])
@pytest.mark.parametrize("symmetric", [False, True])
def test_any_scale_gives_finite_numbers(draw, degrees, scale, symmetric):
    anchor, positive, _ = draw(6, 9, 4, dtype=torch.float32)
    results = gradients(
        lambda a, p: neighbor_contrast_loss(a, p, degrees=degrees, symmetric=symmetric),
        anchor * scale,
        positive.roll(1, 0) * scale,
    )
    assert all(torch.isfinite(value).all() for value in results)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(draw, dtype):
    anchor, positive, _ = (t.to(dtype) for t in draw(7, 9, 4, scale=100.0))
    loss, gradient, _ = gradients(neighbor_contrast_loss, anchor, positive)
    assert loss.dtype == torch.float32
    assert gradient.dtype == dtype
    torch.testing.assert_close(loss, naive_contrast(anchor.float(), positive.float()))


def test_autocast_does_not_cost_digits(draw):
    anchor, positive, _ = draw(8, 9, 4, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = neighbor_contrast_loss(anchor, positive)
    assert torch.equal(inside, neighbor_contrast_loss(anchor, positive))


def test_inputs_are_left_alone(draw):
    tensors = draw(9, 6, 3)
    copies = [t.clone() for t in tensors]
    neighbor_contrast_loss(*tensors)
    neighbor_contrast_loss(*tensors, symmetric=True)
    nt_xent_loss(*tensors[:2])
    assert all(torch.equal(t, c) for t, c in zip(tensors, copies, strict=True))


def test_a_second_derivative_is_refused(draw):
    z = draw(10, 4, 2)[0].requires_grad_()
    loss = neighbor_contrast_loss(z, z.roll(1, 0))
    with pytest.raises(RuntimeError, match="neighbor_contrast_loss has no second derivative"):
        torch.autograd.grad(loss, z, create_graph=True)


def test_descent_separates_two_groups():
    generator = torch.Generator().manual_seed(0)
    groups = torch.arange(20) % 2
    z = torch.randn(20, 2, generator=generator).requires_grad_()
    partners = torch.arange(20).roll(2)
    for _ in range(200):
        (gradient,) = torch.autograd.grad(neighbor_contrast_loss(z, z[partners]), z)
        z = (z - 2.0 * gradient).detach().requires_grad_()
    squares = torch.cdist(z, z).detach().square() + 1e9 * torch.eye(20)
    assert (groups[squares.argmin(1)] == groups).all()


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 3), (6, 4)])
def test_nt_xent_against_a_loop(draw, n, d, temperature):
    first, second, _ = draw(11, n, d)
    ours = float(nt_xent_loss(first, second, temperature))
    assert ours == pytest.approx(looped_nt_xent(first, second, temperature), abs=1e-12)


def test_nt_xent_passes_gradcheck(draw):
    first, second, _ = draw(12, 5, 3)
    inputs = (first.requires_grad_(), second.requires_grad_())
    assert torch.autograd.gradcheck(nt_xent_loss, inputs)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8))
def test_nt_xent_is_invariant(make_problem, seed, n):
    first, second = make_problem(seed, n, 3, 1).z, make_problem(seed + 1, n, 3, 1).z
    loss = nt_xent_loss(first, second)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    lengths = make_problem(seed, n, 3, 1).weight[:, None]
    for a, b in [(second, first), (first[order], second[order]), (first * lengths, 3.0 * second)]:
        torch.testing.assert_close(nt_xent_loss(a, b), loss)


@pytest.mark.parametrize("temperature", [1e-20, 1e20])
def test_extreme_temperatures_give_finite_numbers(draw, temperature):
    first, second, _ = draw(13, 5, 3, dtype=torch.float32)
    results = gradients(lambda a, b: nt_xent_loss(a, b, temperature), first, second)
    assert torch.isfinite(results[0])


@pytest.mark.parametrize("loss", [neighbor_contrast_loss, nt_xent_loss])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(3, 3), "must have the same shape"),
        (torch.zeros(2, 3), torch.zeros(2, 4), "must have the same shape"),
        (torch.zeros(2, 3), torch.zeros(2), "2-D floating point tensor"),
        (torch.zeros(2, 3), [[0.0]], "2-D floating point tensor, got list"),
        (torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3), "2-D floating point tensor"),
        (torch.zeros(0, 3), torch.zeros(0, 3), "must have rows and columns"),
    ],
)
def test_bad_batches_are_refused(loss, first, second, message):
    with pytest.raises(ValueError, match=message):
        loss(first, second)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "1", None, True])
def test_bad_numbers_are_refused(value):
    z = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="degrees must be a finite number > 0, got"):
        neighbor_contrast_loss(z, z, degrees=value)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
        nt_xent_loss(z, z, temperature=value)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.ones(3), r"weight must have shape \(2,\)"),
        (torch.tensor([1.0, -1.0]), "non-negative"),
        (torch.zeros(2), "positive sum"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        neighbor_contrast_loss(torch.zeros(2, 3), torch.zeros(2, 3), weight)
