import numpy as np
import pytest
import torch

from sklearn_ddcl.engine import AlternatingConfig, Autoencoding, NeighborContrast
from sklearn_ddcl.engine._warm_start import trained_rows, warm_start

X = np.random.default_rng(0).normal(size=(40, 4))


def start(warm_up, data=X, **changes):
    config = AlternatingConfig(2, warm_up=warm_up, device="cpu", **changes)
    return warm_start(data, None, config, torch.Generator().manual_seed(0))


def test_without_a_warm_up_the_backbone_is_new_and_nothing_is_recorded():
    prepared, task, history = start(None)
    assert prepared.components is not None
    assert (task, history) == (None, [])


def test_an_option_object_is_run_and_stays_as_it_is():
    warm_up = NeighborContrast(n_steps=3)
    _, task, history = start(warm_up)
    assert task is not None
    assert len(history) == 3
    assert not warm_up.fitted


def test_a_fitted_warm_up_is_copied():
    warm_up = Autoencoding(n_steps=3).fit(X)
    prepared, _, history = start(warm_up)
    assert history == []
    assert prepared.body is not warm_up.prepared_.body
    pairs = zip(prepared.body.parameters(), warm_up.prepared_.body.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_another_backbone_than_the_fitted_one_is_refused():
    with pytest.raises(ValueError, match="The fitted 'warm_up' holds a MLP"):
        start(Autoencoding(n_steps=1).fit(X), backbone="cnn")


def test_the_caller_may_make_the_backbone_in_its_own_way():
    asked = []

    def prepare(*args):
        asked.append(args[0])
        raise LookupError

    config = AlternatingConfig(2, backbone="mlp")
    with pytest.raises(LookupError):
        warm_start(X, None, config, torch.Generator(), prepare)
    assert asked == ["mlp"]


def test_rows_whose_weight_float32_does_not_know_are_left_out():
    weight = np.ones(40)
    weight[3], weight[5] = 0.0, 1e-60
    used, rows, share = trained_rows(X, weight)
    expected = np.delete(np.arange(40), [3, 5])
    np.testing.assert_array_equal(used, expected)
    np.testing.assert_array_equal(rows, X[expected])
    np.testing.assert_array_equal(share, np.ones(38))


def test_without_weights_no_row_is_copied():
    _, rows, share = trained_rows(X, None)
    assert np.shares_memory(rows, X)
    assert share is None
