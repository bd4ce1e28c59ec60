"""From names to objects: what the string values of parameters stand for."""

from collections.abc import Callable
from typing import Any

from sklearn_ddcl.engine._config import ReducedFlow, Regularization, default_temperature
from sklearn_ddcl.nn.schedules import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
    TemperatureSchedule,
)

__all__ = [
    "LOSSES",
    "TEMPERATURES",
    "resolve_flow",
    "resolve_regularization",
    "resolve_temperature",
]

LOSSES = ("quantization", "ols")

TEMPERATURES: dict[str, Callable[[], TemperatureSchedule]] = {
    "auto": default_temperature,
    "constant": ConstantTemperature,
    "exponential": ExponentialTemperature,
    "geometric": GeometricTemperature,
    # section 7.2 of the DDCL paper, in absolute units
    "paper": lambda: ExponentialTemperature(initial=2.0, minimum=0.5, decay=80.0, relative=False),
}


def resolve_temperature(value: Any) -> Any:
    """Return a validated schedule for a name or an object.

    Parameters
    ----------
    value : str or TemperatureSchedule
        A key of ``TEMPERATURES``, or a schedule.

    Returns
    -------
    TemperatureSchedule
        The schedule.

    Raises
    ------
    ValueError
        If the schedule's own parameters are invalid.
    """
    schedule = TEMPERATURES[value]() if isinstance(value, str) else value
    if hasattr(schedule, "validate"):
        schedule.validate()
    return schedule


def resolve_regularization(value: Regularization | None) -> Regularization:
    """Return validated weights; None has none.

    Parameters
    ----------
    value : Regularization or None
        Weights of Eq. 12.

    Returns
    -------
    Regularization
        The weights.
    """
    regularization = Regularization() if value is None else value
    regularization.validate()
    return regularization


def resolve_flow(value: ReducedFlow | None) -> ReducedFlow:
    """Return validated options of the reduced flow; None takes the defaults.

    Parameters
    ----------
    value : ReducedFlow or None
        Options.

    Returns
    -------
    ReducedFlow
        The options.
    """
    flow = ReducedFlow() if value is None else value
    flow.validate()
    return flow
