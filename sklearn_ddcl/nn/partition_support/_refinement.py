"""Moves of single samples that lower what combination assignment minimises."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import gammaln
from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix, check_real
from sklearn_ddcl.nn.numerics import normalize_weights
from sklearn_ddcl.nn.partition_support._prior import relative_prior

__all__ = ["check_labels", "refine_combination"]

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
    :math:`n_a` and :math:`n_b + 1`. In each round the best moves
    between clusters that no better move of the round changes are made, until
    there is none. What is found cannot be bettered by moving any one sample.

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
    n, k = distances.shape
    d = distances.detach().cpu().double().numpy()
    w = np.ones(n)
    if weight is not None:
        w = n * normalize_weights(weight.detach().cpu(), n, torch.from_numpy(d)).numpy()
    unit = max(float(np.abs(d).max()), sigma) or 1.0  # no overflow below
    found = labels.cpu().numpy().copy()
    costs = w[:, None] * (d / unit - 2.0 * (sigma / unit) * np.log(relative_prior(prior, k)))
    _descend(costs, found, 2.0 * (sigma / unit), w)
    return torch.from_numpy(found).to(labels.device)


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


def _descend(costs: np.ndarray, labels: np.ndarray, slope: float, w: np.ndarray) -> None:
    """Make moves until none is left; labels are changed in place."""
    n, k = costs.shape
    rows = np.arange(n)
    counts = np.bincount(labels, w, minlength=k)
    own = costs[rows, labels]
    least = _LEAST_GAIN * max(1.0, float(np.abs(costs).max()))
    step = w[:1] if (w == w[0]).all() else w[:, None]
    while True:
        here = np.maximum(counts[labels] - w, 0.0)
        leave = own + slope * (gammaln(here + w + 1.0) - gammaln(here + 1.0))
        enter = costs + slope * (gammaln(counts + step + 1.0) - gammaln(counts + 1.0))
        enter[rows, labels] = np.inf
        to = enter.argmin(axis=1)
        gain = leave - enter[rows, to]
        better = np.flatnonzero(gain > least)
        if not len(better):
            return
        free = [True] * k
        for i in better[np.argsort(-gain[better], kind="stable")].tolist():
            a, b = int(labels[i]), int(to[i])
            if free[a] and free[b]:
                free[a] = free[b] = False
                counts[a] -= w[i]
                counts[b] += w[i]
                labels[i], own[i] = b, costs[i, b]
