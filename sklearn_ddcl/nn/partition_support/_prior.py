"""Expected shares of the clusters, where they are not equal."""

import math
from collections.abc import Sequence

from sklearn_ddcl.nn._checks import check_real

__all__ = ["check_prior", "relative_prior"]


def relative_prior(prior: Sequence[float] | None, n_clusters: int) -> list[float]:
    r"""Return each cluster's expected share over that of equal clusters.

    Parameters
    ----------
    prior : sequence of float or None
        Positive numbers in proportion to :math:`p(Y = j)`; None for equal ones.
    n_clusters : int
        Number of clusters k.

    Returns
    -------
    list of float
        :math:`k\, p(Y = j)`, of mean 1.

    Raises
    ------
    ValueError
        If a number is not positive and finite, or there are not k of them.

    Examples
    --------
    >>> relative_prior([1, 3], 2)
    [0.5, 1.5]
    """
    if prior is None:
        return [1.0] * n_clusters
    check_prior(prior)
    values = [float(value) for value in prior]
    if len(values) != n_clusters:
        raise ValueError(
            f"prior must have one number for each of the {n_clusters} clusters, got {len(values)}."
        )
    largest = max(values)  # the sum of large numbers could overflow
    shares = [value / largest for value in values]
    mean = math.fsum(shares) / n_clusters
    return [max(share / mean, math.ulp(0.0)) for share in shares]


def check_prior(prior: Sequence[float] | None) -> None:
    """Require positive numbers, if any.

    Parameters
    ----------
    prior : sequence of float or None
        What was passed.

    Raises
    ------
    ValueError
        If it is no sequence of positive finite numbers.

    Examples
    --------
    >>> check_prior([0.2, 0.8])
    """
    if prior is None:
        return
    if isinstance(prior, str) or not hasattr(prior, "__len__") or len(prior) == 0:
        raise ValueError(f"prior must be None or a sequence of positive numbers, got {prior!r}.")
    for number, value in enumerate(prior):
        check_real(f"prior[{number}]", value, above=0.0)
