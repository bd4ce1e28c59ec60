"""Joining prototypes into clusters by the topology they have learned.

Prototypes that win together are neighbours (competitive Hebbian learning). A random
walk over these edges forgets where it began, but slowly where it has to cross a gap:
clusters are the groups of prototypes that keep most of that information.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_matrix
from sklearn_ddcl.nn.numerics import safe_xlogx, wide_dtype

__all__ = [
    "Merges",
    "information_bottleneck",
    "partition_agreement",
    "random_walk",
    "refine_partition",
]

_REFINEMENTS = 50
_CROWDED = 0.75  # share of the rows still there, below which those joined to others are dropped
_BLOCK_ELEMENTS = 1 << 16  # of sums of two rows, held at a time


class Merges(NamedTuple):
    """A bottom-up sequence of merges.

    Attributes
    ----------
    pairs : Tensor of shape (m - 1, 2), int64
        Groups joined by each merge, named by their first member; the second
        joins the first.
    losses : Tensor of shape (m - 1,)
        Information lost by each merge, in nats.
    n_items : int
        Number of items m; there are fewer merges if they were stopped early.
    """

    pairs: Tensor
    losses: Tensor
    n_items: int

    def labels(self, n_clusters: int) -> Tensor:
        """Return the partition into ``n_clusters`` groups.

        Parameters
        ----------
        n_clusters : int
            Number of groups, between that at which the merges stopped and m.

        Returns
        -------
        Tensor of shape (m,), int64
            Group of each item, consecutive from 0 by first member.

        Raises
        ------
        ValueError
            If ``n_clusters`` is out of range.
        """
        check_count("n_clusters", n_clusters, at_least=self.n_items - len(self.pairs))
        if n_clusters > self.n_items:
            raise ValueError(f"n_clusters must be <= {self.n_items}, got {n_clusters}.")
        group = torch.arange(self.n_items)
        for kept, joined in self.pairs[: self.n_items - n_clusters].tolist():
            group[group == joined] = kept
        members: Tensor = group.unique(return_inverse=True)[1]  # type: ignore[no-untyped-call]
        return members


def random_walk(edges: Tensor, n_steps: Sequence[int] = (8, 16, 32, 64)) -> Tensor:
    r"""Return the joint probability of where a lazy random walk begins and ends.

    The walk stays where it is with probability one half, starts in its
    stationary distribution, and takes a number of steps drawn evenly from
    ``n_steps``: short walks see single gaps, long ones the coarse structure.

    Parameters
    ----------
    edges : Tensor of shape (m, m)
        Symmetric, non-negative weights with a zero diagonal, such as those of
        :func:`hebbian_edges`.
    n_steps : sequence of int, default=(8, 16, 32, 64)
        Lengths of the walk, each >= 1.

    Returns
    -------
    Tensor of shape (m, m)
        Symmetric, sums to 1. Items without edges never leave their place and
        have the weight of the weakest item with an edge.

    Raises
    ------
    ValueError
        If ``edges`` is not square, symmetric and non-negative, or a length is
        not positive.

    References
    ----------
    N. Tishby and N. Slonim, "Data clustering by Markovian relaxation and the
    information bottleneck method", NIPS 13 (2000).

    Examples
    --------
    >>> import torch
    >>> random_walk(torch.tensor([[0, 2], [2, 0]]), [1])
    tensor([[0.2500, 0.2500],
            [0.2500, 0.2500]], dtype=torch.float64)
    """
    square = edges.ndim == 2 and edges.shape[0] == edges.shape[1]
    if not square or not torch.equal(edges, edges.T):
        raise ValueError(f"edges must be square and symmetric, got shape {tuple(edges.shape)}.")
    if bool((edges < 0).any()) or bool(edges.diagonal().any()):
        raise ValueError("edges must be non-negative with a zero diagonal.")
    for length in n_steps:
        check_count("n_steps", length)
    weight = edges.to(torch.float64)
    degree = weight.sum(dim=1)
    alone = degree == 0
    degree[alone] = degree[~alone].min() if bool((~alone).any()) else 1.0
    weight = weight + torch.diag(torch.where(alone, degree, 0.0))
    step = 0.5 * (weight / degree[:, None] + torch.eye(len(weight)).to(weight))
    power, done, total = step, 1, torch.zeros_like(step)
    for length in sorted(n_steps):
        power = power @ torch.linalg.matrix_power(step, length - done) if length > done else power
        done, total = length, total + power
    joint = (degree / degree.sum())[:, None] * total / len(n_steps)
    return 0.5 * (joint + joint.T)


def information_bottleneck(joint: Tensor, n_clusters: int = 1) -> Merges:
    r"""Join rows bottom-up, each time at the least loss of mutual information.

    Joining a and b loses :math:`(p_a + p_b)\,JS(p(\cdot|a), p(\cdot|b))`, the
    Jensen-Shannon divergence of what the rows say about the columns.

    Parameters
    ----------
    joint : Tensor of shape (m, c)
        Joint probabilities of rows and columns, non-negative. Computed in its
        own type: float32 is twice as fast and ranks merges as well.
    n_clusters : int, default=1
        Number of groups at which to stop.

    Returns
    -------
    Merges
        The merges in order: m - 1, or those down to ``n_clusters`` groups.

    Raises
    ------
    ValueError
        If ``joint`` is no matrix, has a negative or non-finite entry, or has
        fewer than one row; or ``n_clusters`` is not positive.

    References
    ----------
    N. Slonim and N. Tishby, "Agglomerative information bottleneck", NIPS 12
    (1999).

    Examples
    --------
    >>> import torch
    >>> joint = torch.tensor([[0.3, 0.0], [0.2, 0.0], [0.0, 0.5]])
    >>> information_bottleneck(joint).labels(2)
    tensor([0, 0, 1])
    """
    check_matrix("joint", joint)
    if not bool(torch.isfinite(joint).all()) or bool((joint < 0).any()):
        raise ValueError("joint must be finite and non-negative.")
    check_count("n_clusters", n_clusters)
    rows = joint.detach().clone()
    n_items = rows.shape[0]
    names, held = list(range(n_items)), _information(rows)
    cost = _all_merge_costs(rows, held)
    pairs, losses = [], []
    for left in range(n_items - 1, n_clusters - 1, -1):
        first = int(cost.amin(dim=1).argmin())  # in two steps: quicker than over all entries
        second = int(cost[first].argmin())
        pairs.append((names[first], names[second]))
        losses.append(cost[first, second].clamp_min(0.0))
        rows[first] += rows[second]
        held[first], held[second] = _information(rows[first]), torch.inf  # no merge with it
        cost[first] = cost[:, first] = _merge_costs(rows, held, first)
        cost[second] = cost[:, second] = torch.inf
        if left < _CROWDED * len(names):
            kept = held.isfinite().nonzero()[:, 0]
            rows, held, cost = rows[kept], held[kept], cost[kept][:, kept]
            names = [names[place] for place in kept.tolist()]
    merges = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    lost = torch.stack(losses) if losses else rows.new_zeros(0)
    return Merges(merges, lost, n_items)


def refine_partition(joint: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """Move rows to the group whose distribution theirs is nearest to.

    Lloyd's alternation with the Kullback-Leibler divergence, which never
    loses information; a group is never emptied.

    Parameters
    ----------
    joint : Tensor of shape (m, c)
        Joint probabilities.
    labels : Tensor of shape (m,), int64
        A partition with every group in use.
    n_clusters : int
        Number of groups.

    Returns
    -------
    Tensor of shape (m,), int64
        A partition that holds at least as much information.

    Raises
    ------
    ValueError
        If ``labels`` does not fit ``joint`` or is out of range.

    References
    ----------
    I. Dhillon, S. Mallela and D. Modha, "Information-theoretic
    co-clustering", KDD (2003).

    Examples
    --------
    >>> import torch
    >>> joint = torch.tensor([[0.3, 0.0], [0.2, 0.0], [0.1, 0.4]])
    >>> refine_partition(joint, torch.tensor([0, 1, 1]), 2)
    tensor([0, 0, 1])
    """
    check_matrix("joint", joint)
    check_count("n_clusters", n_clusters)
    if labels.shape != joint.shape[:1] or labels.dtype != torch.int64:
        raise ValueError(f"labels must be {joint.shape[0]} int64, got {tuple(labels.shape)}.")
    if bool((labels < 0).any()) or bool((labels >= n_clusters).any()):
        raise ValueError(f"labels must lie in [0, {n_clusters}).")
    joint = joint.to(wide_dtype(joint))
    tiny = torch.finfo(joint.dtype).tiny
    for _ in range(_REFINEMENTS):
        groups = joint.new_zeros(n_clusters, joint.shape[1]).index_add_(0, labels, joint)
        groups = groups / groups.sum(dim=1, keepdim=True).clamp_min(tiny)
        moved = (joint @ groups.clamp_min(1e-12).log().T).argmax(dim=1)
        if torch.equal(moved, labels) or int(
            (torch.bincount(moved, minlength=n_clusters) == 0).sum()
        ):
            break
        labels = moved
    return labels


def partition_agreement(first: Tensor, second: Tensor) -> float:
    """Return the adjusted Rand index of two partitions of the same items.

    Parameters
    ----------
    first, second : Tensor of shape (n,), int64
        Non-negative group numbers.

    Returns
    -------
    float
        1 for equal partitions, about 0 for independent ones.

    Raises
    ------
    ValueError
        If the partitions are not index vectors of one length.

    References
    ----------
    L. Hubert and P. Arabie, "Comparing partitions", Journal of Classification
    2, 193-218 (1985).

    Examples
    --------
    >>> import torch
    >>> partition_agreement(torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0]))
    1.0
    """
    if first.ndim != 1 or first.shape != second.shape or first.dtype != torch.int64:
        raise ValueError(
            f"first and second must be int64 vectors of one length, got shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    columns = int(second.max()) + 1 if len(second) else 1
    table = torch.bincount(first * columns + second)
    sums = torch.bincount(first), torch.bincount(second)
    both, rows, cols = (_pairs(counts) for counts in (table, *sums))
    expected = rows * cols / max(_pairs(torch.tensor([len(first)])), 1.0)
    most = 0.5 * (rows + cols)
    return 1.0 if most == expected else (both - expected) / (most - expected)


def _pairs(counts: Tensor) -> float:
    wide = counts.to(torch.float64)
    return float((wide * (wide - 1.0)).sum()) / 2.0


def _information(rows: Tensor) -> Tensor:
    """For every row a: sum over y of p(a, y) log p(y | a)."""
    return safe_xlogx(rows).sum(dim=-1) - safe_xlogx(rows.sum(dim=-1))


def _merge_costs(rows: Tensor, held: Tensor, i: int) -> Tensor:
    """Information lost by joining row i with each row; infinite with itself."""
    cost = held[i] + held - _information(rows + rows[i])
    cost[i] = torch.inf
    return cost


def _all_merge_costs(rows: Tensor, held: Tensor) -> Tensor:
    """Information lost by joining any two rows, each pair computed once."""
    n_rows = len(rows)
    cost = rows.new_empty(n_rows, n_rows)
    height = max(_BLOCK_ELEMENTS // rows.numel(), 1)
    for start in range(0, n_rows, height):
        part = slice(start, start + height)
        joined = rows[part, None] + rows[start:]
        block = held[part, None] + held[start:] - _information(joined)
        cost[part, start:], cost[start:, part] = block, block.T
    return cost.fill_diagonal_(torch.inf)
