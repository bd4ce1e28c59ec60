"""Records of a stream: as many as a run needs, however long it is."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sklearn_ddcl.nn.distances import pairwise_separation

if TYPE_CHECKING:
    from sklearn_ddcl.engine._stream import Stream

__all__ = ["StreamHistory"]

_MOST = 512  # records; then every other one goes, and half as many are made
_MEMORY = 20  # records over which the loss is averaged, to which drift is relative


class StreamHistory:
    """One record a batch, of how the batch looked before the prototypes moved.

    Attributes
    ----------
    records : list of dict
        At most 512 records: when they are that many, every other one is left
        out, and from then on one is made for every second (fourth, ...) batch.
    every : int
        For how many batches there is one record.
    n_revived : int
        Prototypes moved to where they do more good, since the last record.
    """

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.every = 1
        self.n_revived = 0
        self.report: Any = None
        self._wanted = True
        self._sums: Tensor | None = None
        self._mean_loss: float | None = None

    def begin(self, number: int) -> None:
        """Begin a batch; what has no record is not measured."""
        self._sums, self._wanted = None, number % self.every == 0

    def watch(self, z: Tensor, weight: Tensor, p: Tensor, q: Tensor) -> Tensor:
        """Add a piece, its weights, and prototypes and assignments before the step.

        Returns
        -------
        Tensor of shape (k,)
            The prototypes' masses.
        """
        mass = weight @ q
        if not self._wanted:
            return mass
        mixture, root = q @ p, weight.sqrt().unsqueeze(1)
        ols = _square_sum((z - mixture).mul_(root))
        variance = mass @ p.square().sum(dim=1) - _square_sum(mixture.mul_(root))  # Eq. 23
        sums = torch.stack([ols, variance, _square_sum(q * root), weight.sum()])
        self._sums = sums if self._sums is None else self._sums + sums
        return mass

    def end(self, stream: "Stream", seconds: float) -> None:
        """Make the batch's record."""
        if self._sums is None:
            return
        ols, variance, concentration, mass = self._sums.tolist()
        ols, variance, concentration = ols / mass, max(variance, 0.0) / mass, concentration / mass
        loss = ols + variance
        usual = loss if self._mean_loss is None else self._mean_loss
        drift = loss / usual - 1.0 if usual > 0.0 else 0.0
        self._mean_loss = usual + (loss - usual) / min(len(self.records) + 1, _MEMORY)
        area = stream.frame.area
        record = {
            "epoch": stream.n_batches,
            "phase": "stream",
            "n_samples": stream.n_samples,
            "temperature": stream.temperature,
            "loss_quantization": loss * area,
            "loss_ols": ols * area,
            "variance": variance * area,
            "separation": float(pairwise_separation(stream.scaled_prototypes)) * area,
            "concentration": concentration,
            "force": 1.0 - concentration,
            "drift": drift,
            "n_active": int((stream.mass >= 0.5).sum()),
            "n_revived": self.n_revived,
            "seconds": seconds,
        }
        self.n_revived = 0
        self.records.append(record)
        if self.report is not None:
            self.report(record)
        if len(self.records) >= _MOST:
            self.records = self.records[1::2]
            self.every *= 2


def _square_sum(values: Tensor) -> Tensor:
    flat = values.reshape(-1)
    return flat @ flat
