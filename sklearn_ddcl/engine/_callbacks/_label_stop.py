"""Early stopping without labels: few rows change their prototype."""

from typing import Any

from skorch.callbacks import Callback

__all__ = ["LabelStop"]


class LabelStop(Callback):  # type: ignore[misc]  # skorch has no types
    """Stops in the last phase once labels have settled.

    Earlier phases are not left: their labels may rest until the temperature
    falls.

    Parameters
    ----------
    patience : int
        Epochs in a row.
    min_change : float
        Share of rows that change, below which an epoch counts as settled.
    """

    def __init__(self, patience: int, min_change: float) -> None:
        self.patience = patience
        self.min_change = min_change
        self.settled_ = 0

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Start counting."""
        self.settled_ = 0

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Count the epoch, and stop the net when there are enough."""
        settled = net.plan_.last and net.summary_.label_change < self.min_change
        self.settled_ = self.settled_ + 1 if settled else 0
        net.stopped_ = net.stopped_ or self.settled_ >= self.patience
