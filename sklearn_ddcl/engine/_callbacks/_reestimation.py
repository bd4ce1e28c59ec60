"""A new mixture every few epochs, and the record of what the epochs have shown."""

from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback

from sklearn_ddcl.engine._history import History

__all__ = ["Reestimation"]


class Reestimation(Callback):  # type: ignore[misc]  # skorch has no types
    """Calls for a new mixture every few epochs, and records each epoch.

    Parameters
    ----------
    estimate : callable
        Takes the backbone, fits the mixture anew, and returns what to record
        of it.
    interval : int
        Epochs from one mixture to the next.
    summary : callable
        Returns what to record of the epoch's steps.
    history : History
        Where records go.
    """

    def __init__(
        self,
        estimate: Callable[[Any], dict[str, Any]],
        interval: int,
        summary: Callable[[], dict[str, float]],
        history: History,
    ) -> None:
        self.estimate = estimate
        self.interval = interval
        self.summary = summary
        self.history = history

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Fit the mixture anew where it is time."""
        if net.epoch_ % self.interval == 0:
            self.terms_ = self.estimate(net.module_.backbone)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the record of an epoch."""
        terms = {**self.summary(), "loss_pretext": net.summary_.pretext, **self.terms_}
        self.history.add("clustering", terms.pop("temperature"), terms)
