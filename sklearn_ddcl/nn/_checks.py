"""Checks of arguments, one message style for the whole of ``nn``."""

import inspect
import math
import numbers
from collections.abc import Sequence
from typing import Any

from torch import Tensor

__all__ = [
    "check_choice",
    "check_columns",
    "check_count",
    "check_flag",
    "check_matrix",
    "check_mixture",
    "check_real",
    "check_same_shape",
    "check_samples",
    "takes",
]


def check_matrix(name: str, value: Tensor) -> None:
    """Require a floating point matrix with at least one row and one column.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : Tensor
        What was passed.

    Raises
    ------
    ValueError
        If ``value`` is no 2-D tensor of a floating point type, or is empty.

    Examples
    --------
    >>> import torch
    >>> check_matrix("z", torch.zeros(3, 2))
    """
    if not isinstance(value, Tensor) or value.ndim != 2 or not value.is_floating_point():
        raise ValueError(f"{name} must be a 2-D floating point tensor, got {_describe(value)}.")
    if value.numel() == 0:
        raise ValueError(f"{name} must have rows and columns, got {_describe(value)}.")


def check_columns(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Require two matrices with the same number of columns.

    Parameters
    ----------
    name, other_name : str
        The parameters' names, for the message.
    value, other : Tensor
        What was passed.

    Raises
    ------
    ValueError
        If either is no matrix, or the numbers of columns differ.

    Examples
    --------
    >>> import torch
    >>> check_columns("z", torch.zeros(3, 2), "p", torch.zeros(5, 2))
    """
    check_matrix(name, value)
    check_matrix(other_name, other)
    if value.shape[1] != other.shape[1]:
        raise ValueError(
            f"{name} and {other_name} must have the same number of columns, got "
            f"{value.shape[1]} and {other.shape[1]}."
        )


def check_same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Require two matrices of one shape.

    Parameters
    ----------
    name, other_name : str
        The parameters' names, for the message.
    value, other : Tensor
        What was passed.

    Raises
    ------
    ValueError
        If either is no matrix, or the shapes differ.

    Examples
    --------
    >>> import torch
    >>> check_same_shape("distances", torch.zeros(3, 2), "q", torch.zeros(3, 2))
    """
    check_matrix(name, value)
    check_matrix(other_name, other)
    if value.shape != other.shape:
        raise ValueError(
            f"{name} and {other_name} must have the same shape, got "
            f"{tuple(value.shape)} and {tuple(other.shape)}."
        )


def check_samples(name: str, value: Tensor) -> None:
    """Require a floating point tensor with samples along its first axis.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : Tensor
        What was passed; it may have no row.

    Raises
    ------
    ValueError
        If ``value`` is no tensor of a floating point type with two or more
        dimensions.

    Examples
    --------
    >>> import torch
    >>> check_samples("x", torch.zeros(3, 8, 8))
    """
    if not isinstance(value, Tensor) or value.ndim < 2 or not value.is_floating_point():
        raise ValueError(
            f"{name} must be a floating point tensor of shape (n, ...), got {_describe(value)}."
        )


def check_mixture(z: Tensor, p: Tensor, q: Tensor) -> None:
    """Require features, prototypes and assignments that fit together.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments.

    Raises
    ------
    ValueError
        If one is no matrix or the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> check_mixture(torch.zeros(3, 2), torch.zeros(5, 2), torch.zeros(3, 5))
    """
    check_columns("z", z, "p", p)
    check_matrix("q", q)
    if q.shape != (z.shape[0], p.shape[0]):
        raise ValueError(
            f"q must have shape {(z.shape[0], p.shape[0])} for these z and p, "
            f"got {tuple(q.shape)}."
        )


def check_real(
    name: str,
    value: float,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    infinite: bool = False,
) -> None:
    """Require a real number within bounds.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : float
        What was passed.
    above, at_least, at_most : float
        Bounds, the first one exclusive.
    infinite : bool, default=False
        Whether an infinity within the bounds is allowed.

    Raises
    ------
    ValueError
        If ``value`` is no number, is NaN, or lies outside the bounds.

    Examples
    --------
    >>> check_real("temperature", 0.5, above=0.0)
    """
    numeric = isinstance(value, numbers.Real) and not isinstance(value, bool)
    allowed = numeric and not math.isnan(value) and (infinite or not math.isinf(value))
    if allowed and value > above and at_least <= value <= at_most:
        return
    bounds = [f"> {above:g}"] * (above > -math.inf)
    bounds += [f">= {at_least:g}"] * (at_least > -math.inf)
    bounds += [f"<= {at_most:g}"] * (at_most < math.inf)
    kind = "number" if infinite else "finite number"
    raise ValueError(f"{name} must be a {' '.join([kind, ' and '.join(bounds)])}, got {value!r}.")


def check_count(name: str, value: int, *, at_least: int = 1) -> None:
    """Require an integer not below a bound.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : int
        What was passed.
    at_least : int, default=1
        The smallest value allowed.

    Raises
    ------
    ValueError
        If ``value`` is no integer or too small.

    Examples
    --------
    >>> check_count("n_clusters", 3)
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be an integer >= {at_least}, got {value!r}.")


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Require one of several names.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : str
        What was passed.
    allowed : sequence of str
        The names that are known.

    Raises
    ------
    ValueError
        If ``value`` is none of them.

    Examples
    --------
    >>> check_choice("mode", "mean", ("mean", "sum"))
    """
    if not isinstance(value, str) or value not in allowed:
        shown = ", ".join(repr(item) for item in allowed)
        raise ValueError(f"{name} must be one of {shown}, got {value!r}.")


def check_flag(name: str, value: object) -> None:
    """Require True or False.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : bool
        What was passed.

    Raises
    ------
    ValueError
        If ``value`` is no bool.

    Examples
    --------
    >>> check_flag("relative", True)
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be a bool, got {value!r}.")


def takes(function: Any, count: int) -> bool:
    """Tell whether a function can be called with so many arguments by position.

    Parameters
    ----------
    function : any
        What may be a function.
    count : int
        Number of arguments.

    Returns
    -------
    bool
        False for what is no function; True where it does not say.
    """
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # some of C have no signature
        return True
    return True


def _describe(value: object) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"shape {tuple(value.shape)} of {value.dtype}"
