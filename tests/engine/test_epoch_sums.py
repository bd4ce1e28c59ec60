import math

import pytest
import torch
from torch import nn

from sklearn_ddcl.engine import _epoch_sums as sums_module
from sklearn_ddcl.engine._epoch_sums import EpochSums
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.nn import Objective, VanillaPrototypes, concentration, decompose_loss


@pytest.mark.parametrize("limit", [1, 1 << 19])
def test_the_sums_are_those_of_the_steps(train_rows, monkeypatch, limit):
    monkeypatch.setattr(sums_module, "_ELEMENTS", limit)
    x = train_rows(dtype=torch.float64) + 10.0
    layer = VanillaPrototypes(4, 6, dtype=torch.float64)
    module = JointModule(nn.Identity(), layer, Objective())
    sums, expected = EpochSums(60, dtype=torch.float64), []
    for rows in torch.arange(60).tensor_split(7):
        with torch.no_grad():
            layer.weight += 0.5
        step = module(rows, x[rows])
        sums.add(step, rows)
        _, p, _, q, _ = (part.detach() if torch.is_tensor(part) else part for part in step.cluster)
        parts = decompose_loss(x[rows], p, q)
        terms = [float(step.loss.detach()), *map(float, parts), float(concentration(q).mean())]
        terms.append(float(x[rows].var(dim=0).sum()))
        expected.append(torch.tensor(terms).double() * len(rows) / 60)
    s = sums.finish()
    got = [s.loss, s.quantization, s.ols, s.variance, s.concentration, s.latent_variance]
    assert got == pytest.approx(torch.stack(expected).sum(0).tolist(), rel=1e-6)
    assert s.label_change == 1.0
    assert s.prototype_norm == pytest.approx(float(layer.weight.detach().norm()))
    assert int(sums.counts.sum()) == 60
    last = step.cluster.distances.min(1)
    assert torch.equal(sums.labels[rows], last.indices)
    torch.testing.assert_close(sums.errors[rows], last.values.detach())
    assert sums.finish() is None


def test_only_rows_that_change_their_prototype_count(train_rows):
    x, sums = train_rows(), EpochSums(60)
    module = JointModule(nn.Identity(), VanillaPrototypes(4, 6), Objective())
    for _ in range(2):
        sums.add(module(torch.arange(60), x), torch.arange(60))
        changed = sums.finish().label_change
    assert changed == 0.0


def test_a_warm_up_has_losses_alone(train_rows, make_backbone, make_task):
    sums = EpochSums(60)
    module = JointModule(make_backbone(), pretext=make_task(), pretext_weight=2.0)
    sums.add(module(torch.arange(60), train_rows()), torch.arange(60))
    s = sums.finish()
    assert s.loss == pytest.approx(2 * s.pretext)
    assert math.isnan(s.quantization)
