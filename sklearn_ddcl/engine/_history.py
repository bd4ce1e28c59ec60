"""Records of a fit: what the theory says to watch, read off the sums of a pass."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.engine._passes import SoftPass
from sklearn_ddcl.nn.distances import pairwise_separation, prototype_distances

__all__ = ["History", "soft_terms"]

Record = dict[str, Any]


class History:
    """Collects records and passes each one on as it is made.

    Parameters
    ----------
    report : callable or None
        Called with every record.
    before : int, default=0
        Number of records that were made before.
    """

    def __init__(self, report: Callable[[Record], None] | None = None, before: int = 0) -> None:
        self.records: list[Record] = []
        self.report = report
        self.before = before
        self._start = time.perf_counter()

    def add(self, phase: str, temperature: float, terms: Record) -> None:
        """Append a record with its number, phase, temperature and seconds since the start."""
        record = {
            "epoch": self.before + len(self.records) + 1,
            "phase": phase,
            "temperature": temperature,
            **terms,
            "seconds": time.perf_counter() - self._start,
        }
        self.records.append(record)
        if self.report is not None:
            self.report(record)


def soft_terms(p: Tensor, statistics: SoftPass, inertia: float, area: float) -> Record:
    """Return Lq, L_OLS, V, S, K and I of one soft pass, in squared units of the data.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes that made the assignments, in frame coordinates.
    statistics : SoftPass
        Its sums, with ``overlap``.
    inertia : float
        Weighted sum of squared norms of the rows, in frame coordinates.
    area : float
        Squared unit of the frame.

    Returns
    -------
    dict
        The six terms and the number of prototypes with half a row or more.

    Raises
    ------
    ValueError
        If the statistics lack the overlap.
    """
    if statistics.overlap is None:
        raise ValueError("soft_terms needs the overlap of the soft pass, which was not computed.")
    mass, total = statistics.mass, float(statistics.mass.sum())
    p = p.to(mass)
    quantization = (
        inertia + float(mass @ p.square().sum(1)) - 2 * float((p * statistics.sums).sum())
    )
    # V as a sum over pairs (Eq. 23 for q on the simplex): non-negative by construction
    variance = 0.5 * float((statistics.overlap * prototype_distances(p)).sum())
    concentration = float(statistics.overlap.trace()) / total
    return {
        "loss_quantization": quantization / total * area,
        "loss_ols": (quantization - variance) / total * area,
        "variance": variance / total * area,
        "separation": float(pairwise_separation(p)) * area,
        "concentration": concentration,
        "force": 1.0 - concentration,
        "n_active": int((mass >= 0.5).sum()),
    }


def hard_terms(p: Tensor, mass: Tensor, inertia: float, area: float) -> Record:
    """Return the same terms for hard assignments, where V = 0 and K = 1.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    mass : Tensor of shape (k,)
        Weight of each Voronoi set.
    inertia : float
        Weighted sum of squared distances, in frame coordinates.
    area : float
        Squared unit of the frame.

    Returns
    -------
    dict
        The same keys as `soft_terms`.
    """
    loss = inertia / float(mass.sum()) * area
    return {
        "loss_quantization": loss,
        "loss_ols": loss,
        "variance": 0.0,
        "separation": float(pairwise_separation(p.to(torch.float64))) * area,
        "concentration": 1.0,
        "force": 0.0,
        "n_active": int((mass > 0).sum()),
    }
