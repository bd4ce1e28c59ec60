import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ddcl.engine import assignments, make_module
from sklearn_ddcl.engine._module import PrototypeModel
from sklearn_ddcl.nn import ClusterOutput

X = np.random.default_rng(0).normal(size=(20, 3))
P = np.random.default_rng(1).normal(size=(4, 3))


def q_of(module, x=X):
    return module(torch.from_numpy(x)).assignments


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.05, 1.0, 50.0])
def test_forward_is_what_inference_says(dtype, temperature):
    x, p = X.astype(dtype), P.astype(dtype)
    output = make_module(p, temperature)(torch.from_numpy(x))
    assert isinstance(output, ClusterOutput)
    d = ((x[:, None].astype(float) - p[None]) ** 2).sum(2)
    np.testing.assert_allclose(output.distances, d, rtol=1e-4, atol=1e-5)
    expected = np.exp(-(d - d.min(1, keepdims=True)) / temperature)
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(output.assignments, expected, atol=1e-4)
    np.testing.assert_allclose(output.assignments, assignments(x, p, temperature), atol=1e-4)
    assert torch.equal(output.z, torch.from_numpy(x))
    assert output.temperature == temperature
    assert output.assignments.dtype == torch.from_numpy(x).dtype


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e15, 1e30])
def test_temperatures_of_any_unit(scale):
    q = q_of(make_module(P * scale, 0.5 * scale * scale), X * scale)
    np.testing.assert_allclose(q, q_of(make_module(P, 0.5)), atol=1e-9)


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_offsets_cost_no_digits(offset):
    x, p = (X * 4 + offset).astype(np.float32), (P * 4 + offset).astype(np.float32)
    d = ((x[:, None].astype(float) - p[None]) ** 2).sum(2)
    output = make_module(p, 5.0)(torch.from_numpy(x))
    np.testing.assert_allclose(output.distances, d, rtol=0.1)
    assert (output.distances.argmin(1).numpy() == d.argmin(1)).mean() > 0.9
    np.testing.assert_allclose(output.assignments, assignments(x, p, 5.0), atol=0.05)


def test_temperature_zero_gives_hard_assignments():
    q = q_of(make_module(P, 0.0))
    np.testing.assert_array_equal(q, assignments(X, P, 0.0))


def test_module_is_ready_for_evaluation_and_holds_its_own_copy():
    p = P.copy()
    module = make_module(p, 1.0)
    p[:] = 0.0
    assert not module.training
    np.testing.assert_array_equal(module.prototypes, P)
    assert list(module.parameters()) == []


def test_read_only_prototypes_will_do():
    p = P.copy()
    p.flags.writeable = False
    assert torch.equal(q_of(make_module(p, 1.0)), q_of(make_module(P, 1.0)))


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies_agree(again):
    module = make_module(P, 0.3)
    assert torch.equal(q_of(again(module)), q_of(module))


def test_state_dict_round_trip():
    module, other = make_module(P, 0.3), make_module(np.zeros_like(P), 0.3)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(q_of(other), q_of(module))


def test_prototypes_move_with_the_module():
    module = make_module(P, 0.3).to(torch.float32)
    assert module.prototypes.dtype == torch.float32
    assert q_of(module, X.astype(np.float32)).dtype == torch.float32


def test_backbone_comes_first():
    backbone = nn.Linear(3, 3, bias=False, dtype=torch.float64)
    module = PrototypeModel(backbone, torch.from_numpy(P), 0.7)
    output = module(torch.from_numpy(X))
    torch.testing.assert_close(output.z, torch.from_numpy(X) @ backbone.weight.T)
    output.assignments.square().sum().backward()
    assert torch.isfinite(backbone.weight.grad).all()


@pytest.mark.parametrize("shape", [(20, 2), (20,)])
def test_samples_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"^z "):
        make_module(P, 1.0)(torch.zeros(shape, dtype=torch.float64))


def test_a_state_of_other_prototypes_is_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        make_module(P, 1.0).load_state_dict(make_module(P[:2], 1.0).state_dict())


# --- several prototypes to a cluster

GROUPS = np.array([1, 0, 1, 0], dtype=np.int32)


def test_groups_leave_the_output_alone_and_sum_assignments():
    plain, module = make_module(P, 0.7), make_module(P, 0.7, groups=GROUPS)
    x = torch.from_numpy(X)
    for found, expected in zip(module(x)[:4], plain(x)[:4], strict=True):
        assert torch.equal(found, expected)
    q = q_of(module)
    found = module.cluster_assignments(q).numpy()
    expected = np.stack([q[:, [1, 3]].sum(1), q[:, [0, 2]].sum(1)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found, assignments(X, P, 0.7, groups=GROUPS), atol=1e-9)
    assert plain.cluster_assignments(q) is q


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies_keep_backbone_and_groups(again):
    backbone = nn.Sequential(nn.Linear(5, 3), nn.Tanh()).double()
    module = make_module(P, 0.3, backbone, GROUPS)
    other, x = again(module), torch.ones(2, 5, dtype=torch.float64)
    assert torch.equal(other.groups, module.groups)
    assert torch.equal(other(x).assignments, module(x).assignments)
    assert other.backbone is not backbone
    assert module.backbone is backbone


def test_groups_move_and_save_with_the_module():
    module = make_module(P, 0.3, groups=GROUPS)
    assert module.state_dict()["groups"].tolist() == GROUPS.tolist()
    assert "groups" not in make_module(P, 0.3).state_dict()
    assert module.to(torch.float32).groups.dtype == torch.int64
    assert q_of(module, X.astype(np.float32)).dtype == torch.float32


def test_a_backbone_is_put_into_evaluation_mode():
    backbone = nn.Dropout(0.5).train()
    module = make_module(P, 0.3, backbone)
    assert not backbone.training
    assert not module.takes_features
    assert torch.equal(q_of(module), q_of(make_module(P, 0.3)))


def test_the_identity_takes_features():
    assert make_module(P, 0.3).takes_features
    assert make_module(P, 0.3, nn.Identity()).takes_features
    assert not make_module(P, 0.3, nn.Sequential()).takes_features


@pytest.mark.parametrize("groups", [[0, 1], [0, 2, 2, 2], [0.0, 1.0, 1.0, 0.0]])
def test_other_groups_are_refused(groups):
    with pytest.raises(ValueError, match="groups must be"):
        make_module(P, 1.0, groups=np.array(groups))
