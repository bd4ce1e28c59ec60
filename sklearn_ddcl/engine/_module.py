"""The fitted network: a backbone followed by frozen prototypes."""

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_columns
from sklearn_ddcl.nn.assignments import soft_assignments
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.outputs import ClusterOutput

__all__ = ["PrototypeModel", "make_module"]


class PrototypeModel(nn.Module):
    """Maps samples to features, distances and soft assignments.

    Parameters
    ----------
    backbone : nn.Module
        Features (n, d) from samples; the identity for given features.
    prototypes : Tensor of shape (k, d)
        Frozen prototypes, kept as a buffer so that they move and save with
        the module.
    temperature : float
        Temperature of the soft assignments, > 0.
    """

    prototypes: Tensor

    def __init__(self, backbone: nn.Module, prototypes: Tensor, temperature: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("prototypes", prototypes)
        self.temperature = temperature

    def forward(self, x: Tensor) -> ClusterOutput:
        """Return features, distances and assignments (Eq. 8) of the samples."""
        z = self.backbone(x)
        check_columns("z", z, "prototypes", self.prototypes)
        centre = self.prototypes.mean(dim=0)  # a common offset would cost distances their digits
        squares = squared_distances(z - centre, self.prototypes - centre)
        q = soft_assignments(squares, self.temperature)
        return ClusterOutput(z, self.prototypes, squares, q, self.temperature)


def make_module(prototypes: np.ndarray, temperature: float) -> PrototypeModel:
    """Wrap prototypes of given features as a torch module on the CPU.

    Parameters
    ----------
    prototypes : ndarray of shape (k, d)
        Fitted prototypes; copied.
    temperature : float
        Last temperature; 0 (constant data) is replaced by the smallest
        positive number, which gives hard assignments.

    Returns
    -------
    PrototypeModel
        The module, in evaluation mode.

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
    return PrototypeModel(nn.Identity(), tensor, temperature or tiny).eval()
