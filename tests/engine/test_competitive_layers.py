import numpy as np
import pytest
import torch

from sklearn_ddcl.engine._block_adam import BlockAdam
from sklearn_ddcl.engine._competitive_layers import LAYERS
from sklearn_ddcl.engine._data import wrap_rows
from sklearn_ddcl.engine._gram import Gram, measure_gram, rows_at
from sklearn_ddcl.nn import DeepDualPrototypes, hard_quantization_loss, squared_distances


def features(n, d, white=False, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(1, 3, d)
    X -= X.mean(axis=0)
    if white:
        X = np.linalg.svd(X, full_matrices=False)[0] * np.sqrt(n)
    rows = wrap_rows(X, None, torch.device("cpu"))
    scale = (rows.frame.inertia / n / d) ** 0.5
    z = rows_at(rows, torch.arange(n), scale)
    return z, measure_gram(rows, scale, torch.Generator())


def values(layer):
    return [parameter.value for parameter in layer.parameters]


def train(layer, z, steps=50, rate=0.1):
    adam, path = BlockAdam(layer.parameters), []
    for _ in range(steps):
        leaves = [value.detach().requires_grad_() for value in values(layer)]
        p = layer.prototypes(leaves)
        path.append(p.detach().clone())
        loss = hard_quantization_loss(squared_distances(z, p))
        adam.step(torch.autograd.grad(loss, leaves), rate)
    return torch.stack(path)


@pytest.mark.parametrize("name", LAYERS)
def test_they_start_where_they_are_told(name):
    z, gram = features(50, 4)
    start = z[:7].clone()
    layer = LAYERS[name](start, False, lambda: gram, (10, 10), torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer.prototypes(values(layer)), z[:7])
    train(layer, z, 3)
    torch.testing.assert_close(start, z[:7])  # a copy was trained


@pytest.mark.parametrize("name", LAYERS)
def test_they_lower_the_error_from_random_weights(name):
    z, gram = features(200, 5)
    layer = LAYERS[name](z[:8], True, lambda: gram, (10, 10), torch.Generator().manual_seed(1))
    path = train(layer, z, 150)
    errors = [float(hard_quantization_loss(squared_distances(z, p))) for p in path]
    assert errors[-1] < 0.8 * errors[0]


def test_theorem_1_dual_and_vanilla_are_one_on_whitened_features():
    z, gram = features(80, 3, white=True)
    paths = []
    for name in ("vanilla", "dual"):
        layer = LAYERS[name](z[:6], False, lambda: gram, (4,), torch.Generator())
        paths.append(train(layer, z))
    torch.testing.assert_close(*paths, rtol=1e-6, atol=1e-6)


def test_theorem_1_needs_whitening():
    z, gram = features(80, 3)
    paths = [
        train(LAYERS[name](z[:6], False, lambda: gram, (4,), torch.Generator()), z)
        for name in LAYERS
    ]
    assert (paths[0] - paths[1]).abs().max() > 1e-2


@pytest.mark.parametrize("name", ["dual", "deep_dual"])
def test_what_is_linear_keeps_to_the_span_of_the_samples(name):
    z, gram = features(5, 12)
    layer = LAYERS[name](z[:4], True, lambda: gram, (3,), torch.Generator().manual_seed(0))
    before = values(layer)[0].clone()
    train(layer, z, 20)
    span = torch.linalg.svd(z, full_matrices=False).Vh[:4]  # centred: one dimension less
    after = values(layer)[0]  # the prototypes, or the units below the first tanh
    assert (after - before).abs().max() > 0.01
    torch.testing.assert_close(after @ span.T @ span, after)


def test_the_vanilla_layer_needs_no_gram_matrix():
    def refuse():
        raise AssertionError

    layer = LAYERS["vanilla"](torch.ones(2, 3), False, refuse, (), torch.Generator())
    assert len(layer.parameters) == 1


def test_the_vanilla_layer_leaves_the_span():
    z, gram = features(5, 12)
    p = values(LAYERS["vanilla"](z[:4], True, lambda: gram, (), torch.Generator().manual_seed(0)))[
        0
    ]
    span = torch.linalg.svd(z, full_matrices=False).Vh[:4]
    assert (p @ span.T @ span - p).abs().max() > 0.1


def test_the_deep_layer_is_the_explicit_one_without_its_sample_weights():
    z, gram = features(30, 4)
    explicit = DeepDualPrototypes(
        30, 6, hidden=(5, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    layer = LAYERS["deep_dual"](z[:6], True, lambda: gram, (5, 3), torch.Generator())
    first, *rest = values(layer)
    first.copy_(explicit.weights[0].detach().T @ z)
    for ours, theirs in zip(rest[1::2], explicit.weights[1:], strict=True):
        ours.copy_(theirs.detach().T)
    torch.testing.assert_close(layer.prototypes(values(layer)), explicit(z).detach())


def test_one_hidden_layer_more_than_features_fits_any_start_and_fewer_fit_best():
    z, gram = features(40, 6)
    start = z[:9]
    narrow = LAYERS["deep_dual"](
        start, False, lambda: gram, (2,), torch.Generator().manual_seed(0)
    )
    gap = (narrow.prototypes(values(narrow)) - start).square().sum()
    assert 0 < gap < start.square().sum() * 2


def test_a_gram_matrix_of_rows_does_as_well():
    z, gram = features(40, 3)
    rows = Gram(z / 40**0.5, gram.rank, False)
    square = train(LAYERS["dual"](z[:5], False, lambda: gram, (), torch.Generator()), z)
    span = train(LAYERS["dual"](z[:5], False, lambda: rows, (), torch.Generator()), z)
    torch.testing.assert_close(square, span)
