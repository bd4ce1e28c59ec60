import copy
import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_ddcl.engine import (
    OnlineConfig,
    begin_online,
    learn_online,
    observe_online,
    resolve_support,
    settle_online,
)
from sklearn_ddcl.metrics import adjusted_rand_score
from sklearn_ddcl.nn import reset_parameters

LABELS = np.repeat([0, 1, 2], 40)
X = np.random.default_rng(0).normal(size=(120, 5)) + 8 * np.eye(5)[LABELS]


def linear():
    layer = nn.Linear(5, 3)
    reset_parameters(layer, torch.Generator().manual_seed(1))
    return layer


def make_config(support="combination", **changes):
    return OnlineConfig(3, resolve_support(support), device="cpu")._replace(**changes)


def learn(config=None, data=X, weight=None, epochs=100):
    config = make_config() if config is None else config
    state = begin_online(data, weight, config)
    return learn_online(state, data, weight, config, epochs)


def test_blobs_are_found_and_numbered_by_weight():
    weight = 1.0 + 0.2 * LABELS
    config = make_config()
    result = settle_online(learn(config, weight=weight), X, weight, config)
    assert adjusted_rand_score(LABELS, result.clusters.labels) > 0.9
    mass = np.bincount(result.clusters.labels, weight)
    assert (np.diff(mass) <= 0).all()


def test_two_calls_are_one_with_twice_the_epochs():
    """Moments of the optimiser go on; full batches, so that the order of rows is no matter."""
    config = make_config(backbone=linear())
    once = learn(config, epochs=6)
    state = begin_online(X, None, config)
    for _ in range(2):
        state = learn_online(state, X, None, config, 3)
    torch.testing.assert_close(state.prototypes, once.prototypes, rtol=1e-4, atol=1e-5)
    assert (state.seen, state.epochs) == (once.seen, once.epochs) == (720, 6)
    assert [record["epoch"] for record in state.records] == list(range(1, 7))


def test_a_state_is_never_changed():
    config = make_config(batch_size=16)
    state = learn(config, epochs=1)
    before = pickle.dumps(state)
    later = learn_online(state, X, None, config, 2)
    settle_online(later, X, None, config)
    settle_online(state, X, None, config)
    assert pickle.dumps(state) == before
    again = learn_online(pickle.loads(before), X, None, config, 2)
    assert bool((again.prototypes == later.prototypes).all())


def test_rows_of_weight_zero_are_not_seen():
    weight = np.ones(120)
    weight[LABELS == 2] = 0.0
    config = make_config()
    state = begin_online(X, weight, config)
    wild = X.copy()
    wild[LABELS == 2] = 1e6
    states = [learn_online(state, data, weight, config, 3) for data in (X, wild)]
    assert states[0].seen == 240
    assert bool((states[0].prototypes == states[1].prototypes).all())


def test_settling_puts_unused_prototypes_last_with_their_moments():
    config = make_config(None, n_clusters=9)
    state = learn(config, epochs=30)
    result = settle_online(state, X, None, config)
    kept = result.clusters.prototypes.astype(np.float32)
    np.testing.assert_array_equal(result.state.prototypes[: len(kept)].numpy(), kept)
    assert len(kept) < 9
    assert sorted(map(tuple, state.prototypes.tolist())) == sorted(
        map(tuple, result.state.prototypes.tolist())
    )
    old, new = (list(s.moments["state"].values())[-1]["exp_avg"] for s in (state, result.state))
    order = [state.prototypes.tolist().index(row) for row in result.state.prototypes.tolist()]
    assert bool((old[order] == new).all())


def test_a_batch_is_labelled_by_all_prototypes_in_their_order():
    config = make_config()
    state = learn(config)
    result = observe_online(state, X[:7], None, config)
    np.testing.assert_array_equal(result.clusters.prototypes, state.prototypes.double().numpy())
    assert result.clusters.labels.shape == (7,)


def test_prototypes_that_have_long_been_nearest_to_nothing_are_not_recent():
    config = make_config(None)
    state = begin_online(X, None, config)
    assert state.n_recent == 3
    state = learn_online(state, X, None, config, 10)
    assert state.n_recent < 3


def test_old_records_are_dropped(monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.engine._online._MOST", 4)
    config = make_config()
    state = learn(config, epochs=6)
    assert len(state.records) == 6
    state = learn_online(state, X, None, config)
    assert [record["epoch"] for record in state.records] == [4, 5, 6, 7]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sparse_rows_and_types(kind):
    config = make_config()
    dense, rows = X.astype(kind), sparse.csr_array(X.astype(kind))
    first, second = (
        settle_online(learn(config, data), data, None, config) for data in (dense, rows)
    )
    np.testing.assert_array_equal(first.clusters.labels, second.clusters.labels)
    assert first.clusters.prototypes.dtype == kind


def test_global_random_states_are_left_alone():
    backbone = nn.Sequential(nn.Dropout(0.1), linear())
    before = torch.get_rng_state()
    learn(make_config(backbone=backbone), epochs=2)
    assert bool((torch.get_rng_state() == before).all())


def test_the_users_module_is_left_alone():
    module = linear()
    before = copy.deepcopy(module.state_dict())
    learn(make_config(backbone=module), epochs=2)
    assert all(bool((before[key] == value).all()) for key, value in module.state_dict().items())


def test_divergence_is_named():
    config = make_config(learning_rate=1e30, backbone=linear())
    with pytest.raises(FloatingPointError, match="learning rate"):
        learn(config, epochs=5)


def test_another_shape_is_named():
    config = make_config()
    state = begin_online(X, None, config)
    with pytest.raises(ValueError, match="shape"):
        learn_online(state, X[:, :4], None, config)
