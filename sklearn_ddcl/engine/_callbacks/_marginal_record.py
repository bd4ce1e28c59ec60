"""The history of training with a partition support: how evenly clusters are used."""

import math
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.engine._history import History

__all__ = ["MarginalRecord", "marginal_terms"]


class MarginalRecord(Callback):  # type: ignore[misc]  # skorch has no types
    """Records an epoch, with entropy and variance of hard and soft marginal assignments.

    Each row counts as it was assigned at its own step; hard assignments are those
    of the nearest prototype, whatever the support made of the batch.

    Parameters
    ----------
    history : History
        Where records go.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.soft_: Any = 0.0

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Start summing."""
        self.soft_ = 0.0

    def on_batch_end(self, net: Any, y_pred: Any = None, **kwargs: Any) -> None:
        """Add a batch's soft assignments."""
        self.soft_ = self.soft_ + y_pred.cluster.assignments.detach().sum(dim=0)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the record of an epoch."""
        s, sums = net.summary_, net.sums_
        terms = {
            "loss": s.loss,
            "loss_quantization": s.quantization,
            "quantization_error": float(sums.errors.double().mean()),
            **marginal_terms(sums.counts, self.soft_),
            "n_active": int(torch.count_nonzero(sums.counts)),
            "label_change": s.label_change,
            "latent_variance": s.latent_variance,
        }
        self.history.add("online", net.module_.temperature, terms)


def marginal_terms(hard: Tensor, soft: Tensor) -> dict[str, float]:
    """Return what Tables 1 and 2 of the hard-regularisation paper measure.

    Parameters
    ----------
    hard : Tensor of shape (k,)
        Rows of each cluster.
    soft : Tensor of shape (k,)
        Sums of the soft assignments to each.

    Returns
    -------
    dict
        Variance of the sizes over the mean size (CVar), and entropy in bits, of
        both.

    Examples
    --------
    >>> import torch
    >>> terms = marginal_terms(torch.tensor([4, 0]), torch.tensor([2.0, 2.0]))
    >>> terms["cluster_size_variance"], terms["hard_entropy"], terms["soft_entropy"]
    (2.0, 0.0, 1.0)
    """
    terms = {}
    for sizes, variance, entropy in (
        (hard, "cluster_size_variance", "hard_entropy"),
        (soft, "soft_size_variance", "soft_entropy"),
    ):
        wide = sizes.cpu().double()
        terms[variance] = float(wide.var(correction=0) / wide.mean())
        terms[entropy] = float(torch.special.entr(wide / wide.sum()).sum() / math.log(2.0))
    return terms
