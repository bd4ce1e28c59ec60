"""Neighbour contrast as a warm-up."""

import torch

from sklearn_ddcl.engine._backbones import Prepared
from sklearn_ddcl.engine._neighbors import NEIGHBOR_SEARCHES, mutual_neighbors, neighbor_graph
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._tasks import NeighborTask
from sklearn_ddcl.engine._warm_ups._base import WarmUp
from sklearn_ddcl.nn._checks import check_count, check_flag

__all__ = ["NeighborContrast"]

_MOST, _FEWEST = 15, 3


class NeighborContrast(WarmUp):
    r"""Heavy-tailed contrast of neighbours ("neighbors").

    Minimises :math:`-\log s(z_i, z_j) + \log \sum_l s(z_i, z_l)` for a
    neighbour j of i, the rows l of the batch and
    :math:`s(a, b) = 1 / (1 + \|a - b\|^2)` [1]_.

    Parameters
    ----------
    n_neighbors : int or None, default=None
        Nearest samples of each sample. None takes 15, or fewer where clusters are
        small: a third of the mean cluster, and at least 3.
    mutual : bool, default=True
        Whether only those of them are neighbours that have the sample among their
        own nearest: a sample between two clusters then does not tie them
        together [2]_. False takes all.
    n_steps : int or None, default=None
        Steps; None takes a number that grows with that of the samples: 900 for
        2,000 of them, 2,400 for 10,000, and 26,200 for 70,000, and fewer, down
        to one half, where samples have fewer than 50 values.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=5e-3
        Largest rate of Adam.
    search : {"auto", "exact", "approximate"}, default="auto"
        How neighbours are found; "approximate" needs pynndescent, and "auto"
        takes it above 100,000 samples where it is installed.

    References
    ----------
    .. [1] J. N. Böhm, P. Berens and D. Kobak, "Unsupervised visualization of
       image datasets using contrastive learning", ICLR (2023).
    .. [2] M. R. Brito, E. L. Chávez, A. J. Quiroz and J. E. Yukich, "Connectivity
       of the mutual k-nearest-neighbor graph in clustering and outlier
       detection", Statistics & Probability Letters 35, 33-42 (1997).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.options import NeighborContrast
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> NeighborContrast(n_steps=5).fit(X).backbone_.training
    False
    """

    def __init__(
        self,
        n_neighbors: int | None = None,
        mutual: bool = True,
        n_steps: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 5e-3,
        search: str = "auto",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.mutual = mutual
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.search = search

    def validate(self) -> None:
        """Check the options, the search among them."""
        super().validate()
        if self.n_neighbors is not None:
            check_count("n_neighbors", self.n_neighbors)
        check_flag("mutual", self.mutual)
        if self.search not in NEIGHBOR_SEARCHES:
            raise ValueError(
                f"search must be one of {sorted(NEIGHBOR_SEARCHES)}, got {self.search!r}."
            )

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task on the rows' neighbour graph."""
        if prepared.components is None:
            raise ValueError("prepared must hold components: prepare_backbone(neighbors=True).")
        n_rows = len(prepared.inputs)
        count = self.n_neighbors
        if count is None:
            count = min(_MOST, max(_FEWEST, n_rows // (3 * (n_clusters or 1))))
        graph = neighbor_graph(prepared.components, count, generator, self.search)
        return NeighborTask(prepared.inputs, mutual_neighbors(graph) if self.mutual else graph)
