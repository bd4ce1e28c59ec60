"""The graph of nearest neighbours, from which positives are drawn."""

import importlib.util

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

__all__ = ["NEIGHBOR_SEARCHES", "mutual_neighbors", "neighbor_graph"]

_ALONE = 3  # neighbours kept by a row that is in nobody's list
_EXACT_UP_TO = 100_000  # below, compiling pynndescent takes longer than all pairs


def neighbor_graph(
    x: Tensor, n_neighbors: int, generator: torch.Generator, search: str = "auto"
) -> Tensor:
    """Return the nearest neighbours of every row, the row itself left out.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Rows, n >= 1; a single row is its own neighbour.
    n_neighbors : int
        Neighbours of each row; n - 1 if there are no more.
    generator : torch.Generator
        Seeds the approximate search.
    search : {"auto", "exact", "approximate"}, default="auto"
        "exact" compares all pairs, on the CPU; "approximate" descends the graph
        with `pynndescent`; "auto" is exact up to 100,000 rows and where
        pynndescent is not installed.

    Returns
    -------
    Tensor of shape (n, n_neighbors), int64
        Row numbers, nearest first, on the device of ``x``.

    Raises
    ------
    ValueError
        If ``search`` is unknown.
    ImportError
        If "approximate" is asked for and pynndescent is not installed.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.engine import neighbor_graph
    >>> neighbor_graph(torch.tensor([[0.0], [1.0], [9.0]]), 1, torch.Generator())
    tensor([[1],
            [0],
            [1]])
    """
    if search not in NEIGHBOR_SEARCHES:
        allowed = sorted(NEIGHBOR_SEARCHES)
        raise ValueError(f"The 'search' parameter must be one of {allowed}. Got {search!r}.")
    if len(x) == 1:
        return torch.zeros(1, 1, dtype=torch.int64, device=x.device)
    return NEIGHBOR_SEARCHES[search](x, min(n_neighbors, len(x) - 1), generator)


def mutual_neighbors(graph: Tensor) -> Tensor:
    """Keep the neighbours of each row that have the row among their own.

    Parameters
    ----------
    graph : Tensor of shape (n, k), int64
        Row numbers, nearest first, as :func:`neighbor_graph` returns them.

    Returns
    -------
    Tensor of shape (n, k), int64
        Nearest first; rows with fewer than k repeat theirs, from the nearest on,
        and rows without any keep their three nearest ones.

    Notes
    -----
    A sample between two clusters, or far from all, has its neighbours in places
    where samples have nearer ones: their edges, which would tie clusters
    together, are those that are not returned.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.engine import mutual_neighbors, neighbor_graph
    >>> x = torch.tensor([[0.0], [1.0], [2.1], [3.3], [9.0]])
    >>> graph = neighbor_graph(x, 2, torch.Generator())
    >>> graph[:4]
    tensor([[1, 2],
            [0, 2],
            [1, 3],
            [2, 1]])
    >>> mutual_neighbors(graph)[:4]
    tensor([[1, 1],
            [0, 2],
            [1, 3],
            [2, 2]])
    """
    n, k = graph.shape
    rows = torch.arange(n, device=graph.device)[:, None]
    edges, back = (rows * n + graph).flatten(), (graph * n + rows).flatten()
    mutual = torch.isin(edges, back).reshape(n, k)
    alone = ~mutual.any(dim=1)
    mutual[alone, :_ALONE] = True
    order = (~mutual).to(torch.uint8).argsort(dim=1, stable=True)
    place = torch.arange(k, device=graph.device) % mutual.sum(dim=1, keepdim=True)
    return graph.gather(1, order.gather(1, place))


def _exact(x: Tensor, k: int, generator: torch.Generator) -> Tensor:
    data = (x - x.mean(dim=0)).detach().cpu().numpy()
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(data)
    found = search.kneighbors(return_distance=False)  # of the fitted rows, without themselves
    return torch.from_numpy(found).long().to(x.device)


def _approximate(x: Tensor, k: int, generator: torch.Generator) -> Tensor:
    try:
        from pynndescent import NNDescent
    except ImportError as error:
        raise ImportError(
            "search='approximate' needs pynndescent: pip install 'sklearn-ddcl[neighbors]'."
        ) from error
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    data = x.detach().cpu().float().numpy()
    found, _ = NNDescent(data, n_neighbors=k + 1, random_state=seed).neighbor_graph
    near = torch.from_numpy(found).long()
    own = near == torch.arange(len(x))[:, None]
    # the row itself is not always found; then its last neighbour is left out instead
    own[~own.any(dim=1), -1] = True
    return near[~own].reshape(len(x), k).to(x.device)


def _automatic(x: Tensor, k: int, generator: torch.Generator) -> Tensor:
    many = len(x) > _EXACT_UP_TO and importlib.util.find_spec("pynndescent") is not None
    return (_approximate if many else _exact)(x, k, generator)


NEIGHBOR_SEARCHES = {"auto": _automatic, "exact": _exact, "approximate": _approximate}
