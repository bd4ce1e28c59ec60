import pytest
import torch

from sklearn_ddcl.nn import PrototypeGenerator, VanillaPrototypes


def test_the_weights_are_the_prototypes():
    layer = VanillaPrototypes(3, 2, dtype=torch.float64)
    assert isinstance(layer, PrototypeGenerator)
    assert layer(torch.zeros(7, 2, dtype=torch.float64)) is layer.weight
    assert layer() is layer.weight
    assert layer.weight.shape == (3, 2)
    assert list(layer.state_dict()) == ["weight"]
    assert "n_prototypes=3" in repr(layer)


def test_only_the_generator_decides():
    state = torch.random.get_rng_state()
    first = VanillaPrototypes(3, 2, torch.Generator().manual_seed(1)).weight
    second = VanillaPrototypes(3, 2, torch.Generator().manual_seed(1)).weight
    assert torch.equal(first, second)
    assert not torch.equal(first, VanillaPrototypes(3, 2).weight)
    assert torch.equal(state, torch.random.get_rng_state())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="n_prototypes"):
        VanillaPrototypes(0, 2)
    with pytest.raises(ValueError, match="n_features"):
        VanillaPrototypes(2, 1.5)
    with pytest.raises(ValueError, match="z must have 2 columns, got 3"):
        VanillaPrototypes(2, 2)(torch.zeros(4, 3))
