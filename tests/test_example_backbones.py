"""The networks of the examples, with small random weights: shapes, gradients, fit, pickle."""

import ast
import copy
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.nn import MultiScale, TokenPooling
from sklearn_ddcl.options import JointTraining, NeighborContrast

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
rng = np.random.default_rng(0)


def definitions(name):
    """Import the classes of an example, and nothing else of what it does."""
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    kept = (ast.Import, ast.ImportFrom, ast.ClassDef)
    constants = [
        node for node in tree.body if isinstance(node, ast.Assign) and "WIDTH" in ast.unparse(node)
    ][:1]
    tree.body = constants + [node for node in tree.body if isinstance(node, kept)]
    module = types.ModuleType(f"definitions_of_{name}")
    exec(compile(tree, name, "exec"), module.__dict__)
    sys.modules[module.__name__] = module  # where pickle looks for the classes
    return module


resnet = definitions("plot_backbone_resnet").ResNet
recurrent = definitions("plot_backbone_recurrent").Recurrent
encoder = definitions("plot_backbone_transformer").Encoder
depth = definitions("plot_multi_scale").Depth


def pooled(mode):
    return nn.Sequential(encoder(3, inner=8, n_outputs=4), TokenPooling(mode))


def scales():
    stages = [nn.Sequential(nn.Linear(5, 8), nn.Tanh()), nn.Linear(8, 4)]
    return MultiScale(stages, heads=[nn.Linear(8, 4), nn.Identity()])


CASES = {
    "resnet": ((1, 8, 8), lambda: resnet((1, 8, 8), width=4, n_outputs=4)),
    "recurrent": ((6, 2), lambda: recurrent((6, 2), width=8, n_outputs=4)),
    "class token": ((5, 3), lambda: pooled("class")),
    "mean token": ((5, 3), lambda: pooled("mean")),
    "early depth": ((5,), lambda: depth(scales(), 0)),
    "late depth": ((5,), lambda: depth(scales(), 1)),
}
each_case = pytest.mark.parametrize("name", CASES)


def make(name):
    shape, backbone = CASES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return shape, backbone()


def two_groups(shape, dtype=np.float32):
    X = rng.normal(size=(40, *shape)).astype(dtype)
    X[20:] += 3
    return X


def estimator(backbone):
    return DDCLClustering(
        2,
        backbone=backbone,
        warm_up=NeighborContrast(n_neighbors=5, n_steps=20, batch_size=20),
        training=JointTraining(epochs=2),
        device="cpu",
        random_state=0,
    )


@each_case
def test_one_vector_a_sample_and_gradients_to_every_weight(name):
    shape, backbone = make(name)
    x = torch.from_numpy(two_groups(shape)).requires_grad_()
    z = backbone(x)
    assert z.shape == (40, 4)
    z.square().sum().backward()
    used = [weight for key, weight in backbone.named_parameters() if reaches(name, key)]
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in used)
    assert any(bool(weight.grad.any()) for weight in used)
    assert bool(x.grad.flatten(1).any(dim=1).all())


def reaches(name, key):
    """Tell whether a weight has a part in the features of its depth."""
    return not (name == "early depth" and ("stages.1" in key or "heads.1" in key)) and not (
        name == "late depth" and "heads.0" in key
    )


@each_case
def test_samples_do_not_see_each_other(name):
    shape, backbone = make(name)
    x = torch.from_numpy(two_groups(shape))
    torch.testing.assert_close(backbone(x)[:3], backbone(x[:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_case
def test_fit_predict_encode_and_pickle(name, dtype):
    shape, backbone = make(name)
    X = two_groups(shape, dtype)
    first = copy.deepcopy(backbone.state_dict())
    model = estimator(backbone).fit(X)
    assert all(torch.equal(value, first[key]) for key, value in backbone.state_dict().items())
    assert model.input_shape_ == shape
    assert model.encode(X).shape == (40, 4)
    assert model.encode(X).dtype == dtype
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.labels_)
    np.testing.assert_array_equal(again.encode(X), model.encode(X))


@pytest.mark.parametrize(("make_network", "shape"), [(resnet, (1, 8, 8)), (recurrent, (6, 2))])
def test_classes_get_the_shape_of_a_sample_and_weights_from_the_seed(make_network, shape):
    X = two_groups(shape)
    state = torch.random.get_rng_state()
    first, second = (estimator(make_network).fit(X).encode(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_samples_of_another_shape_are_refused():
    shape, backbone = make("recurrent")
    model = estimator(backbone).fit(two_groups(shape))
    with pytest.raises(ValueError, match=r"shape \(n_samples, 6, 2\)"):
        model.predict(two_groups((7, 2)))


@pytest.mark.parametrize("pooling", [TokenPooling("tokens"), nn.Identity()])
def test_tokens_as_features_are_refused_by_the_estimator(pooling):
    network = nn.Sequential(encoder(3, inner=8, n_outputs=4), pooling)
    with pytest.raises(ValueError, match="backbone must return"):
        estimator(network).fit(two_groups((5, 3)))
