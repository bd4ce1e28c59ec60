import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sklearn_ddcl.engine._callbacks import MarginalRecord
from sklearn_ddcl.engine._callbacks._marginal_record import marginal_terms
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._online_net import OnlineModule, OnlineNet
from sklearn_ddcl.metrics import assignment_entropy, cluster_size_variance
from sklearn_ddcl.nn import CombinationAssignment, VanillaPrototypes


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(1, 6))
def test_terms_against_the_metrics(seed, n, k):
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(n, k, generator=generator, dtype=torch.float64)
    q = torch.softmax(scores, dim=1)
    hard = torch.bincount(q.argmax(dim=1), minlength=k)
    terms = marginal_terms(hard, q.sum(dim=0))
    table = q.numpy()
    for kind, variance in (("hard", "cluster_size_variance"), ("soft", "soft_size_variance")):
        assert terms[variance] == pytest.approx(cluster_size_variance(table, kind=kind), abs=1e-9)
        entropy = assignment_entropy(table, kind=kind)
        assert terms[f"{kind}_entropy"] == pytest.approx(entropy, abs=1e-9)


def test_a_collapsed_epoch():
    terms = marginal_terms(torch.tensor([60_000] + 9 * [0]), torch.full((10,), 6e3))
    assert terms["cluster_size_variance"] == pytest.approx(54_000)
    assert terms["hard_entropy"] == 0.0
    assert terms["soft_entropy"] == pytest.approx(math.log2(10))


def test_each_epoch_is_recorded_from_its_own_batches():
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    history = History()
    module = OnlineModule(nn.Identity(), VanillaPrototypes(3, 2), CombinationAssignment(), 0.1)
    net = OnlineNet(
        module,
        generator=torch.Generator(),
        batch_size=16,
        max_epochs=3,
        callbacks=[MarginalRecord(history)],
    ).fit(x)
    assert [record["epoch"] for record in history.records] == [1, 2, 3]
    last = history.records[-1]
    assert float(net.callbacks_[0][1].soft_.sum()) == pytest.approx(50.0)
    assert last["temperature"] == module.temperature
    labels = net.sums_.labels.numpy()
    assert last["cluster_size_variance"] == pytest.approx(cluster_size_variance(labels, 3))
    assert last["quantization_error"] == pytest.approx(float(net.sums_.errors.mean()))
    assert last["n_active"] == len(set(labels.tolist()))
