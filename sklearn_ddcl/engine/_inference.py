"""What a fitted model says about rows: nearest prototypes, distances, soft assignments."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor

from sklearn_ddcl.engine._blocks import Block
from sklearn_ddcl.engine._data import Rows, share
from sklearn_ddcl.engine._frame import Frame, distant_shift, power_of_two
from sklearn_ddcl.engine._passes import first_winner, linear_scores, softmax_over_prototypes
from sklearn_ddcl.engine._runtime import resolve_device

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
        Nearest prototypes.
    first, second : ndarray of shape (n,)
        Distances to them; ``second`` is infinite for a single prototype.
    """

    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Model(NamedTuple):
    """Frozen prototypes in coordinates of their own.

    Attributes
    ----------
    frame : Frame
        Origin and unit taken from the prototypes.
    p : Tensor of shape (k, d)
        The prototypes in that frame.
    """

    frame: Frame
    p: Tensor


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

    _scan(data, prototypes, device, _write)
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

    _scan(data, prototypes, device, _write)
    return NearestSets(labels, mass, math.fsum(parts))


def nearest_two(data: Any, prototypes: np.ndarray, device: str = "auto") -> NearestTwo:
    """Return labels and the distances to the two nearest prototypes.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (k, d)
        Prototypes.
    device : str
        Device name or "auto".

    Returns
    -------
    NearestTwo
        Labels and Euclidean distances, without an (n, k) array.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import nearest_two
    >>> nearest_two(np.array([[0.0]]), np.array([[1.0], [8.0]])).second
    array([8.])
    """
    labels = np.empty(data.shape[0], dtype=np.int32)
    first, second = (np.empty(data.shape[0], dtype=prototypes.dtype) for _ in range(2))

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        value, winner = first_winner(scores)
        scores.scatter_(1, winner[:, None], torch.inf)
        labels[part] = winner.cpu().numpy()
        first[part] = _lengths(block.gaps(model.frame, model.p, winner, value), model.frame)
        norms = block.square_norms(model.frame)
        second[part] = _lengths(scores.amin(1) + norms, model.frame)

    _scan(data, prototypes, device, _write)
    return NearestTwo(labels, first, second)


def distances(data: Any, prototypes: np.ndarray, device: str = "auto") -> np.ndarray:
    """Return the Euclidean distance of every row to every prototype.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (k, d)
        Prototypes.
    device : str
        Device name or "auto".

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
    result = np.empty((data.shape[0], len(prototypes)), dtype=prototypes.dtype)

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        squares = scores + block.square_norms(model.frame)[:, None]
        rows, columns = torch.nonzero(squares < _SMALL * squares.amax(1)[:, None], as_tuple=True)
        near = model.frame.from_block(block.pick(rows)) - model.p[columns]
        squares[rows, columns] = near.square().sum(1).to(squares)
        result[part] = _lengths(squares, model.frame)

    _scan(data, prototypes, device, _write)
    return result


def assignments(
    data: Any, prototypes: np.ndarray, temperature: float, device: str = "auto"
) -> np.ndarray:
    """Return soft assignments (Eq. 8).

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows.
    prototypes : ndarray of shape (k, d)
        Prototypes.
    temperature : float
        T in squared units of the data; 0 gives hard assignments.
    device : str
        Device name or "auto".

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
    result = np.zeros((data.shape[0], len(prototypes)), dtype=prototypes.dtype)

    def _write(part: slice, block: Block, scores: Tensor, model: Model) -> None:
        relative = temperature / model.frame.unit**2
        if relative > 0:
            lowest = scores.amin(1, keepdim=True)
            result[part] = softmax_over_prototypes((lowest - scores) / relative).cpu().numpy()
        else:
            winner = first_winner(scores)[1][:, None]
            result[part] = torch.zeros_like(scores).scatter_(1, winner, 1.0).cpu().numpy()

    least = math.sqrt(temperature) if math.isfinite(temperature) else 0.0
    _scan(data, prototypes, device, _write, least)
    return result


def _scan(
    data: Any,
    prototypes: np.ndarray,
    device: str,
    write: Callable[[slice, Block, Tensor, Model], None],
    least: float = 0.0,
) -> None:
    """Compute the scores of each block of rows and hand them to ``write``.

    The unit is a length of at least ``least``, so that other lengths to be
    compared with distances stay in range too.
    """
    dtype = torch.float32 if data.dtype == np.float32 else torch.float64
    place = resolve_device(device, dtype)
    acc = torch.float32 if place.type == "mps" else torch.float64
    model = _frame_of(prototypes, least, place, acc)
    if not issparse(data):
        shift = distant_shift(model.frame.origin, model.frame.unit, dtype)
        model = model._replace(frame=model.frame._replace(shift=shift))
    with torch.inference_mode():
        rows = Rows(share(data), None, place, model.frame)
        slope, constant = linear_scores(rows, model.p, 1.0)
        for part, block in rows.blocks(len(prototypes), reuse=True):
            write(part, block, block.affine(slope, constant), model)


def _frame_of(
    prototypes: np.ndarray, least: float, device: torch.device, acc: torch.dtype
) -> Model:
    """Coordinates around the prototypes themselves: no pass over the rows is needed.

    Around their median, as a far outlier's prototype would move a mean away from all
    others, whose scores would lose their digits.
    """
    p = prototypes.astype(np.float64)
    origin = np.sort(p, axis=0)[len(p) // 2]
    p -= origin
    size = max(float(np.abs(p).max()), least)
    unit = power_of_two(size, torch.float32 if prototypes.dtype == np.float32 else torch.float64)
    p /= unit
    frame = Frame(torch.from_numpy(origin).to(device, acc), unit, 0.0, 0.0)
    return Model(frame, torch.from_numpy(p).to(device, acc))


def _lengths(squares: Tensor, frame: Frame) -> np.ndarray:
    lengths: np.ndarray = squares.clamp_min_(0.0).sqrt_().mul_(frame.unit).cpu().numpy()
    return lengths
