"""Gradient-based competitive learning on given features, in full or in mini-batches."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_ddcl.engine._block_adam import BlockAdam
from sklearn_ddcl.engine._competitive_layers import LAYERS, Layer
from sklearn_ddcl.engine._data import Rows, wrap_rows
from sklearn_ddcl.engine._edges import link_prototypes
from sklearn_ddcl.engine._epoch_edges import EpochEdges
from sklearn_ddcl.engine._gram import measure_gram, rows_at
from sklearn_ddcl.engine._grouping import Grouped, number_clusters
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._labelling import label_rows
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device
from sklearn_ddcl.engine._warm_start import trained_rows
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.initialization import kmeans_plusplus
from sklearn_ddcl.nn.losses import (
    edge_count_penalty,
    hard_quantization_loss,
    soft_edge_penalty,
)

__all__ = [
    "INITS",
    "TOPOLOGIES",
    "CompetitiveConfig",
    "CompetitiveResult",
    "fit_competitive",
]

TOPOLOGIES = {"soft": soft_edge_penalty, "literal": edge_count_penalty}
_BATCH, _BATCH_ELEMENTS = 4096, 2**24
_STEPS, _LEAST_EPOCHS = 400, 5
_SEEDED_ROWS = 2**16  # rows among which k-means++ chooses


class CompetitiveConfig(NamedTuple):
    """What the engine needs for one competitive fit.

    Attributes
    ----------
    n_prototypes : int
        Most prototypes k.
    layer : {"vanilla", "dual", "deep_dual"}
        What makes prototypes.
    hidden : tuple of int
        Hidden layers of "deep_dual".
    init : {"k-means++", "random"}
        First prototypes.
    topology : {"soft", "literal"}
        How the graph enters the loss.
    topology_weight : float
        Its weight, relative to the quantisation error.
    least_edge : float
        Share of a prototype's mean weight below which edges are left out.
    epochs : int or "auto"
        Passes over the rows.
    batch_size : int or "auto"
        Rows a step.
    learning_rate : float
        Length of the first steps, in root mean squared distances of the rows
        to their mean.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    n_prototypes: int
    layer: str = "dual"
    hidden: tuple[int, ...] = (10, 10)
    init: str = "k-means++"
    topology: str = "soft"
    topology_weight: float = 0.01
    least_edge: float = 0.02
    epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate: float = 0.1
    device: str = "auto"
    seed: int = 0
    report: Callable[[dict[str, Any]], None] | None = None


class CompetitiveResult(NamedTuple):
    """A fitted codebook and its graph, as numpy and scipy arrays.

    Attributes
    ----------
    clusters : Grouped
        Prototypes in use, the component of each, and labels.
    winners : ndarray of shape (n,), int32
        Nearest prototype of each row.
    adjacency : csr_array of shape (m, m)
        Weight of the rows whose two winners an edge joins.
    n_epochs : int
        Passes over the rows.
    history : list of dict
        One record an epoch.
    """

    clusters: Grouped
    winners: np.ndarray
    adjacency: sparse.csr_array
    n_epochs: int
    history: list[dict[str, Any]]


@torch.inference_mode(False)
@torch.enable_grad()
def fit_competitive(
    data: Any, weight: np.ndarray | None, config: CompetitiveConfig
) -> CompetitiveResult:
    """Move prototypes along the gradient of Eq. 21, prune them, and join them by their edges.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, d)
        Finite rows, float32 or float64.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero; rows of weight 0 are not trained on.
    config : CompetitiveConfig
        Validated options.

    Returns
    -------
    CompetitiveResult
        Prototypes, edges and labels.

    Raises
    ------
    FloatingPointError
        If the training diverges.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import CompetitiveConfig, fit_competitive
    >>> X = np.r_[np.linspace(0, 1, 50), np.linspace(5, 6, 50)][:, None]
    >>> fit_competitive(X, None, CompetitiveConfig(10)).clusters.labels[[0, 49, 50]]
    array([0, 0, 1], dtype=int32)
    """
    generator = make_generator(config.seed)
    _, trained, share = trained_rows(data, weight)
    rows = wrap_rows(trained, share, resolve_device(config.device, float_type(data.dtype)))
    scale = _feature_scale(rows)
    layer = _make_layer(rows, scale, config, generator)
    training = _Training(layer, rows, scale, config, generator)
    history = History(config.report)
    for epoch in range(training.epochs):
        training.run(epoch, history)
    final = layer.prototypes([p.value for p in layer.parameters])
    prototypes = rows.frame.to_data(final * scale).cpu().numpy().astype(data.dtype)
    found = label_rows(data, weight, prototypes, config.device)
    graph = link_prototypes(data, weight, found.prototypes, config.least_edge, config.device)
    clusters = number_clusters(found, graph.components, data, weight)
    return CompetitiveResult(
        clusters, found.labels, graph.adjacency, training.epochs, history.records
    )


