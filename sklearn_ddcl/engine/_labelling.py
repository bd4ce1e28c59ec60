"""The last word on labels: those of ``predict``, from prototypes as users will see them."""

from typing import Any, NamedTuple

import numpy as np

from sklearn_ddcl.engine._inference import nearest_sets

__all__ = ["Labelled", "label_rows", "merge_coinciding"]

_ROUNDING = 4.0  # rounding errors of their coordinates within which prototypes are the same
_REORDERINGS = 3  # ties may change hands with the order; then the order stays as it is


class Labelled(NamedTuple):
    """Prototypes in use, in their final order, and what they make of the rows.

    Attributes
    ----------
    prototypes : ndarray of shape (k, d)
        Each nearest to at least one row of positive weight.
    labels : ndarray of shape (n,), int32
        Nearest prototypes.
    inertia : float
        Weighted sum of squared distances, in squared units of the data.
    """

    prototypes: np.ndarray
    labels: np.ndarray
    inertia: float


def label_rows(
    data: Any, weight: np.ndarray | None, prototypes: np.ndarray, device: str
) -> Labelled:
    """Drop and order prototypes, and label the rows just as `nearest` will.

    Clusters are numbered by falling weight, then by coordinates, so that
    numbers do not depend on the seed where the partition does not.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Rows.
    weight : ndarray of shape (n,) or None
        Their weights.
    prototypes : ndarray of shape (k, d)
        Prototypes, rounded to the dtype of the data.
    device : str
        Device name or "auto".

    Returns
    -------
    Labelled
        The result.
    """
    prototypes = merge_coinciding(prototypes)
    reorderings = 0
    while True:
        found = nearest_sets(data, prototypes, weight, device)
        used = found.mass > 0
        order = np.lexsort(np.vstack([prototypes.T[::-1], -found.mass]))
        settled = (order == np.arange(len(order))).all() or reorderings == _REORDERINGS
        if used.all() and settled:
            return Labelled(prototypes, found.labels, found.inertia)
        reorderings += bool(used.all())
        prototypes = np.ascontiguousarray(prototypes[order[used[order]]])


def merge_coinciding(prototypes: np.ndarray) -> np.ndarray:
    """Return the distinct prototypes, those apart by rounding alone taken as one.

    Which of two coinciding prototypes wins a row would be left to rounding.

    Parameters
    ----------
    prototypes : ndarray of shape (k, d)
        Prototypes.

    Returns
    -------
    ndarray of shape (m, d), m <= k
        One of each.
    """
    exact = prototypes.astype(np.float64)
    cell = _ROUNDING * np.finfo(prototypes.dtype).eps * np.abs(exact)
    # along a random direction, only neighbours can be that close in all coordinates
    direction = np.random.default_rng(0).normal(size=exact.shape[1])
    along, reach = exact @ (direction / np.linalg.norm(direction)), np.linalg.norm(cell, axis=1)
    order, kept = np.argsort(along), np.ones(len(exact), dtype=bool)
    for step in range(1, len(exact)):
        low, high = order[:-step], order[step:]
        close = along[high] - along[low] <= reach[low] + reach[high]
        if not close.any():
            break
        first, second = np.sort([low[close], high[close]], axis=0)
        gap = np.abs(exact[first] - exact[second])
        kept[second[(gap <= np.maximum(cell[first], cell[second])).all(axis=1)]] = False
    return np.ascontiguousarray(prototypes[kept])
