"""What an epoch's steps have shown, summed up as they go: no further pass over the data."""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._joint_module import StepOutput
from sklearn_ddcl.nn.distances import pairwise_separation, prototype_distances

__all__ = ["EpochSummary", "EpochSums"]


class EpochSummary(NamedTuple):
    """Means over an epoch's rows, each at the step that held it.

    Attributes
    ----------
    loss, pretext : float
        What was minimised, and the pretext task's part before its weight.
    quantization, ols, variance : float
        Lq, L_OLS and V, each from its own definition; squared distances.
    separation : float
        S(P) of Eq. 35, a squared distance.
    concentration : float
        K of Eq. 36.
    latent_variance : float
        Variance of the features within a batch, summed over their columns.
    label_change : float
        Share of rows whose nearest prototype is another than the epoch before.
    prototype_norm : float
        Frobenius norm of the last step's prototypes.
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
        self._terms: list[Tensor] = []
        self._sizes: list[int] = []

    @torch.no_grad()
    def add(self, step: StepOutput, index: Tensor) -> None:
        """Add a step; nothing is copied to the host.

        Parameters
        ----------
        step : StepOutput
            The step.
        index : Tensor of shape (b,), int64
            Its rows.
        """
        zero = step.loss.new_zeros(())
        head = [step.loss, zero if step.pretext is None else step.pretext.to(step.loss)]
        self._sizes.append(len(index))
        self._terms.append(torch.stack(head + self._cluster_terms(step, index)))

    def _cluster_terms(self, step: StepOutput, index: Tensor) -> list[Tensor]:
        if step.cluster is None:
            return []
        z, p, distances, q, _ = step.cluster
        nearest = distances.min(dim=1)
        changed = (self.labels[index] != nearest.indices).to(z.dtype).mean()
        self.labels[index] = nearest.indices
        self.errors[index] = nearest.values
        overlap = (q.T @ q) / len(z)
        centre = p.mean(dim=0)  # a common offset would cost digits
        residual = (z - centre) - q @ (p - centre)
        return [
            (q * distances).sum() / len(z),
            residual.square().sum() / len(z),
            0.5 * (overlap * prototype_distances(p)).sum(),
            pairwise_separation(p),
            overlap.trace(),
            z.var(dim=0, correction=0).sum(),
            changed,
            torch.linalg.vector_norm(p),
        ]

    def finish(self) -> EpochSummary | None:
        """Return the epoch's means and start anew; None if there was no step.

        Returns
        -------
        EpochSummary or None
            The means over rows.
        """
        if not self._terms:
            return None
        # one transfer; the sum is taken in float64
        table = torch.stack(self._terms).cpu().double()
        share = torch.tensor(self._sizes, dtype=torch.float64)
        means = ((share / share.sum()) @ table).tolist()
        last = float(table[-1, -1])
        self._terms, self._sizes = [], []
        nan = float("nan")
        if len(means) == 2:
            return EpochSummary._make(means + [nan] * 8)
        return EpochSummary._make([*means[:-1], last])
