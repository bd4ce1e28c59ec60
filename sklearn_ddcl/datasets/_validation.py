"""Checks of the generators' parameters."""

from numbers import Integral, Real

import numpy as np


def check_integer(name, value, minimum, maximum=None):
    """Raise unless a parameter is an integer in a closed range.

    Parameters
    ----------
    name : str
        The name of the parameter.
    value : object
        What was given.
    minimum, maximum : int
        The range; `maximum` None leaves it open above.

    Raises
    ------
    ValueError
        If it is not.
    """
    integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not integer or value < minimum or (maximum is not None and value > maximum):
        above = "" if maximum is None else f" and <= {maximum}"
        raise ValueError(f"{name} must be an integer >= {minimum}{above}, got {value!r}.")


def check_number(name, value, *, minimum, closed=True, below=np.inf):
    """Raise unless a parameter is a finite number in a range.

    Parameters
    ----------
    name : str
        The name of the parameter.
    value : object
        What was given.
    minimum : float
        The least value.
    closed : bool, default=True
        Whether `minimum` itself is allowed.
    below : float, default=inf
        What the value must be less than.

    Raises
    ------
    ValueError
        If it is not.
    """
    number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if not number or value < minimum or value >= below or (value == minimum and not closed):
        sign = ">=" if closed else ">"
        above = "" if below == np.inf else f" and < {below}"
        raise ValueError(f"{name} must be a finite number {sign} {minimum}{above}, got {value!r}.")
