"""What a fitted model says about rows: nearest prototypes, distances, soft assignments."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._blocks import Block
from sklearn_ddcl.engine._frame import Frame
from sklearn_ddcl.engine._groups import check_groups, min_by_group, sum_by_group
from sklearn_ddcl.engine._passes import first_winner, softmax_over_prototypes
from sklearn_ddcl.engine._scan import Model, scan

__all__ = [
    "NearestSets",
    "NearestTwo",
    "assignments",
    "distances",
    "nearest",
    "nearest_sets",
    "nearest_two",
]


# A squared distance this small against a row's largest is summed anew from differences:
# as a difference of large numbers it would have lost half its digits.
_SMALL = 1e-2


class NearestTwo(NamedTuple):
    """Labels with distances to the first and the second winner.

    Attributes
    ----------
    labels : ndarray of shape (n,), int32
        Nearest prototypes, or their groups.
    first, second : ndarray of shape (n,)
        Distances to them and to the nearest prototype otherwise, of another
        group; ``second`` is infinite where there is none.
    """

    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


def nearest(
    data: Any, prototypes: np.ndarray, device: str = "auto", *, check_finite: bool = False
) -> np.ndarray:
    """Return the nearest prototype of each row.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Rows, float32 or float64, finite unless ``check_finite``.
    prototypes : ndarray of shape (k, d)
        Prototypes.
    device : str
        Device name or "auto".
    check_finite : bool, default=False
        Whether to look out for scores that are not finite. A row with a NaN or
        an infinity has no other scores, so that this costs no pass over the
        data.

    Returns
    -------
    ndarray of shape (n,), int32
        Index of the nearest prototype.

    Raises
    ------
    FloatingPointError
        If ``check_finite`` and a score is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import nearest
    >>> nearest(np.array([[0.0], [9.0]]), np.array([[1.0], [8.0]]))
    array([0, 1], dtype=int32)
    """
    labels = np.empty(data.shape[0], dtype=np.int32)

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        value, winner = first_winner(scores)
        if check_finite and not math.isfinite(float(value.sum())):
            raise FloatingPointError("A score is not finite.")
        labels[part] = winner.cpu().numpy()

    scan(data, prototypes, device, _write)
    return labels


class NearestSets(NamedTuple):
    """The Voronoi sets of frozen prototypes.

    Attributes
    ----------
    labels : ndarray of shape (n,), int32
        Nearest prototypes.
    mass : ndarray of shape (k,)
        Weight of each set.
    inertia : float
        Weighted sum of squared distances, in squared units of the data.
    """

    labels: np.ndarray
    mass: np.ndarray
    inertia: float


def nearest_sets(
    data: Any, prototypes: np.ndarray, weight: np.ndarray | None, device: str = "auto"
) -> NearestSets:
    """Return what `nearest` does, with weights and inertia.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (k, d)
        Prototypes.
    weight : ndarray of shape (n,) or None
        Non-negative weights.
    device : str
        Device name or "auto".

    Returns
    -------
    NearestSets
        Labels, weights of the sets, and the inertia summed from differences:
        a difference of large sums would lose a small one to rounding.
    """
    labels = np.empty(data.shape[0], dtype=np.int32)
    mass = np.zeros(len(prototypes))
    parts: list[float] = []

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        value, winner = first_winner(scores)
        gaps = block.gaps(model.frame, model.p, winner, value).cpu().double().numpy()
        labels[part] = winner.cpu().numpy()
        share = np.ones(len(gaps)) if weight is None else weight[part].astype(np.float64)
        mass[:] += np.bincount(labels[part], share, minlength=len(prototypes))
        parts.append(float(share @ gaps) * model.frame.unit**2)

    scan(data, prototypes, device, _write)
    return NearestSets(labels, mass, math.fsum(parts))


def nearest_two(
    data: Any, prototypes: np.ndarray, device: str = "auto", groups: np.ndarray | None = None
) -> NearestTwo:
    """Return labels and the distances to the two nearest prototypes, or clusters of them.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (m, d)
        Prototypes.
    device : str
        Device name or "auto".
    groups : ndarray of shape (m,), optional
        Cluster of each prototype, consecutive from 0. The second winner is
        then the nearest prototype of any other cluster; None takes each
        prototype as a cluster.

    Returns
    -------
    NearestTwo
        Labels and Euclidean distances, without an (n, m) array.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import nearest_two
    >>> nearest_two(np.array([[0.0]]), np.array([[1.0], [8.0]])).second
    array([8.])
    >>> p = np.array([[1.0], [2.0], [8.0]])
    >>> nearest_two(np.array([[0.0]]), p, groups=np.array([0, 0, 1])).second
    array([8.])
    """
    index = None if groups is None else check_groups(groups, len(prototypes))
    labels = np.empty(data.shape[0], dtype=np.int32)
    first, second = (np.empty(data.shape[0], dtype=prototypes.dtype) for _ in range(2))

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        value, winner = first_winner(scores)
        label = winner
        if index is None:
            scores.scatter_(1, winner[:, None], torch.inf)
        else:
            members = index.to(winner.device)
            label = members[winner]
            scores.T.masked_fill_(members[:, None] == label, torch.inf)
        labels[part] = label.cpu().numpy()
        first[part] = _lengths(block.gaps(model.frame, model.p, winner, value), model.frame)
        norms = block.square_norms(model.frame)
        second[part] = _lengths(scores.amin(1) + norms, model.frame)

    scan(data, prototypes, device, _write)
    return NearestTwo(labels, first, second)


def distances(
    data: Any, prototypes: np.ndarray, device: str = "auto", groups: np.ndarray | None = None
) -> np.ndarray:
    """Return the Euclidean distance of every row to every prototype, or cluster of them.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (m, d)
        Prototypes.
    device : str
        Device name or "auto".
    groups : ndarray of shape (m,), optional
        Cluster of each prototype, consecutive from 0: distances are then to
        the nearest prototype of each cluster. None takes each prototype as a
        cluster.

    Returns
    -------
    ndarray of shape (n, k)
        Distances in the dtype of the prototypes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import distances
    >>> distances(np.array([[0.0]]), np.array([[1.0], [8.0]]))
    array([[1., 8.]])
    """
    index = None if groups is None else check_groups(groups, len(prototypes))
    width = len(prototypes) if index is None else int(index.max()) + 1
    result = np.empty((data.shape[0], width), dtype=prototypes.dtype)

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        squares = scores + block.square_norms(model.frame)[:, None]
        rows, columns = torch.nonzero(squares < _SMALL * squares.amax(1)[:, None], as_tuple=True)
        near = model.frame.from_block(block.pick(rows)) - model.p[columns]
        squares[rows, columns] = near.square().sum(1).to(squares)
        if index is not None:
            squares = min_by_group(squares, index.to(squares.device))
        result[part] = _lengths(squares, model.frame)

    scan(data, prototypes, device, _write)
    return result


def assignments(
    data: Any,
    prototypes: np.ndarray,
    temperature: float,
    device: str = "auto",
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Return soft assignments (Eq. 8) to prototypes, or to clusters of them.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (m, d)
        Prototypes.
    temperature : float
        T in squared units of the data; 0 gives hard assignments.
    device : str
        Device name or "auto".
    groups : ndarray of shape (m,), optional
        Cluster of each prototype, consecutive from 0: assignments are then
        summed over the prototypes of each cluster. None takes each prototype
        as a cluster.

    Returns
    -------
    ndarray of shape (n, k)
        Rows on the simplex, in the dtype of the prototypes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import assignments
    >>> assignments(np.array([[0.0]]), np.array([[1.0], [-1.0]]), temperature=1.0)
    array([[0.5, 0.5]])
    """
    index = None if groups is None else check_groups(groups, len(prototypes))
    width = len(prototypes) if index is None else int(index.max()) + 1
    result = np.zeros((data.shape[0], width), dtype=prototypes.dtype)

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        relative = temperature / model.frame.unit**2
        if relative > 0:
            lowest = scores.amin(1, keepdim=True)
            q = softmax_over_prototypes((lowest - scores) / relative)
        else:
            winner = first_winner(scores)[1][:, None]
            q = torch.zeros_like(scores).scatter_(1, winner, 1.0)
        q = q if index is None else sum_by_group(q, index.to(q.device))
        result[part] = q.cpu().numpy()

    least = math.sqrt(temperature) if math.isfinite(temperature) else 0.0
    scan(data, prototypes, device, _write, least)
    return result


def _lengths(squares: Tensor, frame: Frame) -> np.ndarray:
    lengths: np.ndarray = squares.clamp_min_(0.0).sqrt_().mul_(frame.unit).cpu().numpy()
    return lengths
