"""The rule that keeps prototypes bounded under the separation term (Remark 3)."""

from typing import Literal

from sklearn_ddcl.nn._checks import check_count, check_real

__all__ = [
    "Reduction",
    "check_coercivity",
    "coercive_quadratic",
    "coercivity_bound",
    "pairs_factor",
    "paper_coercivity_bound",
]

Reduction = Literal["sum", "mean"]

_MARGIN = 2.5  # makes the default 10 eta for two clusters and the mean form


def coercivity_bound(separation: float, n_clusters: int, reduction: Reduction = "mean") -> float:
    r"""Weight that the quadratic term must exceed, exactly.

    .. math:: \eta L_{sep} + \tfrac{\lambda}{2} \|P\|_F^2 \to \infty
              \iff \lambda > 2 \eta k

    for the sum form, and :math:`\lambda > 4 \eta / (k - 1)` for the mean
    form, because :math:`\sum_{i<j} \|p_i - p_j\|^2 = k \|P\|_F^2 -
    \|\sum_j p_j\|^2`, with equality to the first part where the sum is 0.

    Parameters
    ----------
    separation : float
        Weight eta >= 0 of the separation term.
    n_clusters : int
        Number of prototypes k.
    reduction : {"mean", "sum"}, default="mean"
        Form of the separation term.

    Returns
    -------
    float
        The bound; 0 for a single prototype or no separation.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    See Also
    --------
    paper_coercivity_bound : The bound that the paper prints.

    Examples
    --------
    >>> coercivity_bound(0.1, n_clusters=2, reduction="sum")
    0.4
    """
    check_real("separation", separation, at_least=0.0)
    check_count("n_clusters", n_clusters)
    if n_clusters == 1:
        return 0.0
    # k divided by the number of pairs that one unit of the loss averages over
    per_pair = pairs_factor(n_clusters, reduction) / pairs_factor(n_clusters, "sum")
    return 2.0 * separation * n_clusters * per_pair


def paper_coercivity_bound(
    separation: float, n_clusters: int, reduction: Reduction = "mean"
) -> float:
    r"""Bound of Remark 3: :math:`2 \eta \binom{k}{2}`, or :math:`2 \eta` for the mean form.

    Too weak for k = 2 (where the exact bound is twice as large), exact for
    k = 3 and stricter than needed above; nothing in the package relies on it.

    Parameters
    ----------
    separation : float
        Weight eta >= 0 of the separation term.
    n_clusters : int
        Number of prototypes k.
    reduction : {"mean", "sum"}, default="mean"
        Form of the separation term.

    Returns
    -------
    float
        The bound.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> paper_coercivity_bound(0.1, n_clusters=2, reduction="sum")
    0.2
    """
    check_real("separation", separation, at_least=0.0)
    check_count("n_clusters", n_clusters)
    if n_clusters == 1:
        return 0.0
    return 2.0 * separation * pairs_factor(n_clusters, reduction)


def check_coercivity(
    separation: float, quadratic: float, n_clusters: int, reduction: Reduction = "mean"
) -> None:
    """Require weights under which prototypes cannot drift to infinity.

    Parameters
    ----------
    separation : float
        Weight eta >= 0 of the separation term.
    quadratic : float
        Weight lambda >= 0 of the quadratic term.
    n_clusters : int
        Number of prototypes.
    reduction : {"mean", "sum"}, default="mean"
        Form of the separation term.

    Raises
    ------
    ValueError
        If ``separation > 0`` and ``quadratic`` does not exceed
        :func:`coercivity_bound`, or an argument is out of its range.

    Examples
    --------
    >>> check_coercivity(separation=0.01, quadratic=0.1, n_clusters=10)
    """
    check_real("quadratic", quadratic, at_least=0.0)
    bound = coercivity_bound(separation, n_clusters, reduction)
    if bound > 0.0 and quadratic <= bound:
        raise ValueError(
            f"quadratic must be > {bound:g} for separation={separation!r} and "
            f"n_clusters={n_clusters} (separation as a {reduction} over pairs), got "
            f"{quadratic!r}: the separation term has no lower bound of its own and "
            f"would drive the prototypes to infinity. Leave quadratic out to have it "
            f"set to {coercive_quadratic(separation, n_clusters, reduction):g}."
        )


def coercive_quadratic(separation: float, n_clusters: int, reduction: Reduction = "mean") -> float:
    """Return a weight of the quadratic term that keeps the prototypes bounded.

    Parameters
    ----------
    separation : float
        Weight eta >= 0 of the separation term.
    n_clusters : int
        Number of prototypes.
    reduction : {"mean", "sum"}, default="mean"
        Form of the separation term.

    Returns
    -------
    float
        2.5 times :func:`coercivity_bound`; in the mean form that is
        ``10 eta / (k - 1)``. 0 without separation.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> coercive_quadratic(0.1, n_clusters=2)
    1.0
    """
    return _MARGIN * coercivity_bound(separation, n_clusters, reduction)


def pairs_factor(n_clusters: int, reduction: Reduction) -> float:
    """Factor from the mean over pairs of prototypes to a reduction.

    Parameters
    ----------
    n_clusters : int
        Number of prototypes k.
    reduction : {"mean", "sum"}
        The reduction asked for.

    Returns
    -------
    float
        1 for the mean, k (k - 1) / 2 for the sum.

    Raises
    ------
    ValueError
        If ``reduction`` is unknown.

    Examples
    --------
    >>> pairs_factor(4, "sum")
    6.0
    """
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction must be 'sum' or 'mean', got {reduction!r}.")
    return 1.0 if reduction == "mean" else n_clusters * (n_clusters - 1) / 2.0
