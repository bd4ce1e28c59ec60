import pytest
import torch

from sklearn_ddcl.engine._callbacks import PhaseSetting
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.nn import Objective, VanillaPrototypes
from sklearn_ddcl.options import FourPhases, JointTraining


def run(x, critical=4.0, **changes):
    options = JointTraining(**{"epochs": 5} | changes)
    module = JointModule(torch.nn.Linear(6, 3), VanillaPrototypes(4, 3), Objective())
    seen = []
    net = TrainingNet(
        module,
        generator=torch.Generator().manual_seed(0),
        max_epochs=options.epochs,
        callbacks=[PhaseSetting(options, critical), Watch(seen)],
    )
    return net.fit(x), seen


class Watch:
    def __init__(self, seen):
        self.seen = seen

    def initialize(self):
        return self

    def set_params(self, **params):
        return self

    def __getattr__(self, name):
        return lambda *args, **kwargs: None

    def on_batch_begin(self, net, **kwargs):
        module = net.module_
        rates = [
            group["lr"] for o in (net.optimizer_, net.dual_optimizer_) for group in o.param_groups
        ]
        self.seen.append((module.temperature, module.scale, module.stop_gradient, *rates))

    def on_batch_end(self, net, **kwargs):
        pass


def test_each_epoch_has_its_temperature_rates_and_gradient(train_rows):
    _, seen = run(train_rows())
    schedule = FourPhases()
    for epoch, (temperature, scale, stop, backbone, dual) in enumerate(seen):
        plan = schedule(epoch, 5)
        assert temperature == pytest.approx(4.0 * plan.temperature * scale / seen[0][1])
        assert stop == plan.stop_gradient
        assert backbone == pytest.approx(1e-3 * plan.backbone_rate)
        assert dual == pytest.approx(backbone / plan.rate_ratio * 4 / 2 * scale)


def test_options_go_before_the_schedule(train_rows):
    _, seen = run(train_rows(), rate_ratio=0.5, stop_gradient=False)
    assert all(stop is False for _, _, stop, _, _ in seen)
    assert all(dual == pytest.approx(rate / 0.5 * 2 * s) for _, s, _, rate, dual in seen)


def test_absolute_temperatures_stay(train_rows):
    _, seen = run(train_rows(), schedule=FourPhases(2.0, 0.5, relative=False))
    assert (seen[0][0], seen[-1][0]) == (2.0, 0.5)


def test_constant_features_have_a_temperature(train_rows):
    _, seen = run(torch.ones(60, 6), critical=0.0)
    assert seen[0][0] == torch.finfo(torch.float32).tiny
