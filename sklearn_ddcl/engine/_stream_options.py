"""How a stream's prototypes move: options of the two kinds of assignment."""

from typing import Any

from sklearn_ddcl.engine._build import plain
from sklearn_ddcl.nn._checks import check_count, check_real
from sklearn_ddcl.nn.options import Options
from sklearn_ddcl.nn.schedules import ExponentialTemperature

__all__ = [
    "STREAM_ASSIGNMENTS",
    "SoftmaxAssignment",
    "WidrowHoff",
    "resolve_assignment",
    "stream_temperature",
]


class SoftmaxAssignment(Options):
    r"""Softmax of distances (Eq. 8), and a step of the prototypes a batch ("softmax").

    Parameters
    ----------
    dual_learning_rate : float or None, default=None
        None moves the prototypes to the minimiser of Lq over the dual weights,
        the assignments held fixed, of the batch and of the summary of all that
        came before. A number is the rate of one gradient step a batch on the
        dual weights, in Gram form and divided by the largest eigenvalue of the
        batch's Gram matrix (block 6 of the paper, with ``summary_size=0``).
    n_steps : int or None, default=None
        Steps a batch, or a piece where a large batch is taken in pieces. None
        takes one, and while little has been seen more, up to 10: 2,000 divided
        by the number of samples.

    Examples
    --------
    >>> from sklearn_ddcl.options import SoftmaxAssignment
    >>> SoftmaxAssignment(n_steps=2).n_steps
    2
    """

    def __init__(
        self, dual_learning_rate: float | None = None, n_steps: int | None = None
    ) -> None:
        self.dual_learning_rate = dual_learning_rate
        self.n_steps = n_steps

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        if self.dual_learning_rate is not None:
            check_real("dual_learning_rate", self.dual_learning_rate, above=0.0)
        if self.n_steps is not None:
            check_count("n_steps", self.n_steps)


class WidrowHoff(Options):
    r"""Assignments learned one feature at a time ("widrow_hoff", Algorithm 2).

    Parameters
    ----------
    step_size : float, default=0.5
        Mu of Eq. 19 times the largest squared norm of a row r(t) of P, so that
        one default serves all scales; updates are stable below 2.
    feature_weight : float, default=1.0
        Power c >= 0 of the weights :math:`\alpha_t = (t / d)^c` of Eq. 21.
    learning_rate : float, default=0.1
        Rate of a step of the prototypes down Eq. 21, divided by a bound on its
        curvature, at most 1. Eq. 21 has no term that holds prototypes near the
        samples: the faster they learn, the further they move outwards, to the
        corners of a hull around them.

    Examples
    --------
    >>> from sklearn_ddcl.options import WidrowHoff
    >>> WidrowHoff(step_size=1.0).step_size
    1.0
    """

    def __init__(
        self, step_size: float = 0.5, feature_weight: float = 1.0, learning_rate: float = 0.1
    ) -> None:
        self.step_size = step_size
        self.feature_weight = feature_weight
        self.learning_rate = learning_rate

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        check_real("step_size", self.step_size, above=0.0)
        check_real("feature_weight", self.feature_weight, at_least=0.0)
        check_real("learning_rate", self.learning_rate, above=0.0, at_most=1.0)


STREAM_ASSIGNMENTS = {"softmax": SoftmaxAssignment, "widrow_hoff": WidrowHoff}


def resolve_assignment(value: Any) -> SoftmaxAssignment | WidrowHoff:
    """Return validated options for a name or an object.

    Parameters
    ----------
    value : {"softmax", "widrow_hoff"}, SoftmaxAssignment or WidrowHoff
        The parameter.

    Returns
    -------
    SoftmaxAssignment or WidrowHoff
        A copy.

    Raises
    ------
    ValueError
        If an option is not allowed.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_assignment
    >>> resolve_assignment("widrow_hoff")
    WidrowHoff(step_size=0.5, feature_weight=1.0, learning_rate=0.1)
    """
    options: SoftmaxAssignment | WidrowHoff = plain(
        STREAM_ASSIGNMENTS[value]() if isinstance(value, str) else value
    )
    options.validate()
    return options


def stream_temperature() -> ExponentialTemperature:
    """Return the default schedule of streams: from the critical temperature.

    Returns
    -------
    ExponentialTemperature
        The schedule, faster than that of section 7.6, so that short streams
        end cold.

    Examples
    --------
    >>> from sklearn_ddcl.engine import stream_temperature
    >>> stream_temperature()(0)
    1.0
    """
    return ExponentialTemperature(initial=1.0, minimum=0.001, decay=20.0)
