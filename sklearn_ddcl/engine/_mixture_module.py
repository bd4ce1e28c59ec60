"""The fitted network of a mixture of Gaussians: assignments are its posterior."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._mixture import Mixture
from sklearn_ddcl.engine._module import PrototypeModel, make_module
from sklearn_ddcl.nn.outputs import ClusterOutput

__all__ = ["MixtureModel", "make_mixture_module"]


class MixtureModel(PrototypeModel):
    """Maps samples to features, distances to the means, and the posterior of the components.

    Parameters
    ----------
    backbone : nn.Module
        Features (n, d) from samples.
    prototypes : Tensor of shape (k, d)
        Means of the components.
    temperature : float
        As in `PrototypeModel`; the posterior doesn't depend on it.
    weights : Tensor of shape (k,)
        Shares of the components, a buffer.
    variances : Tensor of shape (k, d)
        Their variances, a buffer.
    """

    weights: Tensor
    variances: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        prototypes: Tensor,
        temperature: float,
        weights: Tensor,
        variances: Tensor,
    ) -> None:
        super().__init__(backbone, prototypes, temperature)
        self.register_buffer("weights", weights)
        self.register_buffer("variances", variances)

    def forward(self, x: Tensor) -> ClusterOutput:
        """Return features, distances and the posterior of the samples."""
        found = super().forward(x)
        centre = self.prototypes.mean(dim=0)  # a common offset would cost digits
        z, means, precisions = found.z - centre, self.prototypes - centre, 1.0 / self.variances
        gaps = z.square() @ precisions.T - 2.0 * z @ (means * precisions).T
        gaps = (gaps + (means.square() * precisions).sum(dim=1)).clamp_min(0.0)
        scales = torch.log(2.0 * math.pi * self.variances).sum(dim=1)
        joint = torch.log(self.weights) - 0.5 * (gaps + scales)
        return found._replace(assignments=torch.softmax(joint, dim=1))


def make_mixture_module(mixture: Mixture, temperature: float, backbone: nn.Module) -> MixtureModel:
    """Wrap a backbone and a mixture as a torch module on the CPU.

    Parameters
    ----------
    mixture : Mixture
        Shares, means and variances, in the dtype of the features.
    temperature : float
        Temperature, as in `make_module`.
    backbone : nn.Module
        Trained backbone on the CPU; not copied, put into evaluation mode.

    Returns
    -------
    MixtureModel
        The module, in evaluation mode.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn_ddcl.engine._mixture import Mixture
    >>> one = np.ones((2, 1))
    >>> mixture = Mixture(np.array([0.25, 0.75]), np.array([[-1.0], [1.0]]), one, 0.0)
    >>> module = make_mixture_module(mixture, 1.0, torch.nn.Identity())
    >>> module(torch.zeros(1, 1).double()).assignments.round(decimals=6).tolist()
    [[0.25, 0.75]]
    """
    plain = make_module(mixture.means, temperature, backbone=backbone)
    parts = (torch.from_numpy(np.array(part)) for part in (mixture.weights, mixture.variances))
    return MixtureModel(backbone, plain.prototypes, plain.temperature, *parts).eval()
