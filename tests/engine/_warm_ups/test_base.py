"""What all warm-ups share: runs, reuse, copies, randomness and what they refuse."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from torch import nn

from sklearn_ddcl.engine import Autoencoding, NeighborContrast, SimCLR

X = np.random.default_rng(0).normal(size=(50, 4)) + np.repeat([[0.0], [6.0]], 25, axis=0)
KINDS = [Autoencoding, NeighborContrast, SimCLR]
each_kind = pytest.mark.parametrize("kind", KINDS)


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


@each_kind
def test_a_run_trains_and_leaves_a_whole_backbone(kind):
    warm_up = kind(n_steps=60)
    assert not warm_up.fitted
    assert warm_up.fit(X) is warm_up
    assert warm_up.fitted
    losses = [record["loss_pretext"] for record in warm_up.history_]
    assert len(losses) == 60
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    features = warm_up.backbone_(torch.from_numpy(X))
    assert features.dtype == torch.float64
    assert features.shape == (50, 10)
    assert not warm_up.backbone_.training


@each_kind
@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("float32", torch.float32), ("float64", torch.float64), ("int64", torch.float64)],
)
def test_the_backbone_has_the_type_of_the_samples(kind, dtype, kept):
    data = (10 * X).astype(dtype)
    backbone = kind(n_steps=2).fit(data).backbone_
    assert {parameter.dtype for parameter in backbone.parameters()} == {kept}


@each_kind
def test_the_seed_decides_and_global_states_stay(kind):
    states = torch.get_rng_state(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    runs = [weights(kind(n_steps=5).fit(X, seed=seed).backbone_) for seed in (3, 3, 4)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert pickle.dumps(np.random.get_state()) == states[1]  # noqa: NPY002


@each_kind
def test_the_users_module_and_samples_stay_as_they_are(kind):
    module, data = nn.Linear(4, 3), X.copy()
    before = copy.deepcopy(module.state_dict())
    warm_up = kind(n_steps=5).fit(data, module)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not torch.equal(weights(warm_up.backbone_), weights(module).double())
    np.testing.assert_array_equal(data, X)


@each_kind
def test_components_are_there_for_neighbours_alone(kind):
    prepared = kind(n_steps=1).fit(X, nn.Linear(4, 3)).prepared_
    assert (prepared.components is not None) == (kind is NeighborContrast)


@each_kind
def test_clone_drops_no_training(kind):
    fresh, fitted = kind(n_steps=3), kind(n_steps=3).fit(X)
    assert clone(fresh) is not fresh
    assert clone(fresh) == fresh
    assert clone(fitted) is fitted


@each_kind
def test_a_fitted_warm_up_keeps_its_options(kind):
    fitted = kind(n_steps=3).fit(X)
    with pytest.raises(ValueError, match=r"is shared by all fits .* Got n_steps=4: make"):
        fitted.set_params(n_steps=4, batch_size=256)
    assert fitted.set_params(n_steps=3).n_steps == 3
    with pytest.raises(ValueError, match="nonsense"):
        fitted.set_params(nonsense=1)


@each_kind
def test_a_fitted_warm_up_can_be_pickled(kind):
    fitted = kind(n_steps=3).fit(X)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.fitted
    assert torch.equal(weights(again.backbone_), weights(fitted.backbone_))
    assert again == fitted


@each_kind
def test_every_record_is_reported(kind):
    seen = []
    warm_up = kind(n_steps=4).fit(X, report=seen.append)
    assert seen == warm_up.history_
    assert {record["phase"] for record in seen} == {"pretext"}


@each_kind
@pytest.mark.parametrize("change", [sparse.csr_array, np.asfortranarray, lambda x: x.tolist()])
def test_other_containers_train_the_same(kind, change):
    expected = weights(kind(n_steps=3).fit(X).backbone_)
    torch.testing.assert_close(weights(kind(n_steps=3).fit(change(X)).backbone_), expected)


@pytest.mark.parametrize(
    ("n_rows", "steps"),
    [
        *((1, 300), (100, 300), (2_000, 900), (10_000, 2_364)),
        *((11_000, 2_638), (70_000, 26_172), (1_000_000, 585_938)),
    ],
)
def test_steps_grow_with_the_rows_and_each_is_drawn_at_most_150_times(n_rows, steps):
    assert Autoencoding().steps_for(n_rows) == steps
    assert Autoencoding().steps_for(n_rows, 784) == steps
    assert Autoencoding(n_steps=7).steps_for(n_rows, 2) == 7


@pytest.mark.parametrize(("n_inputs", "share"), [(50, 1), (25, 0.66), (16, 0.5), (1, 0.5)])
def test_few_inputs_take_fewer_steps(n_inputs, share):
    assert Autoencoding().steps_for(10_000, n_inputs) == pytest.approx(2_364 * share, rel=0.01)
    assert Autoencoding().steps_for(100, n_inputs) == 300


@each_kind
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n_steps", value) for value in (0, -1, 2.5, "3", True)],
        *[("batch_size", value) for value in (1, 0, None, 2.0)],
        *[("learning_rate", value) for value in (0.0, -1.0, np.nan, np.inf, "fast", None)],
    ],
)
def test_options_out_of_range_are_named(kind, name, value):
    with pytest.raises(ValueError, match=name):
        kind(**{name: value}).fit(X)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@each_kind
@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (nn.Unflatten(1, (2, 2)), r"features of shape \(2, d\)"),
        (nn.Flatten(0), r"features of shape \(2, d\)"),
        (Pair(), "must return a tensor, got tuple"),
    ],
)
def test_backbones_that_return_no_features_are_refused(kind, backbone, message):
    with pytest.raises(ValueError, match=message):
        kind(n_steps=2).fit(X, backbone)


def test_a_backbone_with_nothing_to_train_is_refused_where_the_task_has_nothing_either():
    with pytest.raises(ValueError, match="no parameters to train"):
        NeighborContrast(n_steps=2).fit(X, nn.Identity())
    frozen = nn.Linear(4, 2).requires_grad_(False)
    with pytest.raises(ValueError, match="no parameters to train"):
        NeighborContrast(n_steps=2).fit(X, frozen)
    assert Autoencoding(n_steps=2).fit(X, nn.Identity()).fitted


@each_kind
@pytest.mark.parametrize("n", [1, 2, 3])
def test_very_few_rows(kind, n):
    assert torch.isfinite(weights(kind(n_steps=3).fit(X[:n]).backbone_)).all()


@each_kind
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(kind, bad):
    data = X.copy()
    data[3, 1] = bad
    with pytest.raises(ValueError, match=r"X .*(NaN|infinity|finite)"):
        kind(n_steps=2).fit(data)


@each_kind
@pytest.mark.parametrize("data", [X[:0], X[:, 0], X[:, :0], np.array(3.0)])
def test_arrays_without_rows_or_columns_are_refused(kind, data):
    with pytest.raises(ValueError, match="X"):
        kind(n_steps=2).fit(data)
