"""Sets an epoch's temperature, learning rates and gradient, as its phase plans."""

from typing import Any

import torch
from skorch.callbacks import Callback

from sklearn_ddcl.engine._dual_rate import layer_learning_rate
from sklearn_ddcl.engine._joint_module import latent_scale
from sklearn_ddcl.engine._training_options import JointTraining

__all__ = ["PhaseSetting"]


class PhaseSetting(Callback):  # type: ignore[misc]  # skorch has no types
    """Applies the schedule before each epoch.

    Parameters
    ----------
    options : JointTraining
        Options of the joint phase; its rates and stop-gradient, where given,
        go before those of the schedule.
    critical : float
        Critical temperature of the features at the start. Relative temperatures
        multiply it, times the growth of the latent variance since: the
        objective leaves the features' scale free, and a temperature that stays
        while they spread is a falling one.
    """

    def __init__(self, options: JointTraining, critical: float) -> None:
        self.options = options
        self.critical = critical

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Set temperature, scale, rates and stop-gradient of the epoch."""
        options, module = self.options, net.module_
        schedule = options.phases()
        plan = schedule(net.epoch_, net.max_epochs)
        if options.rate_ratio is not None:
            plan = plan._replace(rate_ratio=options.rate_ratio)
        if options.stop_gradient is not None:
            plan = plan._replace(stop_gradient=options.stop_gradient)
        if net.epoch_ == 0:
            self.first_scale_ = module.scale
        else:
            last = net.summary_
            dtype = module.layer.weight.dtype
            module.scale = latent_scale(last.latent_variance, last.prototype_norm, dtype)
            if module.has_bank:
                module.layer.refresh()  # rounding adds up over the steps
        unit = self.critical * module.scale / self.first_scale_ if schedule.relative else 1.0
        # the type's smallest number: constant features have a critical temperature of 0
        tiny = torch.finfo(module.layer.weight.dtype).tiny
        module.temperature = max(plan.temperature * unit, tiny)
        module.stop_gradient = plan.stop_gradient
        rate = options.learning_rate * plan.backbone_rate
        dual = layer_learning_rate(
            rate / plan.rate_ratio,
            module.layer,
            module.scale,
            module.objective_weight,
            min(net.batch_size, len(net.sums_.labels)),
        )
        net.set_rates(rate, dual)
        net.plan_, net.rates_ = plan, (rate, dual)
