"""What all warm-ups share: how a backbone is trained alone, kept and reused."""

import math
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from scipy.sparse import issparse

from sklearn_ddcl.engine._backbones import Prepared, assemble, prepare_backbone
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._pretraining import fit_pretext
from sklearn_ddcl.engine._runtime import float_type, make_generator, torch_defaults
from sklearn_ddcl.nn._checks import check_count, check_real
from sklearn_ddcl.nn.options import Options

__all__ = ["WarmUp"]

_FEWEST_STEPS = 300
_STEPS_AT = 2_000  # rows for which 900 steps are taken
_DRAWS, _MOST_DRAWS = 60, 150  # times that a sample is drawn at least
_MANY = 10_000  # rows from which on each one is drawn more often: there is more to learn
_GROWTH, _DRAWS_GROWTH = 0.6, 0.24  # powers of the number of rows
_WIDE, _SMALLEST_SHARE = 50, 0.5  # fewer inputs than this take fewer steps, at least this share


class WarmUp(Options):
    """Base of the warm-ups: options of a run, and the task it trains.

    A subclass has the parameters ``n_steps``, ``batch_size`` and
    ``learning_rate`` and says what its task is.

    Examples
    --------
    >>> from sklearn_ddcl.engine import NeighborContrast, WarmUp
    >>> isinstance(NeighborContrast(), WarmUp)
    True
    """

    n_steps: int | None
    batch_size: int
    learning_rate: float
    searches_neighbors = True  # whether `make_task` reads the rows' principal components

    @abstractmethod
    def make_task(
        self, prepared: Prepared, width: int, n_clusters: int | None, generator: torch.Generator
    ) -> PretextTask:
        """Return the task for a backbone with ``width`` outputs and its rows.

        Parameters
        ----------
        prepared : Prepared
            Backbone and rows.
        width : int
            Number of features.
        n_clusters : int or None
            Expected number of clusters.
        generator : torch.Generator
            Source of randomness.

        Returns
        -------
        PretextTask
            The task.
        """

    @torch_defaults()
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
        data = _checked(X)
        prepared = prepare_backbone(backbone, data, None, generator, self.searches_neighbors)
        self.history_ = self.run(prepared, n_clusters, generator, device, report)
        self.backbone_ = assemble(prepared, float_type(data.dtype))
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

        Raises
        ------
        ValueError
            If the backbone does not return one feature vector a row, or there
            is nothing to train.
        """
        width = encode(prepared.body, prepared.inputs[:2]).shape[1]
        self.task_ = self.make_task(prepared, width, n_clusters, generator)
        trained = [*prepared.body.parameters(), *self.task_.parameters()]
        if not any(parameter.requires_grad for parameter in trained):
            raise ValueError(
                "The 'backbone' has no parameters to train: pass warm_up=None, or backbone=None "
                "to cluster the samples as they are."
            )
        self.prepared_ = prepared
        return fit_pretext(
            prepared.body,
            self.task_,
            prepared.inputs,
            steps=self.steps_for(len(prepared.inputs), prepared.inputs[0].numel()),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            generator=generator,
            device=device,
            report=report,
        )

    def steps_for(self, n_rows: int, n_inputs: int = _WIDE) -> int:
        """Return the number of steps.

        Parameters
        ----------
        n_rows : int
            Number of samples.
        n_inputs : int, default=50
            Number of values of a sample.

        Returns
        -------
        int
            ``n_steps``, or what None stands for: 900 for 2,000 samples, growing
            with the power 0.6 of their number, and enough to draw each sample
            60 times; above 10,000 samples the draws grow with the power 0.24,
            up to 150. Below 50 inputs the steps fall with the power 0.6 of
            their number, down to one half. At least 300.
        """
        if self.n_steps is not None:
            return self.n_steps
        steps = 900.0 * math.pow(n_rows / _STEPS_AT, _GROWTH)
        draws = min(_DRAWS * math.pow(max(n_rows / _MANY, 1.0), _DRAWS_GROWTH), _MOST_DRAWS)
        share = max(math.pow(min(n_inputs / _WIDE, 1.0), _GROWTH), _SMALLEST_SHARE)
        return max(round(share * max(steps, draws * n_rows / self.batch_size)), _FEWEST_STEPS)

    @property
    def fitted(self) -> bool:
        """Whether :meth:`fit` has been called: then the backbone is reused."""
        return hasattr(self, "backbone_")

    def set_params(self, **params: Any) -> Self:
        """Change parameters, as long as there is no training that they belong to.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        WarmUp
            The object itself.

        Raises
        ------
        ValueError
            If a name is unknown, or a value of a fitted object would change.
        """
        held = self.get_params()
        changes = [f"{key}={new!r}" for key, new in params.items() if held.get(key, self) != new]
        if self.fitted and changes:
            raise ValueError(
                f"A fitted {type(self).__name__} is shared by all fits that reuse it, and keeps "
                f"the options that it was fitted with. Got {', '.join(changes)}: make a new one."
            )
        return super().set_params(**params)

    def __sklearn_clone__(self) -> Self:
        """Keep a fitted warm-up over ``clone``: it is there to be reused."""
        return self if self.fitted else type(self)(**self.get_params(deep=False))

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        if self.n_steps is not None:
            check_count("n_steps", self.n_steps)
        check_count("batch_size", self.batch_size, at_least=2)
        check_real("learning_rate", self.learning_rate, above=0.0)


def _checked(X: Any) -> Any:
    """Return finite rows in float32 or float64: what estimators have checked before."""
    data = X.tocsr() if issparse(X) else np.asarray(X)
    if data.dtype not in (np.float32, np.float64):
        data = data.astype(np.float64)
    if data.ndim < 2 or 0 in data.shape:
        raise ValueError(f"X must have rows and columns, got shape {data.shape}.")
    if not np.isfinite(data.data if issparse(data) else data).all():
        raise ValueError("X must be finite, got NaN or infinity.")
    return data
