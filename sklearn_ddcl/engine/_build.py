"""From names to objects: what the string values of parameters stand for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_ddcl.engine._config import ReducedFlow, Regularization, default_temperature
from sklearn_ddcl.nn._checks import takes
from sklearn_ddcl.nn.options import Options
from sklearn_ddcl.nn.schedules import (
    ConstantTemperature,
    ExponentialTemperature,
    GeometricTemperature,
    TemperatureSchedule,
)

__all__ = [
    "DEEP_LOSSES",
    "LOSSES",
    "TEMPERATURES",
    "plain",
    "resolve_flow",
    "resolve_regularization",
    "resolve_temperature",
]

LOSSES = ("quantization", "ols")
DEEP_LOSSES = (*LOSSES, "cross_entropy")

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
    TypeError
        If the object is a class, or does not say whether it is relative.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_temperature
    >>> resolve_temperature("auto")(0)
    1.1
    """
    schedule = TEMPERATURES[value]() if isinstance(value, str) else value
    relative = not isinstance(schedule, type) and hasattr(schedule, "relative")
    if not relative or not takes(schedule, 1):
        raise TypeError(
            "The 'temperature' parameter must be a name or a schedule object with a 'relative' "
            "attribute, called with a step, such as GeometricTemperature(). Got "
            f"{schedule!r} instead."
        )
    schedule = plain(schedule)
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

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_regularization
    >>> resolve_regularization(None).balance
    0.0
    """
    regularization = Regularization() if value is None else plain(value)
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

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_flow
    >>> resolve_flow(None).relocations
    12
    """
    flow = ReducedFlow() if value is None else plain(value)
    flow.validate()
    return flow


def plain(value: Any) -> Any:
    """Copy options with numpy's scalars, as grids hold them, as Python's own.

    Parameters
    ----------
    value : Options or any
        Options, or an object that is none.

    Returns
    -------
    Options or any
        A copy; anything else is returned as it is.
    """
    if not isinstance(value, Options):
        return value
    params = value.get_params(deep=False)
    plain = {key: v.item() if isinstance(v, np.generic) else v for key, v in params.items()}
    return type(value)(**plain)
