import pickle

import pytest
import torch

from sklearn_ddcl.nn import DeepDualPrototypes, DualPrototypes, PrototypeGenerator


def test_without_hidden_layers_it_is_the_dual_layer(make_problem):
    z = make_problem(0, 6, 3, 1).z
    deep = DeepDualPrototypes(6, 4, hidden=(), dtype=torch.float64)
    dual = DualPrototypes(6, 4, dtype=torch.float64)
    torch.testing.assert_close(deep(z), dual(z))


def test_forward_is_a_network_on_the_transposed_features(make_problem):
    z = make_problem(1, 6, 3, 1).z
    layer = DeepDualPrototypes(6, 4, hidden=(5, 7), activation=torch.relu, dtype=torch.float64)
    first, second, last = layer.weights
    hidden = torch.relu(torch.relu(z.T @ first + layer.biases[0]) @ second + layer.biases[1])
    torch.testing.assert_close(layer(z), (hidden @ last).T)
    assert [tuple(w.shape) for w in layer.weights] == [(6, 5), (5, 7), (7, 4)]
    assert isinstance(layer, PrototypeGenerator)
    assert layer.needs_fixed_batch
    assert "sizes=(6, 5, 7, 4)" in repr(layer)


def test_each_feature_of_the_prototypes_depends_on_that_feature_alone(make_problem):
    z = make_problem(2, 6, 3, 1).z
    layer = DeepDualPrototypes(6, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(layer, z)
    across = jacobian.abs().sum(dim=(0, 2))
    torch.testing.assert_close(across, torch.diag(across.diagonal()))


def test_gradients_and_pickle(make_problem):
    z = make_problem(3, 5, 2, 1).z.requires_grad_()
    layer = DeepDualPrototypes(5, 3, hidden=(4,), dtype=torch.float64)
    assert torch.autograd.gradcheck(layer, (z,))
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(z), layer(z))


def test_only_the_generator_decides():
    state = torch.random.get_rng_state()
    one, two = (DeepDualPrototypes(5, 3, generator=torch.Generator().manual_seed(1)) for _ in "ab")
    assert all(torch.equal(a, b) for a, b in zip(one.weights, two.weights, strict=True))
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="hidden must be an integer >= 1, got 0"):
        DeepDualPrototypes(5, 3, hidden=(0,))
    with pytest.raises(ValueError, match="n_prototypes"):
        DeepDualPrototypes(5, 0)
    with pytest.raises(ValueError, match="n_samples"):
        DeepDualPrototypes(0, 5)
    with pytest.raises(ValueError, match="z must have 5 rows, got 4"):
        DeepDualPrototypes(5, 3)(torch.zeros(4, 2))
