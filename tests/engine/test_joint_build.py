import pytest
import torch

from sklearn_ddcl.engine import JointConfig, Regularization
from sklearn_ddcl.engine import _joint_build as build
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.nn import quantization_term
from sklearn_ddcl.options import JointTraining


@pytest.mark.parametrize("name", ["dual", "vanilla"])
@pytest.mark.parametrize("dense", [0, 50_000])
def test_a_layer_starts_at_the_prototypes(train_rows, monkeypatch, name, dense):
    monkeypatch.setattr(build, "_DENSE", dense)
    z = train_rows(dtype=torch.float64)
    layer = build.make_layer(name, z, z[:4])
    p = layer.total if name == "dual" else layer.weight.detach()
    torch.testing.assert_close(p, z[:4], rtol=1e-9, atol=1e-9)
    assert getattr(layer, "sparse", None) == (None if name == "vanilla" else dense == 0)


def test_the_objective_has_the_weights_asked_for(train_rows):
    config = JointConfig(JointTraining(), regularization=Regularization(0.1, 0.2, 0.01))
    objective = build.make_objective(config, train_rows(), 4, torch.Generator())
    assert objective.base is quantization_term
    assert (objective.balance, objective.entropy, objective.separation) == (0.1, 0.2, 0.01)
    assert objective.quadratic > 0


def test_callbacks_can_be_left_out():
    options = JointTraining(revive=False, patience=None)
    names = [type(c).__name__ for c in build.make_callbacks(options, 1.0, History())]
    assert names == ["PhaseSetting", "DecompositionCheck", "RateBound", "EpochRecord"]
