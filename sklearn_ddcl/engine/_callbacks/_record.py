"""The history of the joint phase: one record an epoch."""

from typing import Any

import torch
from skorch.callbacks import Callback

from sklearn_ddcl.engine._history import History

__all__ = ["EpochRecord", "PretextRecord"]


class EpochRecord(Callback):  # type: ignore[misc]  # skorch has no types
    """Records what the theory says to watch, from the epoch's sums.

    Parameters
    ----------
    history : History
        Where records go.
    """

    def __init__(self, history: History) -> None:
        self.history = history

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the record of an epoch."""
        s = net.summary_
        terms = {
            "loss": s.loss,
            "loss_pretext": s.pretext,
            "loss_quantization": s.quantization,
            "loss_ols": s.ols,
            "variance": s.variance,
            "separation": s.separation,
            "concentration": s.concentration,
            "force": 1.0 - s.concentration,
            "n_active": int(torch.count_nonzero(net.sums_.counts)),
            "label_change": s.label_change,
            "latent_variance": s.latent_variance,
            "learning_rate": net.rates_[0],
            "learning_rate_dual": net.rates_[1],
            "rate_ratio": net.plan_.rate_ratio,
            "rate_bound": net.rate_bound_,
            "n_revived": getattr(net, "revived_", 0),
        }
        self.history.add(net.plan_.name, net.module_.temperature, terms)


class PretextRecord(Callback):  # type: ignore[misc]  # skorch has no types
    """Records the loss of a warm-up, and the rate of an epoch's last step.

    Parameters
    ----------
    history : History
        Where records go.
    """

    def __init__(self, history: History) -> None:
        self.history = history

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the record of an epoch; there is no temperature yet."""
        s = net.summary_
        terms = {"loss": s.loss, "loss_pretext": s.pretext, "learning_rate": net.rates_[0]}
        self.history.add("pretext", float("nan"), terms)
