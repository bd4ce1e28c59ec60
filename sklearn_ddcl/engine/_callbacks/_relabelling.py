"""New pseudo-labels before each epoch, and the record of what was learned from them."""

from collections.abc import Callable
from typing import Any

from skorch.callbacks import Callback

from sklearn_ddcl.engine._history import History

__all__ = ["Relabelling"]


class Relabelling(Callback):  # type: ignore[misc]  # skorch has no types
    """Calls for a new partition before each epoch, and forgets the classifier.

    Parameters
    ----------
    partition : callable
        Takes the backbone, labels the net's task anew, and returns what to
        record of it.
    history : History
        Where records go.
    """

    def __init__(self, partition: Callable[[Any], dict[str, Any]], history: History) -> None:
        self.partition = partition
        self.history = history

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Label the rows anew."""
        self.terms_ = self.partition(net.module_.backbone)
        for parameter in net.module_.pretext.parameters():
            # moments of weights that are gone
            net.optimizer_.state.pop(parameter, None)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the record of an epoch."""
        terms = {"loss_cross_entropy": net.summary_.loss, **self.terms_}
        self.history.add("alternation", float("nan"), terms)
