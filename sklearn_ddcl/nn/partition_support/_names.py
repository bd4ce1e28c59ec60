"""Partition supports by name."""

from collections.abc import Callable
from typing import Any

from sklearn_ddcl.nn.partition_support._base import PartitionSupport
from sklearn_ddcl.nn.partition_support._combination import CombinationAssignment
from sklearn_ddcl.nn.partition_support._entropy import MarginalEntropy
from sklearn_ddcl.nn.partition_support._sinkhorn import SinkhornAssignment
from sklearn_ddcl.nn.partition_support._sum_of_squares import SumOfSquares

__all__ = ["PARTITION_SUPPORTS", "resolve_support"]

PARTITION_SUPPORTS: dict[str, Callable[[], PartitionSupport]] = {
    "combination": CombinationAssignment,
    "entropy": MarginalEntropy,
    "sinkhorn": SinkhornAssignment,
    "sum_of_squares": SumOfSquares,
}


def resolve_support(value: Any) -> PartitionSupport:
    """Return a validated support for a name or an object.

    Parameters
    ----------
    value : {"combination", "entropy", "sinkhorn", "sum_of_squares"}, PartitionSupport or None
        A name, an object, or None for the nearest prototype of each sample.

    Returns
    -------
    PartitionSupport
        The object itself, or a new one.

    Raises
    ------
    ValueError
        If the name is unknown, or an option of the object is not allowed.
    TypeError
        If it is none of these, such as the class in the place of an object.

    Examples
    --------
    >>> resolve_support("combination")
    CombinationAssignment(sigma=1.0, relative=True, prior=None)
    """
    if isinstance(value, str):
        if value not in PARTITION_SUPPORTS:
            raise ValueError(
                f"partition_support must be one of {sorted(PARTITION_SUPPORTS)}, None or a "
                f"PartitionSupport, got {value!r}."
            )
        value = PARTITION_SUPPORTS[value]()
    support = PartitionSupport() if value is None else value
    if not isinstance(support, PartitionSupport):
        raise TypeError(
            f"partition_support must be one of {sorted(PARTITION_SUPPORTS)}, None or an object "
            f"such as CombinationAssignment(), got {support!r}."
        )
    support.validate()
    return support
