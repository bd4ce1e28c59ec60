"""Moves of single samples that lower what combination assignment minimises."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix, check_real
from sklearn_ddcl.nn.numerics import normalize_weights
from sklearn_ddcl.nn.partition_support._prior import relative_prior

__all__ = ["check_labels", "lower_objective", "refine_combination"]

_LEAST_GAIN = 1e-12  # relative to the largest cost; less is rounding


def refine_combination(
    distances: Tensor,
    labels: Tensor,
    sigma: float,
    prior: Sequence[float] | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Move samples to other clusters while that lowers the objective of Eq. 5.

    Sample i of weight w costs less in cluster b than in its own cluster a if

    .. math:: w\,(d_{ia} - d_{ib}) + 2 \sigma \left(\log \frac{\Gamma(n_a + 1)}
        {\Gamma(n_a - w + 1)} - \log \frac{\Gamma(n_b + w + 1)}{\Gamma(n_b + 1)}
        + w \log \frac{\pi_b}{\pi_a}\right) > 0,

    where :math:`n_a` counts the sample. For equal weights the quotients are
    :math:`n_a` and :math:`n_b + 1`. In each round every sample's best move is
    found, and those that still gain after the better ones are made. What is
    found in the end cannot be bettered by moving any one sample.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, finite.
    labels : Tensor of shape (n,), int64
        Where to begin, as :func:`combination_assignment` returns it.
    sigma : float
        Variance of all clusters, >= 0, in units of the distances.
    prior : sequence of float of length k, optional
        Numbers in proportion to :math:`\pi`; None for equal ones.
    weight : Tensor of shape (n,), optional
        What a sample adds to its cluster's count, divided by the mean; None
        adds 1.

    Returns
    -------
    Tensor of shape (n,), int64
        Cluster of each sample.

    Raises
    ------
    ValueError
        If ``distances`` is no finite matrix, ``labels`` are none of k clusters,
        or ``sigma``, ``prior`` or ``weight`` is not allowed.

    See Also
    --------
    combination_objective : What is lowered.

    References
    ----------
    L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep Online
    Clustering Collapse without Data Augmentation", AAAI 2024, Eq. 5.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import combination_assignment, refine_combination
    >>> distances = torch.tensor([[0.0, 0.1], [0.2, 9.0]])
    >>> greedy = combination_assignment(distances, sigma=1.0)
    >>> greedy, refine_combination(distances, greedy, sigma=1.0)
    (tensor([0, 0]), tensor([1, 0]))
    """
    check_matrix("distances", distances)
    check_labels(labels, *distances.shape)
    check_real("sigma", sigma, at_least=0.0)
    if not bool(torch.isfinite(distances).all()):
        raise ValueError("distances must be finite, got NaN or an infinity among them.")
    return lower_objective(distances, labels, sigma, prior, weight)


def lower_objective(
    distances: Tensor,
    labels: Tensor,
    sigma: float,
    prior: Sequence[float] | None,
    weight: Tensor | None,
) -> Tensor:
    """Do what :func:`refine_combination` does, of arguments that have been checked.

    Parameters
    ----------
    distances, labels, sigma, prior, weight
        As there.

    Returns
    -------
    Tensor of shape (n,), int64
        Cluster of each sample.

    Examples
    --------
    >>> import torch
    >>> distances = torch.tensor([[0.0, 0.1], [0.2, 9.0]])
    >>> lower_objective(distances, torch.tensor([0, 0]), 1.0, None, None)
    tensor([1, 0])
    """
    d = distances.detach().cpu().double()
    w = None
    if weight is not None:
        w = len(d) * normalize_weights(weight.detach().cpu(), len(d), d)
    unit = max(float(d.abs().max()), sigma) or 1.0  # no overflow below
    slope = 2.0 * (sigma / unit)
    costs = d / unit
    if prior is not None:
        costs -= slope * d.new_tensor(relative_prior(prior, d.shape[1])).log()
    return _descend(costs, labels.cpu().clone(), slope, w).to(labels.device)


def check_labels(labels: Tensor, n_samples: int, n_clusters: int) -> None:
    """Require a cluster for each sample.

    Parameters
    ----------
    labels : Tensor
        What was passed.
    n_samples, n_clusters : int
        Numbers n and k.

    Raises
    ------
    ValueError
        If ``labels`` are not n int64 numbers from 0 to k - 1.

    Examples
    --------
    >>> import torch
    >>> check_labels(torch.tensor([0, 1]), 2, 2)
    """
    if labels.shape != (n_samples,) or labels.dtype != torch.int64:
        raise ValueError(
            f"labels must be int64 of shape ({n_samples},), got {labels.dtype} of "
            f"{tuple(labels.shape)}."
        )
    if n_samples and not 0 <= int(labels.min()) <= int(labels.max()) < n_clusters:
        raise ValueError(
            f"labels must be from 0 to {n_clusters - 1}, got {int(labels.min())} to "
            f"{int(labels.max())}."
        )


def _descend(costs: Tensor, found: Tensor, slope: float, weight: Tensor | None) -> Tensor:
    """Make the moves, in rounds; costs are for a sample of weight 1."""
    n, k = costs.shape
    labels = found.tolist()
    w = [1.0] * n if weight is None else weight.tolist()
    counts = torch.bincount(found, weight, minlength=k).tolist()
    costs = costs if weight is None else costs * weight[:, None]
    own = costs.gather(1, found[:, None])[:, 0]
    largest = 0.0 if weight is None else slope * math.lgamma(n + 1.0)  # its digits bound a gain's
    least = _LEAST_GAIN * max(1.0, float(costs.abs().max()), largest)
    while True:
        entering, leaving = _growths(costs.new_tensor(counts), found, weight)
        least_cost, to = (costs + slope * entering).min(dim=1)
        # that of the own cluster is not positive: entering costs no less than leaving
        gain = own + slope * leaving - least_cost
        better = (gain > least).nonzero()[:, 0]
        better = better[gain.index_select(0, better).argsort(descending=True, stable=True)]
        targets = to.index_select(0, better)
        change = own.index_select(0, better) - costs[better, targets]
        moved = []
        for i, b, saved in zip(better.tolist(), targets.tolist(), change.tolist(), strict=True):
            # earlier moves of the round have changed the counts
            a = labels[i]
            counts[a] = max(counts[a] - w[i], 0.0)
            if saved + slope * (_growth(counts[a], w[i]) - _growth(counts[b], w[i])) > least:
                labels[i], a = b, b
                moved.append(i)
            counts[a] += w[i]
        if not moved:
            return found
        rows = torch.tensor(moved)
        targets = to.index_select(0, rows)
        found.index_copy_(0, rows, targets)
        own.index_copy_(0, rows, costs[rows, targets])


def _growths(size: Tensor, found: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """By how much each cluster's term grows with a sample, and each sample's own grew with it.

    For equal weights, that is with the logarithm of the cluster's count.
    """
    if weight is None:
        return (size + 1.0).log(), size.log()[found]
    here = (size[found] - weight).clamp_min(0.0)
    entering = (size + weight[:, None] + 1.0).lgamma() - (size + 1.0).lgamma()
    return entering, (here + weight + 1.0).lgamma() - (here + 1.0).lgamma()


def _growth(count: float, step: float) -> float:
    """By how much the logarithm of the count's factorial grows by a step."""
    if step == 1.0:
        return math.log(count + 1.0)
    return math.lgamma(count + step + 1.0) - math.lgamma(count + 1.0)
