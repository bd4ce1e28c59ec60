"""Training batch by batch with a partition support: what differs in module and net."""

import copy
import sys
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._joint_checks import check_finite
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._supports import SupportedTerm
from sklearn_ddcl.nn.distances import mean_distance
from sklearn_ddcl.nn.losses import Objective
from sklearn_ddcl.nn.partition_support import PartitionSupport

__all__ = ["OnlineModule", "OnlineNet"]

_BETAS = (0.9, 0.99)  # section 4.2 of the paper


class OnlineModule(JointModule):
    """Backbone and prototypes under the paper's loss, at a temperature relative to the batch.

    Parameters
    ----------
    backbone : nn.Module
        Features (b, d) from inputs (b, ...).
    layer : nn.Module
        Layer whose prototypes are its weights.
    support : PartitionSupport
        Assigns the batches.
    warmth : float
        Temperature of soft assignments, a multiple of the batch's mean squared
        distance.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.nn import PartitionSupport, VanillaPrototypes
    >>> module = OnlineModule(nn.Identity(), VanillaPrototypes(2, 1), PartitionSupport(), 0.5)
    >>> step = module(torch.arange(2), torch.zeros(2, 1))
    >>> bool(step.loss == step.cluster.distances.amin(dim=1).mean())
    True
    """

    def __init__(
        self, backbone: nn.Module, layer: nn.Module, support: PartitionSupport, warmth: float
    ) -> None:
        super().__init__(backbone, layer, Objective(SupportedTerm(support)), free_scale=True)
        self.warmth = warmth

    def _temperature_for(self, distances: Tensor) -> float:
        # before the support sees them: there a NaN would be an argument that is not allowed
        check_finite("squared distances of a batch to the prototypes", distances)
        self.temperature = max(self.warmth * mean_distance(distances), sys.float_info.min)
        return self.temperature


class OnlineNet(TrainingNet):
    """The one training loop, with Adam for backbone and prototypes alike.

    Parameters
    ----------
    module : OnlineModule
        What to train.
    **options : dict
        Those of `TrainingNet`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.nn import PartitionSupport, VanillaPrototypes
    >>> layer = VanillaPrototypes(2, 1)
    >>> module = OnlineModule(nn.Linear(3, 1), layer, PartitionSupport(), 0.5)
    >>> net = OnlineNet(module, generator=torch.Generator().manual_seed(0), max_epochs=2)
    >>> len(net.fit(torch.rand(20, 3)).optimizer_.param_groups[0]["params"])
    3
    """

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "OnlineNet":
        """Make Adam for all parameters."""
        self.clipped_ = [p for p in self.module_.parameters() if p.requires_grad]
        kind = torch.device(self.device).type
        self.optimizer_: Any = torch.optim.AdamW(
            self.clipped_,
            lr=self.lr,
            betas=_BETAS,
            weight_decay=0.0,
            fused=kind in ("cpu", "cuda"),
        )
        self.scaler_ = torch.amp.GradScaler(kind, enabled=False)
        return self

    def resume(self, moments: dict[str, Any] | None) -> "OnlineNet":
        """Initialise, with the optimiser where an earlier training left it.

        Parameters
        ----------
        moments : dict or None
            Its state, copied; None begins anew. The learning rate is the net's own.

        Returns
        -------
        OnlineNet
            The net itself.
        """
        self.initialize()
        if moments is not None:
            self.optimizer_.load_state_dict(copy.deepcopy(moments))
            for group in self.optimizer_.param_groups:
                group["lr"] = self.lr
        return self

    @property
    def moments(self) -> dict[str, Any]:
        """The optimiser's state, for `resume`; on the CPU, wherever was computed."""
        held: dict[str, Any] = self.optimizer_.state_dict()
        state = {
            number: {name: value.cpu() for name, value in own.items()}
            for number, own in held["state"].items()
        }
        return {**held, "state": state}
