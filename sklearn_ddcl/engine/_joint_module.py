"""What one training step computes: features, prototypes, assignments and the loss."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._distances import centred_distances
from sklearn_ddcl.engine._encoding import check_features
from sklearn_ddcl.engine._precision import autocast_context
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.nn.assignments import soft_assignments
from sklearn_ddcl.nn.losses import Objective
from sklearn_ddcl.nn.outputs import ClusterOutput, ObjectiveValue
from sklearn_ddcl.nn.partition_support import PartitionSupport

__all__ = ["JointModule", "StepOutput", "latent_scale"]

_ROUNDING = 8.0  # in units of the last digit


class StepOutput(NamedTuple):
    """Result of one forward pass in training.

    Attributes
    ----------
    loss : Tensor, scalar
        What is minimised.
    z : Tensor of shape (b, d)
        Features.
    cluster : ClusterOutput or None
        Prototypes, distances and assignments; None without a layer.
    objective : ObjectiveValue or None
        Terms of the clustering objective, before they are scaled.
    pretext : Tensor, scalar, or None
        Loss of the pretext task, before its weight.
    """

    loss: Tensor
    z: Tensor
    cluster: ClusterOutput | None
    objective: ObjectiveValue | None
    pretext: Tensor | None


def latent_scale(variance: float, prototype_norm: float, dtype: torch.dtype) -> float:
    """Return the latent variance, at least what rounding makes of equal features.

    Parameters
    ----------
    variance : float
        Of the features, summed over dimensions.
    prototype_norm : float
        Frobenius norm of the prototypes: how large features are.
    dtype : torch.dtype
        Type of the features.

    Returns
    -------
    float
        Positive; 1 where there is nothing to measure.

    Examples
    --------
    >>> import torch
    >>> latent_scale(2.0, 3.0, torch.float32), latent_scale(0.0, 0.0, torch.float32)
    (2.0, 1.0)
    >>> 0.0 < latent_scale(1e-33, 3.0, torch.float32) < 1e-10
    True
    """
    least = (_ROUNDING * torch.finfo(dtype).eps * prototype_norm) ** 2
    known = math.isfinite(variance) and math.isfinite(least)
    return (max(variance, least) if known else 0.0) or 1.0


class JointModule(nn.Module):
    r"""Backbone, prototypes and pretext task under one loss.

    .. math:: L = w_o \Bigl(\frac{L_{base} + \eta L_{sep} + \tfrac{\lambda}{2} \|P\|_F^2}{s}
              + \beta L_{bal} + \gamma L_{ent}\Bigr) + w_p L_{pretext}

    The terms of Eq. 12 that are squared distances are divided by ``scale`` s,
    the latent variance, so that the weights mean the same on every data set
    and do not wear off while the features shrink or spread. Its value changes
    once an epoch; its gradient is that of the batch's variance, so that
    shrinking all features gains nothing. With a constant s, Lq pulls the
    latent space into a point at a speed that no decoder resists.

    Parameters
    ----------
    backbone : nn.Module
        Features (b, d) from inputs (b, ...).
    layer : nn.Module, optional
        ``DualMemoryBank``, or a layer whose prototypes are its weights, such
        as ``VanillaPrototypes``. Without it only the pretext task is trained.
    objective : Objective, optional
        The clustering loss; needed with a layer.
    pretext : PretextTask, optional
        The pretext task.
    objective_weight, pretext_weight : float, default=1.0
        :math:`w_o` and :math:`w_p`, >= 0.
    generator : torch.Generator, optional
        Passed to the pretext task; a fixed seed if left out.
    precision : torch.dtype, optional
        Type in which backbone and pretext task compute under autocast;
        distances and losses stay in the prototypes' own.
    free_scale : bool, default=False
        Whether s is a constant to the gradient, as in the paper's loss.
    support : PartitionSupport, optional
        Its targets take the place of soft assignments; its penalty is added, in
        units of s or, if it is not relative, as a squared distance, times
        :math:`w_o`.

    Attributes
    ----------
    temperature : float
        Absolute temperature of the assignments.
    stop_gradient : bool
        Whether assignments are constants to the gradient.
    scale : float
        The latent variance s, a squared distance.

    Raises
    ------
    ValueError
        If there is nothing to train, a layer comes without objective, or the
        layer takes no mini-batches.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.nn import Objective, VanillaPrototypes
    >>> module = JointModule(nn.Linear(4, 2), VanillaPrototypes(3, 2), Objective())
    >>> step = module(torch.arange(5), torch.zeros(5, 4))
    >>> step.z.shape, step.cluster.assignments.shape
    (torch.Size([5, 2]), torch.Size([5, 3]))
    """

    backbone: nn.Module

    def __init__(
        self,
        backbone: nn.Module,
        layer: nn.Module | None = None,
        objective: Objective | None = None,
        pretext: PretextTask | None = None,
        objective_weight: float = 1.0,
        pretext_weight: float = 1.0,
        generator: torch.Generator | None = None,
        precision: torch.dtype | None = None,
        free_scale: bool = False,
        support: PartitionSupport | None = None,
    ) -> None:
        super().__init__()
        if (layer is None) != (objective is None) or (layer is None and pretext is None):
            raise ValueError(
                "layer and objective must come together, and without them a pretext task, got "
                f"layer={layer!r}, objective={objective!r}, pretext={pretext!r}."
            )
        if getattr(layer, "needs_fixed_batch", False):
            raise ValueError(
                "layer must take mini-batches, as DualMemoryBank and VanillaPrototypes do, got "
                f"{type(layer).__name__}."
            )
        self.backbone, self.layer, self.objective = backbone, layer, objective
        self.pretext = pretext
        self.objective_weight, self.pretext_weight = objective_weight, pretext_weight
        self.generator = torch.Generator().manual_seed(0) if generator is None else generator
        self.precision, self.free_scale, self.support = precision, free_scale, support
        self.temperature, self.scale, self.stop_gradient = 1.0, 1.0, False
        self.keep_compiled(None)

    def keep_compiled(self, compiled: nn.Module | None) -> None:
        """Run a compiled twin in the backbone's place; None runs the backbone itself.

        Parameters
        ----------
        compiled : nn.Module or None
            ``torch.compile(backbone)``, which shares its parameters.
        """
        # beside nn.Module's registry, where the shared parameters would be listed twice
        self.__dict__["encoder"] = self.backbone if compiled is None else compiled

    @property
    def has_bank(self) -> bool:
        """Whether the layer remembers the samples outside the batch."""
        return hasattr(self.layer, "write_back")

    def forward(self, index: Tensor, x: Tensor, weight: Tensor | None = None) -> StepOutput:
        """Compute a step's loss and all it is made of.

        Parameters
        ----------
        index : Tensor of shape (b,), int64
            Row numbers, each at most once.
        x : Tensor of shape (b, ...)
            The rows.
        weight : Tensor of shape (b,), optional
            Sample weights of the objective.

        Returns
        -------
        StepOutput
            Loss, features, prototypes and terms.

        Raises
        ------
        ValueError
            If the backbone does not return one feature vector a row, or the
            pretext task no scalar.
        """
        pretext: Tensor | None = None
        encoder: nn.Module = self.__dict__["encoder"]
        with autocast_context(x.device.type, self.precision):
            z = check_features(encoder(x), x.shape[0])
            if self.pretext is not None and self.pretext_weight:
                pretext = self.pretext.loss(encoder, x, z, index, self.generator)
                if not isinstance(pretext, Tensor) or pretext.ndim:
                    raise ValueError(f"pretext.loss must return a scalar tensor, got {pretext!r}.")
        z = z if self.precision is None else z.to(x.dtype)
        weighted: Any = None if pretext is None else self.pretext_weight * pretext
        if self.layer is None or self.objective is None:
            if weighted is None:
                raise ValueError("pretext_weight must be > 0 without a layer, got 0.")
            return StepOutput(weighted, z, None, None, pretext)
        cluster = self._assign(z, index, weight)
        objective = self.objective(cluster, weight)
        loss = self._scaled(objective, z)
        penalty = self._penalty(cluster, weight)
        loss = loss if penalty is None else loss + penalty
        loss = loss if weighted is None else loss + weighted
        return StepOutput(loss, z, cluster, objective, pretext)

    def prototypes(self, z: Tensor, index: Tensor) -> Tensor:
        """Return the prototypes (k, d) that go with the batch's features."""
        layer: Any = self.layer
        # a copy of plain weights, which the optimiser changes in place: a step's output stays
        p: Tensor = layer(z, index) if self.has_bank else layer(z).clone()
        return p

    def write_back(self, z: Tensor, index: Tensor) -> None:
        """Store the batch in the bank after the optimiser's step, if there is one."""
        if self.has_bank:
            layer: Any = self.layer
            layer.write_back(z.detach(), index)

    def _assign(self, z: Tensor, index: Tensor, weight: Tensor | None) -> ClusterOutput:
        p = self.prototypes(z, index)
        distances = centred_distances(z, p)
        temperature = self._temperature_for(distances)
        q = soft_assignments(distances.detach() if self.stop_gradient else distances, temperature)
        targets = None
        if self.support is not None:
            targets = self.support.targets(distances.detach(), weight)
        return ClusterOutput(z, p, distances, q if targets is None else targets, temperature)

    def _penalty(self, cluster: ClusterOutput, weight: Tensor | None) -> Tensor | None:
        """Return the support's penalty with its weight, if there is one."""
        support = self.support
        penalty = None if support is None else support.penalty(cluster.assignments, weight)
        if support is None or penalty is None:
            return None
        return penalty * (self.objective_weight / (1.0 if support.relative else self.scale))

    def _temperature_for(self, distances: Tensor) -> float:
        """Return the batch's temperature."""
        return self.temperature

    def _scaled(self, value: ObjectiveValue, z: Tensor) -> Tensor:
        """Return the weighted objective, its squared distances in units of the latent variance."""
        objective: Any = self.objective
        unit: float | Tensor = self.objective_weight / self.scale
        if not self.free_scale:
            info = torch.finfo(z.dtype)
            spread = (
                z.var(dim=0, correction=0).sum().clamp_min(max(info.eps * self.scale, info.tiny))
            )
            fixed = spread.detach()
            # fixed / spread, of value 1 but for its gradient, and without the square of spread
            unit = (1.0 - (spread - fixed) / fixed) * unit
        dimensionless = getattr(objective.base, "dimensionless", False)
        loss = value.base * (self.objective_weight if dimensionless else unit)
        if value.total is value.base:  # no other term has a weight
            return loss
        squares, plain = value.separation + value.quadratic, value.balance + value.entropy
        return loss + unit * squares + self.objective_weight * plain
