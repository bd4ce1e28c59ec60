"""The fitted network: a backbone followed by frozen prototypes."""

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._distances import centred_distances
from sklearn_ddcl.engine._groups import check_groups, sum_by_group
from sklearn_ddcl.nn._checks import check_columns
from sklearn_ddcl.nn.assignments import soft_assignments
from sklearn_ddcl.nn.outputs import ClusterOutput

__all__ = ["PrototypeModel", "make_module"]


class PrototypeModel(nn.Module):
    """Maps samples to features, distances and soft assignments.

    Parameters
    ----------
    backbone : nn.Module
        Features (n, d) from samples; the identity for given features.
    prototypes : Tensor of shape (m, d)
        Frozen prototypes, kept as a buffer so that they move and save with
        the module.
    temperature : float
        Temperature of the soft assignments, > 0.
    groups : Tensor of shape (m,), int64, optional
        Cluster of each prototype, consecutive from 0, a buffer too. None
        takes each prototype as a cluster.
    """

    prototypes: Tensor
    groups: Tensor | None

    def __init__(
        self,
        backbone: nn.Module,
        prototypes: Tensor,
        temperature: float,
        groups: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("prototypes", prototypes)
        self.register_buffer("groups", groups)
        self.temperature = temperature

    @property
    def takes_features(self) -> bool:
        """Whether samples are features already: the backbone is the identity."""
        return type(self.backbone) is nn.Identity

    def cluster_assignments(self, assignments: Tensor) -> Tensor:
        """Return assignments (n, k) to clusters from those (n, m) to prototypes."""
        return assignments if self.groups is None else sum_by_group(assignments, self.groups)

    def forward(self, x: Tensor) -> ClusterOutput:
        """Return features, distances and assignments (Eq. 8) of the samples."""
        z = self.backbone(x)
        check_columns("z", z, "prototypes", self.prototypes)
        squares = centred_distances(z, self.prototypes)
        q = soft_assignments(squares, self.temperature)
        return ClusterOutput(z, self.prototypes, squares, q, self.temperature)


def make_module(
    prototypes: np.ndarray,
    temperature: float,
    backbone: nn.Module | None = None,
    groups: np.ndarray | None = None,
) -> PrototypeModel:
    """Wrap a backbone and prototypes as a torch module on the CPU.

    Parameters
    ----------
    prototypes : ndarray of shape (m, d)
        Fitted prototypes; copied.
    temperature : float
        Last temperature; 0 (constant data) is replaced by the smallest
        positive number, which gives hard assignments.
    backbone : nn.Module, optional
        Trained backbone on the CPU; not copied, put into evaluation mode.
        None takes samples as features.
    groups : ndarray of shape (m,), optional
        Cluster of each prototype, consecutive from 0; copied. None takes
        each prototype as a cluster.

    Returns
    -------
    PrototypeModel
        The module, in evaluation mode.

    Raises
    ------
    ValueError
        If ``groups`` are not the clusters of the prototypes.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine import make_module
    >>> make_module(np.zeros((2, 3)), 1.0)(torch.zeros(5, 3).double()).assignments.shape
    torch.Size([5, 2])
    """
    tiny = float(np.finfo(np.float32).tiny)
    tensor = torch.from_numpy(np.array(prototypes))
    index = None if groups is None else check_groups(groups, len(prototypes))
    network = nn.Identity() if backbone is None else backbone
    return PrototypeModel(network, tensor, temperature or tiny, index).eval()
