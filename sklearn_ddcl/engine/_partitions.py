"""How much one partition of the rows tells of another."""

import numpy as np
from scipy.optimize import linear_sum_assignment

__all__ = ["compare_partitions"]


def compare_partitions(
    labels: np.ndarray, before: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, float]:
    """Return normalised mutual information, and the share of rows that changed.

    Parameters
    ----------
    labels, before : ndarray of shape (n,), integers >= 0
        Partitions.
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    information : float
        Mutual information over the geometric mean of the entropies, in [0, 1];
        1 if both have one cluster.
    change : float
        Share of the rows outside their cluster's partner, when clusters are
        matched one to one: numbers of clusters do not matter.

    Examples
    --------
    >>> import numpy as np
    >>> compare_partitions(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    (1.0, 0.0)
    """
    shape = (int(labels.max()) + 1, int(before.max()) + 1)
    table = np.bincount(labels * shape[1] + before, weight, minlength=shape[0] * shape[1])
    joint = table.reshape(shape) / table.sum()
    rows, columns = linear_sum_assignment(joint, maximize=True)
    change = min(max(1.0 - float(joint[rows, columns].sum()), 0.0), 1.0)
    first, second = _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0))
    shared = first + second - _entropy(joint)
    if first == 0.0 or second == 0.0:
        return float(first == second), change
    return min(max(shared / float(np.sqrt(first * second)), 0.0), 1.0), change


def _entropy(share: np.ndarray) -> float:
    used = share[share > 0]
    return abs(float(-(used * np.log(used)).sum()))
