"""Combination assignment: hard labels of a batch under a prior on how often each occurs."""

import heapq
import math
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_flag, check_matrix, check_real
from sklearn_ddcl.nn.numerics import normalize_weights, wide_dtype
from sklearn_ddcl.nn.partition_support._base import (
    PartitionSupport,
    absolute_scale,
)
from sklearn_ddcl.nn.partition_support._prior import check_prior, relative_prior
from sklearn_ddcl.nn.partition_support._refinement import check_labels, lower_objective

__all__ = ["CombinationAssignment", "combination_assignment", "combination_objective"]


class CombinationAssignment(PartitionSupport):
    r"""Combination assignment: hard labels, and none too often.

    Algorithm 1 of [1]_. Of all pairs of an unassigned sample and a cluster, the
    one with the least
    :math:`\|z_i - \mu_j\|^2 + 2 \sigma \log(n_j + 1)` (Eq. 6) is assigned, until
    no sample is left; :math:`n_j` counts the samples of the batch that cluster j
    has by then.

    Parameters
    ----------
    sigma : float, default=0.5
        Isotropic variance of all clusters, > 0: the larger, the more even the
        batch. Assignments for :math:`\sigma \to 0` are to the nearest prototype.
        Much less than the default lets clusters die, much more assigns samples
        to far prototypes.
    relative : bool, default=True
        Whether ``sigma`` is a multiple of the mean of all squared distances
        between the batch's samples and the prototypes (`mean_distance`); else
        it is a squared distance, as in the paper.
    prior : sequence of float of length k, optional
        Numbers in proportion to the expected sizes of the clusters; None for
        equal ones, as in the paper.
    refine : bool, default=True
        Whether single samples are then moved while that lowers the objective of
        Eq. 5 (`refine_combination`): what the greedy rule assigns last may have
        been left far clusters only. False is the algorithm as in the paper.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> import torch
    >>> distances = torch.tensor([[0.0, 1.0], [0.1, 1.0], [0.2, 1.0]])
    >>> CombinationAssignment(sigma=1.0).targets(distances)
    tensor([[1., 0.],
            [1., 0.],
            [0., 1.]])
    """

    def __init__(
        self,
        sigma: float = 0.5,
        relative: bool = True,
        prior: Sequence[float] | None = None,
        refine: bool = True,
    ) -> None:
        self.sigma = sigma
        self.relative = relative
        self.prior = prior
        self.refine = refine

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        check_real("sigma", self.sigma, above=0.0)
        check_flag("relative", self.relative)
        check_prior(self.prior)
        check_flag("refine", self.refine)

    def targets(self, distances: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return one-hot rows; a sample counts as often as its weight, of mean 1, says."""
        sigma = absolute_scale(self.sigma, self.relative, distances, weight)
        labels = combination_assignment(distances, sigma, self.prior, weight)
        if self.refine:
            labels = lower_objective(distances, labels, sigma, self.prior, weight)
        hard = torch.zeros_like(distances)
        return hard.scatter_(1, labels.unsqueeze(1), 1.0)


def combination_assignment(
    distances: Tensor,
    sigma: float,
    prior: Sequence[float] | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Assign a batch greedily (Algorithm 1, Eq. 6 of the hard-regularisation paper).

    In each round the pair of least cost

    .. math:: c_{ij} = \|z_i - \mu_j\|^2 + 2 \sigma \log \frac{n_j + 1}{k \pi_j}

    is assigned, with i among the samples that are left and :math:`n_j` the
    number that cluster j has so far. With the equal prior
    :math:`\pi_j = 1 / k` of the paper the denominator is 1.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, finite.
    sigma : float
        Variance of all clusters, >= 0, in units of the distances.
    prior : sequence of float of length k, optional
        Numbers in proportion to :math:`\pi`; None for equal ones.
    weight : Tensor of shape (n,), optional
        What a sample adds to its cluster's :math:`n_j`, divided by the mean; None
        adds 1.

    Returns
    -------
    Tensor of shape (n,), int64
        Cluster of each sample.

    Raises
    ------
    ValueError
        If ``distances`` is no finite matrix, or ``sigma``, ``prior`` or ``weight``
        is not allowed.

    Notes
    -----
    Of equal costs the pair of the smaller distance is taken, then that of the
    lower sample, then that of the lower cluster. A choice changes the costs of
    one cluster, all by the same amount, so that the order of a cluster's samples
    never changes: they are sorted once, and a heap holds the best of each
    cluster. That takes O(n k log n) for all rounds together, instead of the
    O(n^2 k) of a search through all pairs in each. Costs are in float64.

    Examples
    --------
    >>> import torch
    >>> distances = torch.tensor([[0.0, 1.0], [0.1, 1.0], [0.2, 1.0]])
    >>> combination_assignment(distances, sigma=0.1)
    tensor([0, 0, 0])
    >>> combination_assignment(distances, sigma=1.0)
    tensor([0, 1, 0])
    """
    check_matrix("distances", distances)
    check_real("sigma", sigma, at_least=0.0)
    if not bool(torch.isfinite(distances).all()):
        raise ValueError("distances must be finite, got NaN or an infinity among them.")
    n, k = distances.shape
    offsets = [-math.log(share) for share in relative_prior(prior, k)]
    steps = None
    if weight is not None:
        wide = weight.to(wide_dtype(distances))
        steps = (normalize_weights(wide, n, wide) * n).tolist()
    slope = min(2.0 * sigma, sys.float_info.max)
    labels = _greedy(*_sorted_columns(distances), slope, offsets, steps)
    return torch.tensor(labels, device=distances.device)


def _sorted_columns(distances: Tensor) -> tuple[list[list[float]], list[list[int]]]:
    """Sort each cluster's distances, equal ones by row, and return them and their rows."""
    columns = distances.detach().T.cpu().double().contiguous()
    order = columns.numpy().argsort(axis=1)  # vectorised, unlike a stable sort
    values = columns.gather(1, torch.from_numpy(order))
    tied = (values[:, 1:] == values[:, :-1]).any(dim=1).numpy()
    order[tied] = columns.numpy()[tied].argsort(axis=1, kind="stable")
    return values.tolist(), order.tolist()


def _greedy(
    values: list[list[float]],
    rows: list[list[int]],
    slope: float,
    offsets: list[float],
    steps: list[float] | None,
) -> list[int]:
    """Run the rounds on each cluster's sorted distances; plain lists, as tensors cost 5 us."""
    k, n = len(values), len(values[0])
    labels, counts, places = [-1] * n, [1.0] * k, [0] * k
    heap = [(values[j][0] + slope * offsets[j], values[j][0], rows[j][0], j) for j in range(k)]
    heapq.heapify(heap)
    log, replace, left = math.log, heapq.heapreplace, n
    while True:
        _, _, i, j = heap[0]
        if labels[i] < 0:
            labels[i] = j
            left -= 1
            if not left:
                return labels
            counts[j] += 1.0 if steps is None else steps[i]
        # a sample that another cluster took leaves a bound from below, which is put right here
        place, column = places[j], rows[j]
        while labels[column[place]] >= 0:
            place += 1
        places[j] = place
        distance = values[j][place]
        cost = distance + slope * (log(counts[j]) + offsets[j])
        replace(heap, (cost, distance, column[place], j))


def combination_objective(
    distances: Tensor, labels: Tensor, sigma: float, prior: Sequence[float] | None = None
) -> float:
    r"""Evaluate what combination assignment minimises approximately (Eq. 4 and 5).

    .. math:: \sum_i \|z_i - \mu_{k_i}\|^2
              + 2 \sigma \sum_j \bigl(\log n_j! - n_j \log (k \pi_j)\bigr)

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.
    labels : Tensor of shape (n,), int64
        Cluster of each sample.
    sigma : float
        Variance of all clusters, >= 0, in units of the distances.
    prior : sequence of float of length k, optional
        Numbers in proportion to :math:`\pi`; None for equal ones, for which the
        last term is 0.

    Returns
    -------
    float
        The objective, a squared distance.

    Raises
    ------
    ValueError
        If shapes do not fit, or ``sigma`` or ``prior`` is not allowed.

    Examples
    --------
    >>> import torch
    >>> distances = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    >>> round(combination_objective(distances, torch.tensor([0, 0]), sigma=1.0), 4)
    1.3863
    >>> combination_objective(distances, torch.tensor([0, 1]), sigma=1.0)
    1.0
    """
    check_matrix("distances", distances)
    check_real("sigma", sigma, at_least=0.0)
    n, k = distances.shape
    check_labels(labels, n, k)
    chosen = distances.double().gather(1, labels.unsqueeze(1)).sum()
    shares = relative_prior(prior, k)
    counts = torch.bincount(labels, minlength=k).tolist()
    entropy = math.fsum(
        math.lgamma(count + 1) - count * math.log(share)
        for count, share in zip(counts, shares, strict=True)
    )
    return float(chosen) + 2.0 * sigma * entropy
