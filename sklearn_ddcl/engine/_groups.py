"""Several prototypes to one cluster: from numbers for prototypes to numbers for clusters."""

import numpy as np
import torch
from torch import Tensor

__all__ = ["check_groups", "min_by_group", "sum_by_group"]


def check_groups(groups: np.ndarray, n_prototypes: int) -> Tensor:
    """Require the cluster of each prototype, and return it as a tensor.

    Parameters
    ----------
    groups : ndarray of shape (m,)
        Cluster of each prototype, consecutive integers from 0.
    n_prototypes : int
        Number of prototypes m.

    Returns
    -------
    Tensor of shape (m,), int64
        A copy.

    Raises
    ------
    ValueError
        If there is not one cluster a prototype, or a cluster between has none.

    Examples
    --------
    >>> import numpy as np
    >>> check_groups(np.array([0, 1, 0]), 3)
    tensor([0, 1, 0])
    """
    found = np.asarray(groups)
    if found.shape != (n_prototypes,) or found.dtype.kind not in "iu":
        raise ValueError(
            f"groups must be {n_prototypes} integers, one for each prototype, got shape "
            f"{found.shape} of {found.dtype}."
        )
    used = np.unique(found)
    if not np.array_equal(used, np.arange(len(used))):
        raise ValueError(
            f"groups must be consecutive from 0, each with a prototype, got {used.tolist()}."
        )
    return torch.from_numpy(found.astype(np.int64))


def sum_by_group(values: Tensor, groups: Tensor) -> Tensor:
    """Sum the columns of each group.

    Parameters
    ----------
    values : Tensor of shape (n, m)
        Finite numbers for prototypes, such as assignments.
    groups : Tensor of shape (m,), int64
        Cluster of each prototype.

    Returns
    -------
    Tensor of shape (n, k)
        Sums, by a product that passes gradients and has one order on all devices.

    Examples
    --------
    >>> import torch
    >>> sum_by_group(torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([0, 1, 0]))
    tensor([[0.7500, 0.2500]])
    """
    return values @ torch.nn.functional.one_hot(groups).to(values)


def min_by_group(values: Tensor, groups: Tensor) -> Tensor:
    """Return the smallest column of each group.

    Parameters
    ----------
    values : Tensor of shape (n, m)
        Numbers for prototypes, such as distances; columns contiguous is fastest.
    groups : Tensor of shape (m,), int64
        Cluster of each prototype.

    Returns
    -------
    Tensor of shape (n, k)
        Minima, columns contiguous.

    Examples
    --------
    >>> import torch
    >>> min_by_group(torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([0, 1, 0]))
    tensor([[1., 2.]])
    """
    columns = values.T
    least = values.new_full((int(groups.max()) + 1, columns.shape[1]), torch.inf)
    return least.scatter_reduce_(0, groups[:, None].expand_as(columns), columns, "amin").T
