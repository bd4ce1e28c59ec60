import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sklearn_ddcl.nn import MLP

checked = settings(deadline=None, max_examples=30)


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 6),
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
)
def test_against_matrix_products(make_problem, seed, n, sizes):
    generator = torch.Generator().manual_seed(seed)
    model = MLP(
        *(sizes[0], sizes[-1], sizes[1:-1], nn.Tanh), generator=generator, dtype=torch.float64
    )
    x = make_problem(seed, n, sizes[0], 1).z
    expected = x
    weights = list(model.parameters())
    for number in range(0, len(weights), 2):
        expected = expected @ weights[number].T + weights[number + 1]
        if number + 2 < len(weights):
            expected = expected.tanh()
    torch.testing.assert_close(model(x), expected)
    assert [tuple(w.shape) for w in weights[::2]] == list(zip(sizes[1:], sizes, strict=False))


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20), cut=st.integers(1, 20))
def test_a_sample_does_not_depend_on_the_others(make_problem, seed, n, cut):
    model, x = MLP(4, dtype=torch.float64), make_problem(seed, n, 4, 1).z
    torch.testing.assert_close(model(x)[:cut], model(x[:cut]))


def test_trailing_dimensions_are_flattened():
    x = torch.randn(5, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    model = MLP(24, n_outputs=3)
    assert torch.equal(model(x), model(x.flatten(1)))
    assert model(x).shape == (5, 3)
    assert model(x[:0]).shape == (0, 3)


def test_no_hidden_layer_gives_a_linear_map():
    model = MLP(4, 2, hidden=())
    assert len(model.layers) == 1
    x = torch.ones(1, 4)
    torch.testing.assert_close(model(3 * x) - model(2 * x), model(x) - model(0 * x))


def test_only_the_generator_decides():
    class Gate(nn.Module):
        """An activation with weights of its own."""

        def __init__(self):
            super().__init__()
            self.scale = nn.Linear(1, 1)

        def forward(self, x):
            return x * self.scale.weight

    state = torch.random.get_rng_state()
    models = [
        MLP(4, activation=Gate, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(state, torch.random.get_rng_state())
    first, second, third = (torch.cat([p.flatten() for p in m.parameters()]) for m in models)
    assert torch.equal(first, second)
    assert (first != third).float().mean() > 0.9
    assert torch.equal(MLP(4).layers[0].weight, MLP(4).layers[0].weight)


def test_copies_and_pickles_give_the_same_features():
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    model = MLP(4, hidden=[5])
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(copied(x), model(x))
        assert copied.hidden == (5,)


def test_gradients_reach_every_weight(make_problem):
    model = MLP(3, 2, (4,), nn.Tanh, dtype=torch.float64)
    x = make_problem(0, 5, 3, 1).z.requires_grad_()
    assert torch.autograd.gradcheck(model, (x,))
    model(x).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_features": 0}, "n_features must be an integer >= 1, got 0"),
        ({"n_outputs": 2.0}, "n_outputs must be an integer >= 1, got 2.0"),
        ({"hidden": (8, -1)}, r"hidden\[1\] must be an integer >= 1, got -1"),
        ({"hidden": 8}, "hidden must be a sequence of integers, got 8"),
        ({"activation": nn.ReLU()}, r"activation must be a class .* got ReLU\(\)"),
        ({"activation": lambda: 3}, "activation must be a class or function"),
        ({"activation": "relu"}, "activation must be a class or function .* got 'relu'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MLP(**{"n_features": 4, **options})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 5), "x must have 4 values a sample, got 5"),
        (torch.zeros(2, 2, 3), "x must have 4 values a sample, got 6"),
        (torch.zeros(4), r"x must be a floating point tensor of shape \(n, \.\.\.\)"),
        (torch.zeros(2, 4, dtype=torch.int64), "x must be a floating point tensor"),
        ([[0.0] * 4], "x must be a floating point tensor .* got list"),
    ],
)
def test_bad_samples_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        MLP(4)(x)
