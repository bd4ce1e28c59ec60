"""Sums over the steps of a competitive epoch, for its record."""

import torch
from torch import Tensor

from sklearn_ddcl.engine._history import History
from sklearn_ddcl.nn.topology import hebbian_edges, two_winners

__all__ = ["EpochEdges"]


class EpochEdges:
    """Error, penalty and edges of an epoch, each step at its own prototypes.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.engine._history import History
    >>> sums, history = EpochEdges(), History()
    >>> sums.add(torch.tensor([[0.0, 1.0, 9.0]]), None, error=0.0, penalty=2.0, loss=0.2)
    >>> sums.record(history, area=1.0, rate=0.5)
    >>> history.records[0]["n_edges"], history.records[0]["n_active"]
    (1, 1)
    """

    def __init__(self) -> None:
        self._edges: Tensor | None = None
        self._wins: Tensor | None = None
        self._error = self._penalty = self._loss = self._mass = 0.0

    def add(
        self,
        distances: Tensor,
        weight: Tensor | None,
        error: float,
        penalty: float,
        loss: float,
    ) -> None:
        """Add a step.

        Parameters
        ----------
        distances : Tensor of shape (b, k)
            Squared distances.
        weight : Tensor of shape (b,) or None
            Positive weights.
        error, penalty, loss : float
            Mean squared distance to the winner, squared norm of the graph, and
            what is minimised.
        """
        k = distances.shape[1]
        mass = float(len(distances) if weight is None else weight.sum())
        self._mass += mass
        self._error += mass * error
        self._penalty += mass * penalty
        self._loss += mass * loss
        if k < 2:
            edges = torch.zeros(k, k)
            wins = torch.ones(k, dtype=torch.int64)
        else:
            first, second = two_winners(distances)
            edges = hebbian_edges(first, second, k)
            wins = torch.bincount(first, minlength=k)
        self._edges = edges if self._edges is None else self._edges + edges
        self._wins = wins if self._wins is None else self._wins + wins

    def record(self, history: History, area: float, rate: float) -> None:
        """Add the epoch's record, in squared units of the data.

        Parameters
        ----------
        history : History
            Where it goes.
        area : float
            Squared unit of the distances.
        rate : float
            Learning rate of the last step.
        """
        if self._edges is None or self._wins is None:
            return
        error = self._error / self._mass * area
        terms = {
            "loss": self._loss / self._mass * area,
            "loss_quantization": error,
            "loss_topology": self._penalty / self._mass,
            "n_active": int((self._wins > 0).sum()),
            "n_edges": int((self._edges > 0).sum()) // 2,
            "learning_rate": rate,
        }
        history.add("competition", error, terms)
