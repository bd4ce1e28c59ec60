"""Gradient-based competitive learning on given features, in full or in mini-batches."""

import functools
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
from sklearn_ddcl.engine._distances import centred_distances, nearest_prototypes
from sklearn_ddcl.engine._edges import link_prototypes
from sklearn_ddcl.engine._epoch_edges import EpochEdges
from sklearn_ddcl.engine._gram import measure_gram, rows_at
from sklearn_ddcl.engine._grouping import Grouped, number_clusters
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._labelling import label_rows
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._warm_start import trained_rows
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.initialization import kmeans_plusplus
from sklearn_ddcl.nn.losses import (
    edge_count_penalty,
    hard_quantization_loss,
    soft_edge_penalty,
)
from sklearn_ddcl.nn.numerics import normalize_weights, wide_dtype

__all__ = [
    "INITS",
    "TOPOLOGIES",
    "CompetitiveConfig",
    "CompetitiveResult",
    "fit_competitive",
]

_EDGES = 60.0  # twice the edges that share the weight; a graph of fewer has less of it


class Graph(NamedTuple):
    """How the graph enters the loss.

    Attributes
    ----------
    penalty : callable
        Its squared norm, from distances, temperature and weights.
    relative : bool
        Whether it counts in units of the error, shared out among its edges; else
        as a number beside the error of features of variance 1, as in Eq. 21.
    """

    penalty: Callable[..., Tensor]
    relative: bool


TOPOLOGIES = {"soft": Graph(soft_edge_penalty, True), "literal": Graph(edge_count_penalty, False)}
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
        Its weight.
    least_edge : float
        Share of a prototype's mean weight below which edges are left out.
    epochs : int or "auto"
        Passes over the rows.
    batch_size : int or "auto"
        Rows a step.
    learning_rate : float
        Length of the first steps, in root mean squared distances of the rows
        to their k-means++ seeds' means.
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
    learning_rate: float = 0.5
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


@torch_defaults()
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
    >>> X = np.r_[np.linspace(0, 1, 60), np.linspace(5, 6, 40)][:, None]
    >>> fit_competitive(X, None, CompetitiveConfig(10)).clusters.labels[[0, 59, 60]]
    array([0, 0, 1], dtype=int32)
    """
    generator = make_generator(config.seed)
    _, trained, share = trained_rows(data, weight)
    rows = wrap_rows(trained, share, resolve_device(config.device, float_type(data.dtype)))
    scale = _feature_scale(rows)
    seeds, unit = _seed(rows, scale, config, generator)
    layer = LAYERS[config.layer](
        seeds,
        INITS[config.init],
        functools.partial(measure_gram, rows, scale, generator),
        config.hidden,
        generator,
    )
    training = _Training(layer, rows, scale, unit, config, generator)
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


def _seed(
    rows: Rows, scale: float, config: CompetitiveConfig, generator: torch.Generator
) -> tuple[Tensor, float]:
    """Choose rows by k-means++, among as many as bear a search, and take their sets' means.

    A row alone would keep its noise where the Gram matrix has little to say. Returns the
    means, and the root mean squared distance to them: the length that steps go by.
    """
    k = min(config.n_prototypes, rows.n_rows)
    most = max(k, min(_SEEDED_ROWS, _BATCH_ELEMENTS // rows.n_features))
    index = torch.arange(rows.n_rows)
    if rows.n_rows > most:
        index = torch.randperm(rows.n_rows, generator=generator)[:most]
    z = rows_at(rows, index, scale)
    weight = None if rows.weight is None else rows.weight[index.to(z.device)]
    chosen = z[kmeans_plusplus(z, k, generator, weight)]
    share = normalize_weights(weight, len(z), z).to(wide_dtype(z))
    nearest = nearest_prototypes(z, chosen)
    mass = share.new_zeros(k).index_add(0, nearest, share)
    sums = share.new_zeros(chosen.shape).index_add(0, nearest, z.to(share) * share[:, None])
    means = torch.where(mass[:, None] > 0, sums / mass[:, None], chosen.to(share)).to(z)
    error = hard_quantization_loss(centred_distances(z, means), weight)
    return means, math.sqrt(max(float(error), 0.0))


INITS = {"k-means++": False, "random": True}  # whether the layer begins at random weights


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
    unit : float
        Length of a step at rate 1.
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
        unit: float,
        config: CompetitiveConfig,
        generator: torch.Generator,
    ) -> None:
        self.layer, self.rows, self.scale, self.unit = layer, rows, scale, unit
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
        self._share: float | None = None

    def run(self, epoch: int, history: History) -> None:
        """Take the steps of one epoch, and record it."""
        sums = EpochEdges()
        for number, (z, weight) in enumerate(self._batches()):
            done = (epoch + number / self.steps) / self.epochs
            rate = self.config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))
            leaves = [p.value.detach().requires_grad_() for p in self.layer.parameters]
            distances = squared_distances(z, self.layer.prototypes(leaves))
            error = hard_quantization_loss(distances, weight)
            check_error(float(error.detach()), self.config)
            loss, penalty = self._loss(distances, error, weight)
            self.adam.step(torch.autograd.grad(loss, leaves), rate * self.unit)
            values = (float(term.detach()) for term in (error, penalty, loss))
            sums.add(distances.detach(), weight, *values)
        sums.record(history, self.area, rate)

    def _loss(
        self, distances: Tensor, error: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Eq. 21, as the config wants its second term."""
        if distances.shape[1] < 2 or not self.config.topology_weight:
            return error, error.new_zeros(())
        graph = TOPOLOGIES[self.config.topology]
        size = error.detach().clamp_min(torch.finfo(error.dtype).eps)
        penalty = graph.penalty(distances, float(size), weight)
        factor = self.config.topology_weight
        if not graph.relative:
            return error + factor * penalty, penalty
        if self._share is None:  # of the start's edges: a constant, so that fewer cost less
            self._share = min(1.0, _EDGES / max(float(penalty.detach()), 1.0))
        return error + factor * self._share * size * penalty, penalty

    def _batches(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        if self.steps == 1:
            if self._all is None:
                self._all = rows_at(self.rows, torch.arange(self.rows.n_rows), self.scale)
            yield self._all, self.rows.weight
            return
        order = torch.randperm(self.rows.n_rows, generator=self.generator)
        weight = self.rows.weight
        for drawn in torch.tensor_split(order, self.steps):  # no small last batch
            index = drawn.sort().values  # rows on disk are read in order
            part = None if weight is None else weight[index.to(weight.device)]
            yield rows_at(self.rows, index, self.scale), part


def check_error(error: float, config: CompetitiveConfig) -> None:
    """Require a finite quantisation error.

    Parameters
    ----------
    error : float
        Of a step.
    config : CompetitiveConfig
        For the message.

    Raises
    ------
    FloatingPointError
        If it is not finite.
    """
    if not math.isfinite(error):
        raise FloatingPointError(
            f"The quantisation error became {error}: learning_rate={config.learning_rate:g} or "
            f"topology_weight={config.topology_weight:g} is too large."
        )
