"""From many prototypes to clusters: restarts, their topology, and the partition most agree on."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._data import Rows, wrap_rows
from sklearn_ddcl.engine._edges import winning_pairs
from sklearn_ddcl.engine._lloyd import quick_descent
from sklearn_ddcl.nn.initialization import kmeans_plusplus
from sklearn_ddcl.nn.joining import (
    Merges,
    information_bottleneck,
    partition_agreement,
    random_walk,
    refine_partition,
)
from sklearn_ddcl.nn.numerics import safe_xlogx
from sklearn_ddcl.nn.topology import hebbian_edges

__all__ = ["RESTARTS", "JoinedPrototypes", "join_prototypes", "seed_prototypes"]

RESTARTS = 9  # each resolution three times

_PASSES = 30
_TOLERANCE = 1e-3
_STARTS, _FEW = 10, 50  # few prototypes settle in poor places, and settle fast
_MOST_CLUSTERS = 25  # the largest number considered where the topology decides
# Restarts see the topology at several resolutions, walks at several scales: no single one
# of them is right for all data, but the right partition is there at most.
_RESOLUTIONS = (1.0, 0.6, 1.4)
_WALKS = (8, 24, 72)
_ATOMS = 8  # groups a cluster that the shortest walk makes, for the longer ones to join


class JoinedPrototypes(NamedTuple):
    """Prototypes and the clusters they belong to.

    Attributes
    ----------
    prototypes : ndarray of shape (m, d)
        In the coordinates and dtype of the features.
    labels : ndarray of shape (m,), int64
        Cluster of each prototype, consecutive from 0.
    agreement : float
        Mean adjusted Rand index of this partition of the rows with those of
        the other restarts and walks; 1 without any.
    gaps : dict of int to float
        For every number of clusters considered: how much more information the
        next merge loses than the one before, a factor; the larger, the more
        that number stands out.
    agreements : dict of int to float
        The agreement by number of clusters: of all considered where the number
        was not given, else of that one.
    """

    prototypes: np.ndarray
    labels: np.ndarray
    agreement: float
    gaps: dict[int, float]
    agreements: dict[int, float]


class _Choice(NamedTuple):
    p: Tensor
    labels: Tensor
    agreement: float


class _Restart(NamedTuple):
    p: Tensor
    winners: Tensor
    atoms: Tensor
    joints: list[Tensor]
    merges: list[Merges]


def join_prototypes(
    features: np.ndarray,
    weight: np.ndarray | None,
    n_clusters: int | None,
    first: np.ndarray,
    n_restarts: int,
    device: torch.device,
    generator: torch.Generator,
) -> JoinedPrototypes:
    """Join prototypes into clusters, and keep an even one of the partitions most agree on.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Latent features of the rows.
    weight : ndarray of shape (n,) or None
        Sample weights.
    n_clusters : int or None
        Number of clusters; None takes the one of the largest product of its
        gap's logarithm and its agreement: a gap says how much a number stands
        out, the agreement whether other restarts find the same clusters.
    first : ndarray of shape (m, d)
        Prototypes of the first restart.
    n_restarts : int
        Sets of prototypes to try, >= 1, of 0.6 to 1.4 times as many.
    device : torch.device
        Where to compute.
    generator : torch.Generator
        Source of the other restarts' seeds.

    Returns
    -------
    JoinedPrototypes
        Of the partitions whose agreement is within a standard error of the
        highest, the one of the most even clusters.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine import join_prototypes
    >>> z = np.r_[np.linspace(0, 1, 50), np.linspace(5, 6, 50)][:, None]
    >>> found = join_prototypes(
    ...     z, None, 2, z[::10], 1, torch.device("cpu"), torch.Generator().manual_seed(0))
    >>> found.labels
    array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    """
    rows = wrap_rows(features, weight, device)
    starts = [torch.from_numpy(first)]
    for number in range(1, n_restarts):
        size = round(_RESOLUTIONS[number % len(_RESOLUTIONS)] * len(first))
        size = min(max(size, n_clusters or 2), len(features))
        starts.append(torch.from_numpy(features[_seeds(features, weight, size, generator)]))
    atoms = _ATOMS * (n_clusters or _MOST_CLUSTERS)
    restarts = [_restart(rows, rows.frame.from_data(p.to(device)), atoms) for p in starts]
    gaps = _gaps([merges for restart in restarts for merges in restart.merges])
    numbers = list(gaps) or [1]
    choices = {k: _choice(restarts, k) for k in ([n_clusters] if n_clusters else numbers)}
    agreements = {k: choice.agreement for k, choice in choices.items()}
    p, labels, agreement = choices[max(agreements, key=lambda k: _merit(k, gaps, agreements))]
    prototypes = rows.frame.to_data(p).cpu().numpy().astype(features.dtype)
    return JoinedPrototypes(prototypes, labels.cpu().numpy(), agreement, gaps, agreements)


def seed_prototypes(
    features: np.ndarray, weight: np.ndarray | None, n_prototypes: int, generator: torch.Generator
) -> np.ndarray:
    """Choose first prototypes among the rows by k-means++ and settle them.

    Of up to 50 prototypes ten sets are tried, and the one of least inertia is kept.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        Latent features.
    weight : ndarray of shape (n,) or None
        Sample weights.
    n_prototypes : int
        Number m, at most n.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (m, d)
        Prototypes after a short hard descent.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine import seed_prototypes
    >>> z = np.array([[0.0], [1.0], [8.0], [9.0]])
    >>> np.sort(seed_prototypes(z, None, 2, torch.Generator().manual_seed(0)), axis=0)
    array([[0.5],
           [8.5]])
    """
    rows = wrap_rows(features, weight, torch.device("cpu"))
    found = []
    for _ in range(_STARTS if n_prototypes <= _FEW else 1):
        start = torch.from_numpy(features[_seeds(features, weight, n_prototypes, generator)])
        p = rows.frame.from_data(start)
        found.append(quick_descent(rows, p, _TOLERANCE, _PASSES))
    best = min(found, key=lambda descent: descent.inertia)
    return rows.frame.to_data(best.p).numpy().astype(features.dtype)


def _seeds(
    features: np.ndarray, weight: np.ndarray | None, size: int, generator: torch.Generator
) -> np.ndarray:
    w = None if weight is None else torch.from_numpy(weight.astype(features.dtype))
    z = torch.from_numpy(np.array(features, copy=not features.flags.writeable or None))
    index = kmeans_plusplus(z, size, generator, w, n_local_trials=1)
    found: np.ndarray = index.numpy()
    return found


def _restart(rows: Rows, p: Tensor, n_atoms: int) -> _Restart:
    """Settle prototypes, drop unused ones, and follow their topology to the top."""
    p = quick_descent(rows, p, _TOLERANCE, _PASSES).p
    first, second = winning_pairs(rows, p)
    used = torch.unique(first)
    if 1 < len(used) < len(p):
        p = p[used]
        first, second = winning_pairs(rows, p)
    if len(p) < 2:
        joint = torch.zeros(1, 1, device=p.device)
        atoms = torch.zeros(1, dtype=torch.int64, device=p.device)
        return _Restart(p, first, atoms, [joint], [information_bottleneck(joint)])
    edges = hebbian_edges(first, second, len(p), rows.weight)
    joints = [random_walk(edges, [steps]).float() for steps in _WALKS]
    n_atoms = min(n_atoms, len(p))
    atoms = information_bottleneck(joints[0], n_atoms).labels(n_atoms).to(p.device)
    coarse = [joint.new_zeros(n_atoms, len(p)).index_add_(0, atoms, joint) for joint in joints]
    return _Restart(p, first, atoms, joints, [information_bottleneck(joint) for joint in coarse])


def _partitions(restart: _Restart, n_clusters: int) -> list[tuple[Tensor, Tensor]]:
    """For every walk the clusters of the prototypes and of the rows."""
    k = min(n_clusters, restart.merges[0].n_items)
    found = []
    for joint, merges in zip(restart.joints, restart.merges, strict=True):
        labels = refine_partition(joint, merges.labels(k).to(joint.device)[restart.atoms], k)
        found.append((labels, labels[restart.winners]))
    return found


def _choice(restarts: list[_Restart], n_clusters: int) -> _Choice:
    """Of the partitions of all restarts and walks the others agree with most, the most even."""
    found, owners = [], []
    for number, restart in enumerate(restarts):
        for pair in _partitions(restart, n_clusters):
            found.append((restart.p, *pair))
            owners.append(number)
    table = _agreements([vote for _, _, vote in found])
    chosen = max(_undecided(table, np.array(owners)), key=lambda i: _evenness(found[i][2]))
    others = len(found) - 1
    agreement = (float(table[chosen].sum()) - 1.0) / others if others else 1.0
    return _Choice(*found[chosen][:2], agreement)


def _undecided(table: np.ndarray, owners: np.ndarray) -> list[int]:
    """Partitions whose agreement is within a standard error of the highest, over restarts.

    Walks of one restart share its prototypes: only the restarts are independent. A partition
    agrees with itself fully in any case, which cancels in the difference of two.
    """
    best = int(table.sum(axis=1).argmax())
    numbers = np.unique(owners)
    if len(numbers) < 2:
        return [best]
    means = np.stack([table[:, owners == number].mean(axis=1) for number in numbers], axis=1)
    less = means[best] - means
    error = less.std(axis=1, ddof=1) / math.sqrt(len(numbers))
    near: list[int] = np.flatnonzero(less.mean(axis=1) <= error).tolist()
    return near


def _evenness(labels: Tensor) -> float:
    """Entropy of the clusters' shares of the rows."""
    return -float(safe_xlogx(torch.bincount(labels).double() / len(labels)).sum())


def _merit(k: int, gaps: dict[int, float], agreements: dict[int, float]) -> float:
    """How much a number of clusters stands out, times how far restarts agree on the clusters."""
    return math.log(max(gaps.get(k, 1.0), 1e-12)) * max(agreements[k], 0.0)


def _gaps(paths: list[Merges]) -> dict[int, float]:
    """For each k the median over restarts and walks of loss(k -> k - 1) / loss(k + 1 -> k)."""
    fewest = min(len(path.losses) for path in paths) + 1
    gaps = {}
    for k in range(2, min(_MOST_CLUSTERS, fewest - 1) + 1):
        ratios = [
            float(path.losses[-k + 1]) / max(float(path.losses[-k]), 1e-12) for path in paths
        ]
        gaps[k] = float(np.median(ratios))
    return gaps


def _agreements(votes: list[Tensor]) -> np.ndarray:
    table = np.ones((len(votes), len(votes)))
    for i, j in zip(*np.triu_indices(len(votes), 1), strict=True):
        table[i, j] = table[j, i] = partition_agreement(votes[i].cpu(), votes[j].cpu())
    return table