def _feature_scale(rows: Rows) -> float:
    """Root mean variance of the features, in the rows' frame; 1 for constant rows."""
    variance = rows.frame.inertia / rows.frame.weight_sum / rows.n_features
    return math.sqrt(variance) if variance > 0.0 else 1.0


def _make_layer(
    rows: Rows, scale: float, config: CompetitiveConfig, generator: torch.Generator
) -> Layer:
    k = min(config.n_prototypes, rows.n_rows)
    start = INITS[config.init](rows, scale, k, generator)
    gram = measure_gram(rows, scale, generator)
    return LAYERS[config.layer](start, k, gram, config.hidden, generator)


def _seeded(rows: Rows, scale: float, k: int, generator: torch.Generator) -> Tensor:
    """Choose rows by k-means++, among as many as bear a search."""
    most = max(k, min(_SEEDED_ROWS, _BATCH_ELEMENTS // rows.n_features))
    index = torch.arange(rows.n_rows)
    if rows.n_rows > most:
        index = torch.randperm(rows.n_rows, generator=generator)[:most]
    z = rows_at(rows, index, scale)
    weight = None if rows.weight is None else rows.weight[index.to(z.device)]
    return z[kmeans_plusplus(z, k, generator, weight)]


def _unseeded(rows: Rows, scale: float, k: int, generator: torch.Generator) -> None:
    """Leave the start to the layer's own random weights."""


INITS = {"k-means++": _seeded, "random": _unseeded}


class _Training:
    """Passes over the rows, each a sequence of steps.

    Parameters
    ----------
    layer : Layer
        What is trained, in place.
    rows : Rows
        The rows.
    scale : float
        Unit of the features in the rows' frame.
    config : CompetitiveConfig
        Options.
    generator : torch.Generator
        Shuffles the rows.
    """

    def __init__(
        self,
        layer: Layer,
        rows: Rows,
        scale: float,
        config: CompetitiveConfig,
        generator: torch.Generator,
    ) -> None:
        self.layer, self.rows, self.scale = layer, rows, scale
        self.config, self.generator = config, generator
        self.adam = BlockAdam(layer.parameters)
        fit = max(1, _BATCH_ELEMENTS // rows.n_features)
        batch = min(_BATCH, fit) if isinstance(config.batch_size, str) else config.batch_size
        self.batch = min(batch, rows.n_rows)
        self.steps = math.ceil(rows.n_rows / self.batch)
        auto = max(_LEAST_EPOCHS, math.ceil(_STEPS / self.steps))
        self.epochs = auto if isinstance(config.epochs, str) else int(config.epochs)
        self.area = (rows.frame.unit * scale) ** 2
        self._all: Tensor | None = None

    def run(self, epoch: int, history: History) -> None:
        """Take the steps of one epoch, and record it."""
        sums = EpochEdges()
        for number, (z, weight) in enumerate(self._batches()):
            done = (epoch + number / self.steps) / self.epochs
            rate = self.config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))
            leaves = [p.value.detach().requires_grad_() for p in self.layer.parameters]
            distances = squared_distances(z, self.layer.prototypes(leaves))
            error = hard_quantization_loss(distances, weight)
            loss, penalty = self._loss(distances, error, weight)
            self.adam.step(torch.autograd.grad(loss, leaves), rate)
            sums.add(distances.detach(), weight, float(error.detach()), float(penalty.detach()))
        sums.record(history, self.area, self.config.topology_weight, rate)

    def _loss(
        self, distances: Tensor, error: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Eq. 21, the second term in units of the first."""
        if distances.shape[1] < 2 or not self.config.topology_weight:
            return error, error.new_zeros(())
        size = error.detach().clamp_min(torch.finfo(error.dtype).eps)
        penalty = TOPOLOGIES[self.config.topology](distances, float(size), weight)
        return error + self.config.topology_weight * size * penalty, penalty

    def _batches(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        if self.steps == 1:
            if self._all is None:
                self._all = rows_at(self.rows, torch.arange(self.rows.n_rows), self.scale)
            yield self._all, self.rows.weight
            return
        order = torch.randperm(self.rows.n_rows, generator=self.generator)
        weight = self.rows.weight
        for drawn in torch.split(order, self.batch):
            index = drawn.sort().values  # rows on disk are read in order
            part = None if weight is None else weight[index.to(weight.device)]
            yield rows_at(self.rows, index, self.scale), part
