"""Temperature schedules: callables from a step to a temperature."""

import math
import sys
from typing import Protocol, runtime_checkable

from sklearn_ddcl.nn._checks import check_flag, check_real
from sklearn_ddcl.nn.options import Options

__all__ = [
    "ConstantTemperature",
    "ExponentialTemperature",
    "GeometricTemperature",
    "TemperatureSchedule",
    "absolute_temperature",
]


@runtime_checkable
class TemperatureSchedule(Protocol):
    """What a temperature schedule offers.

    Attributes
    ----------
    relative : bool
        Whether values are multiples of the data's critical temperature;
        otherwise they are in units of squared distance.
    """

    relative: bool

    def __call__(self, step: float) -> float:
        """Return the temperature at a step, counted from 0."""
        ...

    def validate(self) -> None:
        """Raise ValueError if a parameter's value is not allowed."""
        ...


class ConstantTemperature(Options):
    """The same temperature at every step.

    Parameters
    ----------
    value : float, default=0.5
        The temperature, > 0.
    relative : bool, default=True
        Whether it is a multiple of the data's critical temperature.

    Examples
    --------
    >>> ConstantTemperature(value=0.2)(7)
    0.2
    """

    def __init__(self, value: float = 0.5, relative: bool = True) -> None:
        self.value = value
        self.relative = relative

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If ``value`` is not positive or ``relative`` is no bool.
        """
        check_real("value", self.value, above=0.0)
        check_flag("relative", self.relative)

    def __call__(self, step: float) -> float:
        """Return the temperature at ``step`` (>= 0)."""
        check_real("step", step, at_least=0.0)
        return self.value


class ExponentialTemperature(Options):
    r"""Exponential decay to a floor (section 7.2).

    .. math:: T(t) = \max(T_0 e^{-t / \tau}, T_{\min})

    Parameters
    ----------
    initial : float, default=2.0
        :math:`T_0`, > 0.
    minimum : float, default=0.5
        :math:`T_{\min}`, > 0 and not above ``initial``.
    decay : float, default=80.0
        :math:`\tau` in steps, > 0.
    relative : bool, default=True
        Whether temperatures are multiples of the data's critical
        temperature; the paper's own schedule is absolute.

    Examples
    --------
    >>> schedule = ExponentialTemperature(initial=2.0, minimum=0.5, decay=1.0)
    >>> [round(schedule(step), 3) for step in range(3)]
    [2.0, 0.736, 0.5]
    """

    def __init__(
        self,
        initial: float = 2.0,
        minimum: float = 0.5,
        decay: float = 80.0,
        relative: bool = True,
    ) -> None:
        self.initial = initial
        self.minimum = minimum
        self.decay = decay
        self.relative = relative

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If a number is not positive, the floor lies above the start, or
            ``relative`` is no bool.
        """
        check_real("initial", self.initial, above=0.0)
        check_real("minimum", self.minimum, above=0.0, at_most=self.initial)
        check_real("decay", self.decay, above=0.0)
        check_flag("relative", self.relative)

    def __call__(self, step: float) -> float:
        """Return the temperature at ``step`` (>= 0)."""
        check_real("step", step, at_least=0.0)
        return max(self.initial * math.exp(-step / self.decay), self.minimum)


class GeometricTemperature(Options):
    r"""Geometric decay to a floor, for annealing in few steps.

    .. math:: T(t) = \max(T_0 r^t, T_{\min})

    Parameters
    ----------
    initial : float, default=1.5
        :math:`T_0`, > 0; relative values above 1 start above the first split.
    factor : float, default=0.75
        :math:`r`, in (0, 1].
    minimum : float, default=0.01
        :math:`T_{\min}`, > 0 and not above ``initial``.
    relative : bool, default=True
        Whether temperatures are multiples of the data's critical temperature.

    Examples
    --------
    >>> [GeometricTemperature(initial=1.0, factor=0.5)(step) for step in range(3)]
    [1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        initial: float = 1.5,
        factor: float = 0.75,
        minimum: float = 0.01,
        relative: bool = True,
    ) -> None:
        self.initial = initial
        self.factor = factor
        self.minimum = minimum
        self.relative = relative

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If a number is out of its range, the floor lies above the start,
            or ``relative`` is no bool.
        """
        check_real("initial", self.initial, above=0.0)
        check_real("factor", self.factor, above=0.0, at_most=1.0)
        check_real("minimum", self.minimum, above=0.0, at_most=self.initial)
        check_flag("relative", self.relative)

    def __call__(self, step: float) -> float:
        """Return the temperature at ``step`` (>= 0)."""
        check_real("step", step, at_least=0.0)
        return max(self.initial * math.pow(self.factor, step), self.minimum)


def absolute_temperature(schedule: TemperatureSchedule, step: float, scale: float) -> float:
    """Return a schedule's temperature in units of squared distance.

    Parameters
    ----------
    schedule : TemperatureSchedule
        The schedule.
    step : float
        Step >= 0.
    scale : float
        The data's critical temperature, >= 0; not used by an absolute
        schedule.

    Returns
    -------
    float
        A positive temperature. For constant data (``scale=0``) that is the
        smallest normal number.

    Raises
    ------
    ValueError
        If ``step`` or ``scale`` is negative or not finite.

    Examples
    --------
    >>> absolute_temperature(ConstantTemperature(0.5), 0, scale=10.0)
    5.0
    >>> absolute_temperature(ConstantTemperature(0.5, relative=False), 0, scale=10.0)
    0.5
    """
    value = schedule(step)
    if not schedule.relative:
        return value
    check_real("scale", scale, at_least=0.0)
    return max(value * scale, sys.float_info.min)
