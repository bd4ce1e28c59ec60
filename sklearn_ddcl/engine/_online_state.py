"""What online training is given, and where it stands between two batches."""

import math
from typing import Any, NamedTuple

from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import Prepared
from sklearn_ddcl.engine._labelling import Labelled
from sklearn_ddcl.nn.partition_support import PartitionSupport

__all__ = ["OnlineConfig", "OnlineResult", "OnlineState"]

_STEPS, _LEAST, _MOST = 1000, 10, 200
_RECENT = 50  # samples a cluster, within which one that is in use has been the nearest


class OnlineConfig(NamedTuple):
    """What the engine needs for online training.

    Attributes
    ----------
    n_clusters : int
        Number of clusters k.
    support : PartitionSupport
        Assigns batches in training.
    temperature : float
        Temperature of soft assignments, a multiple of the mean squared distance.
    backbone : str, nn.Module or callable
        As in `prepare_backbone`.
    batch_size : int
        Rows a step.
    learning_rate : float
        Adam's.
    device : str
        Device name or "auto".
    seed : int
        Seed of the run's own generator.
    epochs : int or None
        Passes over the samples of a fit; None takes `epochs_for`'s.
    report : callable or None
        Called with every history record as it is made.
    """

    n_clusters: int
    support: PartitionSupport
    temperature: float = 0.1
    backbone: Any = "mlp"
    batch_size: int = 256
    learning_rate: float = 1e-3
    device: str = "auto"
    seed: int = 0
    epochs: int | None = None
    report: Any = None

    def epochs_for(self, n_rows: int) -> int:
        """Return the number of epochs: by default 10 to 200, of 1,000 steps in all.

        Parameters
        ----------
        n_rows : int
            Number of samples.

        Returns
        -------
        int
            ``epochs``, or what None stands for.
        """
        if self.epochs is not None:
            return self.epochs
        steps_each = math.ceil(n_rows / self.batch_size)
        return min(max(math.ceil(_STEPS / steps_each), _LEAST), _MOST)


class OnlineState(NamedTuple):
    """Where a training stands between two batches; never changed, so that it may be kept.

    Attributes
    ----------
    prepared : Prepared
        The backbone on the CPU, in float32, and one row as it takes them.
    prototypes : Tensor of shape (k, d)
        Prototypes, float32.
    moments : dict or None
        State of the optimiser; None before the first step.
    randomness : Tensor
        State of the generator.
    temperature : float
        Of the last batch's soft assignments; 0 before.
    seen : int
        Rows trained on, counted in each epoch.
    nearest_at : Tensor of shape (k,), int64
        What ``seen`` was when the prototype was last nearest to a row.
    epochs : int
        Passes over samples so far.
    records : tuple of dict
        One for each; of many calls, the last 512.
    """

    prepared: Prepared
    prototypes: Tensor
    moments: dict[str, Any] | None
    randomness: Tensor
    temperature: float
    seen: int
    nearest_at: Tensor
    epochs: int
    records: tuple[dict[str, Any], ...]

    @property
    def n_recent(self) -> int:
        """Number of prototypes that were nearest to one of the last 50 k rows."""
        return int((self.seen - self.nearest_at <= _RECENT * len(self.prototypes)).sum())


class OnlineResult(NamedTuple):
    """A model that can predict, as numpy arrays and a module on the CPU.

    Attributes
    ----------
    state : OnlineState
        From which training can go on.
    backbone : nn.Module
        Samples to features, in the dtype of the samples.
    clusters : Labelled
        Prototypes, labels and inertia.
    """

    state: OnlineState
    backbone: nn.Module
    clusters: Labelled
