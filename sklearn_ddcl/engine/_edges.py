"""The graph between final prototypes: who wins together, and what hangs together."""

from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from sklearn_ddcl.engine._data import Rows, wrap_rows
from sklearn_ddcl.engine._passes import first_winner, linear_scores
from sklearn_ddcl.engine._runtime import float_type, resolve_device
from sklearn_ddcl.nn.topology import hebbian_edges

__all__ = ["PrototypeGraph", "link_prototypes", "thin_edges", "winning_pairs"]


class PrototypeGraph(NamedTuple):
    """Edges of competitive Hebbian learning.

    Attributes
    ----------
    adjacency : csr_array of shape (m, m)
        Symmetric; weight of the rows whose two winners an edge joins, float64.
    components : ndarray of shape (m,), int32
        Connected component of each prototype.
    """

    adjacency: sparse.csr_array
    components: np.ndarray


def link_prototypes(
    data: Any,
    weight: np.ndarray | None,
    prototypes: np.ndarray,
    least: float,
    device: str,
) -> PrototypeGraph:
    """Join the two winners of each row, and find the components.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Rows.
    weight : ndarray of shape (n,) or None
        Non-negative weights; rows of weight 0 join nothing.
    prototypes : ndarray of shape (m, d)
        Prototypes.
    least : float
        Edges of less weight, as a share of the mean weight a prototype wins,
        are left out; see `thin_edges`.
    device : str
        Device name or "auto".

    Returns
    -------
    PrototypeGraph
        The graph.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.4], [1.0], [8.0], [9.0]])
    >>> prototypes = np.array([[0.0], [1.0], [8.0], [9.0]])
    >>> link_prototypes(X, None, prototypes, 0.0, "cpu").components
    array([0, 0, 1, 1], dtype=int32)
    """
    m = len(prototypes)
    if m < 2:
        return PrototypeGraph(sparse.csr_array((m, m)), np.zeros(m, dtype=np.int32))
    rows = wrap_rows(data, weight, resolve_device(device, float_type(data.dtype)))
    p = rows.frame.from_data(torch.from_numpy(prototypes).to(rows.device))
    first, second = winning_pairs(rows, p)
    w = None if rows.weight is None else rows.weight.to(rows.accumulator)
    counts = hebbian_edges(first, second, m, w).cpu().numpy().astype(np.float64)
    mass = counts.sum() / 2 if weight is None else weight.sum(dtype=np.float64)
    adjacency = thin_edges(sparse.csr_array(counts), least * mass / m)
    _, components = connected_components(adjacency, directed=False)
    return PrototypeGraph(adjacency, components)


def winning_pairs(rows: Rows, p: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest and the second nearest prototype of all rows.

    Parameters
    ----------
    rows : Rows
        The rows.
    p : Tensor of shape (m, d)
        At least two prototypes, in the rows' frame.

    Returns
    -------
    first, second : Tensor of shape (n,), int64
        The winners; ties go to the lower number.
    """
    slope, constant = linear_scores(rows, p, 1.0)
    first, second = [], []
    for _, block in rows.blocks(len(p), reuse=True):
        scores = block.affine(slope, constant)
        winner = first_winner(scores)[1].to(torch.int64)
        scores.scatter_(1, winner[:, None], torch.inf)
        first.append(winner)
        second.append(first_winner(scores)[1].to(torch.int64))
    return torch.cat(first), torch.cat(second)


def thin_edges(adjacency: sparse.csr_array, least: float) -> sparse.csr_array:
    """Leave out light edges, but never a prototype's heaviest one.

    Parameters
    ----------
    adjacency : csr_array of shape (m, m)
        Symmetric, non-negative.
    least : float
        Smallest weight of an edge that is kept in any case.

    Returns
    -------
    csr_array of shape (m, m)
        Symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> edges = sparse.csr_array(np.array([[0, 9, 1], [9, 0, 5], [1, 5, 0]]))
    >>> thin_edges(edges, 6.0).toarray()
    array([[0, 9, 0],
           [9, 0, 5],
           [0, 5, 0]])
    """
    edges = adjacency.tocoo()
    heaviest = np.zeros(adjacency.shape[0])
    np.maximum.at(heaviest, edges.row, edges.data)
    kept = (edges.data >= least) | (edges.data >= heaviest[edges.row])
    kept |= edges.data >= heaviest[edges.col]
    pairs = (edges.row[kept], edges.col[kept])
    return sparse.csr_array((edges.data[kept], pairs), shape=adjacency.shape)
