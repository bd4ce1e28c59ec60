"""Warm-ups: what a backbone learns before there are prototypes."""

import math
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import Prepared, assemble, prepare_backbone
from sklearn_ddcl.engine._neighbors import NEIGHBOR_SEARCHES, neighbor_graph
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._pretraining import fit_pretext
from sklearn_ddcl.engine._runtime import make_generator
from sklearn_ddcl.engine._tasks import AutoencoderTask, NeighborTask, SimCLRTask
from sklearn_ddcl.nn._augmentations import Augmentation, GaussianNoise
from sklearn_ddcl.nn._checks import check_count, check_real
from sklearn_ddcl.nn.backbones import MLP, make_decoder
from sklearn_ddcl.nn.options import Options

__all__ = ["Autoencoding", "NeighborContrast", "SimCLR", "WarmUp"]

_FEWEST_STEPS = 300
_STEPS_AT = 2_000  # rows for which 1,000 steps are taken
_MOST_STEPS = 6_000


class WarmUp(Options):
    """Base of the warm-ups: options of a run, and the task it trains.

    A subclass has the parameters ``n_steps``, ``batch_size`` and
    ``learning_rate`` and says what its task is.
    """

    n_steps: int | None
    batch_size: int
    learning_rate: float

    @abstractmethod
    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task for a backbone with ``width`` outputs and its rows."""

    def fit(
        self,
        X: Any,
        backbone: Any = "mlp",
        *,
        n_clusters: int | None = None,
        device: str = "auto",
        seed: int = 0,
        report: Any = None,
    ) -> Self:
        """Train a backbone, and keep it for any number of fits.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
            Samples.
        backbone : {"mlp", "cnn"}, nn.Module, or callable, default="mlp"
            As in `DDCLClustering`; modules are copied.
        n_clusters : int, optional
            Expected number of clusters, from which a default number of
            neighbours is made.
        device : str, default="auto"
            Where to train.
        seed : int, default=0
            Seed of the run's own generator.
        report : callable, optional
            Called with every history record.

        Returns
        -------
        WarmUp
            The object itself, with ``prepared_`` (the backbone and the rows it
            was trained on), ``task_``, ``history_`` and ``backbone_``.

        Raises
        ------
        ValueError
            If an option or the data are not allowed.
        """
        self.validate()
        generator = make_generator(seed)
        data = X if hasattr(X, "tocsr") else np.asarray(X)
        if data.dtype not in (np.float32, np.float64):
            data = data.astype(np.float64)
        prepared = prepare_backbone(backbone, data, None, generator)
        self.history_ = self.run(prepared, n_clusters, generator, device, report)
        double = data.dtype == np.float64
        self.backbone_ = assemble(prepared, torch.float64 if double else torch.float32)
        return self

    def run(
        self,
        prepared: Prepared,
        n_clusters: int | None,
        generator: torch.Generator,
        device: str,
        report: Any = None,
    ) -> list[dict[str, Any]]:
        """Train the body of a prepared backbone in place.

        Parameters
        ----------
        prepared : Prepared
            Backbone and rows.
        n_clusters : int or None
            Expected number of clusters.
        generator : torch.Generator
            Source of randomness.
        device : str
            Device name or "auto".
        report : callable, optional
            Called with every history record.

        Returns
        -------
        list of dict
            One record an epoch; the trained task is ``task_``.
        """
        width = _width(prepared)
        self.task_ = self.make_task(prepared, width, n_clusters, generator)
        self.prepared_ = prepared
        return fit_pretext(
            prepared.body,
            self.task_,
            prepared.inputs,
            steps=self.steps_for(len(prepared.inputs)),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            generator=generator,
            device=device,
            report=report,
        )

    def steps_for(self, n_rows: int) -> int:
        """Return the number of steps.

        Parameters
        ----------
        n_rows : int
            Number of samples.

        Returns
        -------
        int
            ``n_steps``, or what None stands for: growing with the square root
            of the samples, 1,000 at 2,000, at least 300 and at most 6,000.
        """
        if self.n_steps is not None:
            return self.n_steps
        steps = round(1_000 * math.sqrt(n_rows / _STEPS_AT))
        return min(max(steps, _FEWEST_STEPS), _MOST_STEPS)

    @property
    def fitted(self) -> bool:
        """Whether :meth:`fit` has been called: then the backbone is reused."""
        return hasattr(self, "backbone_")

    def __sklearn_clone__(self) -> Self:
        """Keep a fitted warm-up over ``clone``: it is there to be reused."""
        return self if self.fitted else type(self)(**self.get_params(deep=False))

    def _check_run(self) -> None:
        if self.n_steps is not None:
            check_count("n_steps", self.n_steps)
        check_count("batch_size", self.batch_size, at_least=2)
        check_real("learning_rate", self.learning_rate, above=0.0)


class NeighborContrast(WarmUp):
    r"""Heavy-tailed contrast of neighbours ("neighbors").

    Minimises :math:`-\log s(z_i, z_j) + \log \sum_l s(z_i, z_l)` for a
    neighbour j of i, the rows l of the batch and
    :math:`s(a, b) = 1 / (1 + \|a - b\|^2)` [1]_.

    Parameters
    ----------
    n_neighbors : int or None, default=None
        Neighbours of each sample. None takes 15, or fewer where clusters are
        small: a third of the mean cluster, and at least 3.
    n_steps : int or None, default=None
        Steps; None takes a number that grows with the square root of the
        samples: 1,000 for 2,000 of them.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=5e-3
        Largest rate of Adam.
    search : {"auto", "exact", "approximate"}, default="auto"
        How neighbours are found; "approximate" needs pynndescent, and "auto"
        takes it above 50,000 samples where it is installed.

    References
    ----------
    .. [1] J. N. Böhm, P. Berens and D. Kobak, "Unsupervised visualization of
       image datasets using contrastive learning", ICLR (2023).

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
        n_steps: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 5e-3,
        search: str = "auto",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.search = search

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        self._check_run()
        if self.n_neighbors is not None:
            check_count("n_neighbors", self.n_neighbors)
        if self.search not in NEIGHBOR_SEARCHES:
            raise ValueError(
                f"search must be one of {sorted(NEIGHBOR_SEARCHES)}, got {self.search!r}."
            )

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task on the rows' neighbour graph."""
        n_rows = len(prepared.inputs)
        count = self.n_neighbors
        if count is None:
            count = min(15, max(3, n_rows // (3 * (n_clusters or 1))))
        graph = neighbor_graph(prepared.components, count, generator, self.search)
        return NeighborTask(prepared.inputs, graph)


class Autoencoding(WarmUp):
    """Reconstruction of the samples ("autoencoder").

    Parameters
    ----------
    n_steps : int or None, default=None
        Steps; None as in `NeighborContrast`.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=1e-3
        Largest rate of Adam.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.options import Autoencoding
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> len(Autoencoding(n_steps=5).fit(X).history_)
    5
    """

    def __init__(
        self, n_steps: int | None = None, batch_size: int = 256, learning_rate: float = 1e-3
    ) -> None:
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        self._check_run()

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task with a fresh decoder."""
        return _autoencoder(prepared, width, generator)


class SimCLR(WarmUp):
    """Contrast of two views of each sample, with an autoencoder beside it ("simclr").

    The warm-up of the DDCL paper's Block 5; the contrast is that of [1]_.

    Parameters
    ----------
    augmentation : Augmentation or None, default=None
        Makes the views; None adds normal noise of half a standard deviation.
    temperature : float, default=0.5
        Of the contrast, > 0.
    autoencoder_weight : float, default=1.0
        Weight of the autoencoder, >= 0; 0 leaves it out.
    n_steps : int or None, default=None
        Steps; None as in `NeighborContrast`.
    batch_size : int, default=256
        Samples a step.
    learning_rate : float, default=1e-3
        Largest rate of Adam.

    References
    ----------
    .. [1] T. Chen, S. Kornblith, M. Norouzi and G. Hinton, "A simple framework
       for contrastive learning of visual representations", ICML (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.options import SimCLR
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> SimCLR(n_steps=5).fit(X).fitted
    True
    """

    def __init__(
        self,
        augmentation: Augmentation | None = None,
        temperature: float = 0.5,
        autoencoder_weight: float = 1.0,
        n_steps: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
    ) -> None:
        self.augmentation = augmentation
        self.temperature = temperature
        self.autoencoder_weight = autoencoder_weight
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        self._check_run()
        check_real("temperature", self.temperature, above=0.0)
        check_real("autoencoder_weight", self.autoencoder_weight, at_least=0.0)
        if self.augmentation is not None:
            if not isinstance(self.augmentation, Augmentation):
                raise ValueError(
                    "augmentation must be None or an object such as GaussianNoise(), "
                    f"got {self.augmentation!r}."
                )
            self.augmentation.validate()

    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task with fresh heads."""
        views = self.augmentation
        if views is None:
            views = GaussianNoise(scale=0.5 * _spread(prepared.inputs))
        beside = _autoencoder(prepared, width, generator) if self.autoencoder_weight else None
        projector = MLP(width, width, hidden=(2 * width,), generator=generator)
        return SimCLRTask(views, projector, self.temperature, beside, self.autoencoder_weight)


def _autoencoder(prepared: Prepared, width: int, generator: torch.Generator) -> AutoencoderTask:
    values = math.prod(prepared.inputs.shape[1:])
    decoder = make_decoder(prepared.body, width, values, generator)
    return AutoencoderTask(decoder, _spread(prepared.inputs) ** 2)


def _spread(inputs: Tensor) -> float:
    """Root mean variance of the values of a sample; 1 where all samples are equal."""
    return float(inputs.flatten(1).var(dim=0, correction=0).mean().sqrt()) or 1.0


@torch.no_grad()
def _width(prepared: Prepared) -> int:
    """Ask the backbone for the width of its features."""
    body: nn.Module = prepared.body
    training = body.training
    body.eval()
    try:
        features = body(prepared.inputs[:2].to(next(body.parameters(), prepared.inputs).device))
    finally:
        body.train(training)
    if features.ndim != 2:
        raise ValueError(
            f"backbone must return one feature vector a row, got shape {tuple(features.shape)}."
        )
    return int(features.shape[1])
