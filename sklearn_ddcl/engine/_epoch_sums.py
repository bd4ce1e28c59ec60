"""What an epoch's steps have shown, summed up as they go: no further pass over the data."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._joint_module import StepOutput
from sklearn_ddcl.nn.distances import pairwise_separation
from sklearn_ddcl.nn.numerics import wide_dtype
from sklearn_ddcl.nn.outputs import ClusterOutput

_ELEMENTS = 1 << 17  # of distances kept until they are summed up: what fits a cache
_ROUNDING = 1e-12  # of V, relative to the larger of its two terms

__all__ = ["EpochSummary", "EpochSums", "cluster_sums"]


class EpochSummary(NamedTuple):
    """Means over an epoch's rows, each at the step that held it.

    Attributes
    ----------
    loss, pretext : float
        What was minimised, and the pretext task's part before its weight.
    quantization, ols, variance : float
        Lq, L_OLS and V, each from its own definition; squared distances.
    separation, prototype_norm : float
        S(P) of Eq. 35, a squared distance, and the Frobenius norm of P, both
        of the last step's prototypes.
    concentration : float
        K of Eq. 36.
    latent_variance : float
        Variance of the features within a batch, summed over their columns.
    label_change : float
        Share of rows whose nearest prototype is another than the epoch before.
    """

    loss: float
    pretext: float
    quantization: float
    ols: float
    variance: float
    separation: float
    concentration: float
    latent_variance: float
    label_change: float
    prototype_norm: float


class EpochSums:
    """Sums over the steps of an epoch, and the last label of each row.

    Parameters
    ----------
    n_rows : int
        Number of rows n.
    device : torch.device or str, default="cpu"
        Where the steps compute.
    dtype : torch.dtype, default=torch.float32
        Type in which they compute.

    Attributes
    ----------
    labels : Tensor of shape (n,), int64
        Nearest prototype of each row when last seen; -1 before.
    errors : Tensor of shape (n,)
        Squared distance to it.
    counts : Tensor of shape (k,), int64
        Rows of each prototype after the last epoch.

    Examples
    --------
    >>> import torch
    >>> EpochSums(5).labels
    tensor([-1, -1, -1, -1, -1])
    """

    def __init__(
        self,
        n_rows: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.labels = torch.full((n_rows,), -1, dtype=torch.int64, device=device)
        self.errors = torch.zeros(n_rows, device=device, dtype=dtype)
        self.counts = torch.zeros(0, dtype=torch.int64, device=device)
        self._clear()

    def _clear(self) -> None:
        self._losses: list[Tensor] = []
        self._rows: list[Tensor] = []
        self._waiting: list[ClusterOutput] = []
        self._sums: list[tuple[float, ...]] = []
        self._changed = 0.0
        self._prototypes: Tensor | None = None

    @torch.no_grad()
    def add(self, step: StepOutput, rows: Tensor) -> None:
        """Add a step; the arithmetic is put off until there are some of one size.

        Parameters
        ----------
        step : StepOutput
            The step.
        rows : Tensor of shape (b,), int64
            Its row numbers.
        """
        self._losses.append(step.loss.detach())
        if step.pretext is not None:
            self._losses.append(step.pretext.detach().to(step.loss.dtype))
        cluster = step.cluster
        if cluster is not None:
            if self._waiting and len(cluster.z) != len(self._waiting[0].z):
                self._flush()
            self._waiting.append(detached(cluster))
            self._prototypes = cluster.prototypes.detach()
        self._rows.append(rows)
        if cluster is not None and len(self._waiting) * cluster.distances.numel() > _ELEMENTS:
            self._flush()

    @torch.no_grad()
    def finish(self) -> EpochSummary | None:
        """Return the epoch's means and start anew; None if there was no step.

        Returns
        -------
        EpochSummary or None
            The means over rows.
        """
        if not self._rows:
            return None
        sizes = [len(rows) for rows in self._rows]
        n_rows, losses = sum(sizes), torch.stack(self._losses).tolist()
        each = len(losses) // len(sizes)  # the loss, and the pretext task's if there is one
        parts = (zip(sizes, losses[first::each], strict=True) for first in range(each))
        means = [math.fsum(size * loss for size, loss in part) / n_rows for part in parts]
        head = means if each == 2 else [*means, 0.0]
        tail = [math.nan] * 8
        p = self._prototypes
        if p is not None:
            self._flush()
            columns = zip(*self._sums, strict=True)
            *terms, k, spread = (math.fsum(column) / n_rows for column in columns)
            self.counts = torch.bincount(self.labels.clamp_min(0), minlength=len(p))
            norm = float(torch.linalg.vector_norm(p))
            change = self._changed / n_rows
            tail = [*terms, float(pairwise_separation(p)), k, spread, change, norm]
        self._clear()
        return EpochSummary._make(head + tail)

    def _flush(self) -> None:
        """Sum up the waiting steps, all of one size."""
        if self._waiting:
            self._sums.append(cluster_sums(self._waiting))
            self._changed += self._relabel(self._waiting)
            self._waiting = []

    def _relabel(self, outputs: list[ClusterOutput]) -> float:
        """Store labels and errors of the steps' rows, and return how many changed."""
        rows = torch.cat(self._rows[-len(outputs) :])
        values, indices = torch.cat([output.distances for output in outputs]).min(dim=1)
        changed = (self.labels.index_select(0, rows) != indices).sum()
        self.labels.index_copy_(0, rows, indices)
        self.errors.index_copy_(0, rows, values)
        return float(changed)


