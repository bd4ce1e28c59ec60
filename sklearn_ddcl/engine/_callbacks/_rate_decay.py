"""Learning rate of a warm-up: a short rise, then a straight line down to zero."""

from typing import Any

from skorch.callbacks import Callback

__all__ = ["RateDecay"]

_RISE = 50  # steps in which Adam's second moments settle


class RateDecay(Callback):  # type: ignore[misc]  # skorch has no types
    """Sets the rate before each step, and notes it as ``net.rates_``.

    Parameters
    ----------
    rate : float
        Largest learning rate.
    steps : int
        Steps of the whole run.
    """

    def __init__(self, rate: float, steps: int) -> None:
        self.rate = rate
        self.steps = steps
        self.done = 0

    def on_batch_begin(self, net: Any, **kwargs: Any) -> None:
        """Set the rate of this step."""
        rise = min((self.done + 1) / min(_RISE, self.steps), 1.0)
        net.rates_ = (self.rate * rise * (1.0 - self.done / self.steps), 0.0)
        net.set_rates(*net.rates_)
        self.done += 1