def detached(output: ClusterOutput) -> ClusterOutput:
    """Return a step's output without its graph."""
    z, p, distances, q, temperature = output
    return ClusterOutput(z.detach(), p.detach(), distances.detach(), q.detach(), temperature)


def cluster_sums(outputs: list[ClusterOutput]) -> tuple[float, ...]:
    """Return sums of Lq, L_OLS, V, K and the features' variance over steps of one size.

    Lq, L_OLS and V each come from their own definition, so that Theorem 1 can be checked. All
    steps go through each operation at once, as on small batches its start costs as much as its
    arithmetic.

    Parameters
    ----------
    outputs : list of ClusterOutput
        Steps of b rows each, without graph.

    Returns
    -------
    tuple of 5 floats
        Sums over all rows.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import ClusterOutput
    >>> z, p = torch.tensor([[0.5]]), torch.tensor([[-1.0], [1.0]])
    >>> distances, q = torch.tensor([[2.25, 0.25]]), torch.tensor([[0.5, 0.5]])
    >>> cluster_sums([ClusterOutput(z, p, distances, q, 1.0)])
    (1.25, 0.25, 1.0, 0.5, 0.0)
    """
    wide = wide_dtype(outputs[0].z)  # the two terms of V are large beside their difference
    z = torch.stack([output.z for output in outputs]).to(wide)
    p = torch.stack([output.prototypes for output in outputs]).to(wide)
    distances = torch.stack([output.distances for output in outputs])
    q = torch.stack([output.assignments for output in outputs])
    loss = (q * distances).sum()
    q = q.to(wide)
    q = q / q.sum(dim=2, keepdim=True)
    centre = p.mean(dim=1, keepdim=True)  # a common offset would cost digits
    z, p = z - centre, p - centre
    mixture = q @ p
    moment = (q.sum(dim=1) * p.square().sum(dim=2)).sum()
    deviation = z - z.mean(dim=1, keepdim=True)
    sums = (loss.to(wide), moment, *map(_squared_norm, (z - mixture, mixture, q, deviation)))
    quantization, moment, ols, mean_moment, concentration, spread = torch.stack(sums).tolist()
    variance = moment - mean_moment
    if abs(variance) <= _ROUNDING * moment:
        variance = max(variance, 0.0)
    unbiased = z.shape[1] / max(1, z.shape[1] - 1)
    return quantization, ols, variance, concentration, spread * unbiased


def _squared_norm(values: Tensor) -> Tensor:
    flat = values.flatten()
    return flat @ flat
