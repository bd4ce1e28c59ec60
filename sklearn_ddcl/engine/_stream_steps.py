"""How prototypes move with a piece of a stream: one class for each kind of assignment."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from sklearn_ddcl.engine._stream_options import SoftmaxAssignment, WidrowHoff
from sklearn_ddcl.nn.losses import quantization_gradient_prototypes
from sklearn_ddcl.nn.prototypes import (
    gram_step,
    normalized_dual_learning_rate,
    small_gram,
    span_step,
)
from sklearn_ddcl.nn.widrow_hoff import incremental_loss, widrow_hoff_path

__all__ = ["Moved", "Rows", "StreamStep", "make_step"]


_MOST_STEPS = 10
_FEW_SAMPLES = 2_000  # up to which steps are cheaper than new samples


class Rows(NamedTuple):
    """What a step sees: the summary, whose last rows are the piece that has just come.

    Attributes
    ----------
    z : Tensor of shape (n, d)
        Rows.
    weight : Tensor of shape (n,)
        Weights, in the dtype of the rows.
    n_new : int
        How many of the last rows are the piece.
    """

    z: Tensor
    weight: Tensor
    n_new: int


class Moved(NamedTuple):
    """Prototypes after a step, and what the piece's rows were assigned before.

    Attributes
    ----------
    prototypes : Tensor of shape (k, d)
        New prototypes.
    assignments : Tensor of shape (n_new, k)
        Of the piece, before the step.
    """

    prototypes: Tensor
    assignments: Tensor


class StreamStep(Protocol):
    """Moves prototypes; what it keeps between pieces is its own.

    Attributes
    ----------
    sees_summary : bool
        Whether it looks at more than the piece.
    """

    sees_summary: bool

    def __call__(self, rows: Rows, p: Tensor, temperature: float, kept: float) -> Moved:
        """Take a step.

        Parameters
        ----------
        rows : Rows
            Summary and piece.
        p : Tensor of shape (k, d)
            Prototypes.
        temperature : float
            In squared units of the rows.
        kept : float
            Factor by which the weight of the past has fallen since the last step.
        """

    def shift(self, offset: Tensor) -> None:
        """Subtract an offset (d,) from all that is kept of the past."""

    def rescale(self, factor: Tensor) -> None:
        """Say by what (d,) features are multiplied from now on, before they come."""


class MinimizerStep:
    """The minimiser of Lq over the dual weights, for the assignments of summary and piece.

    Parameters
    ----------
    n_steps : int or None
        Steps a piece; None takes more while little has been seen.
    """

    sees_summary = True

    def __init__(self, n_steps: int | None) -> None:
        self.n_steps = n_steps

    def __call__(self, rows: Rows, p: Tensor, temperature: float, kept: float) -> Moved:
        """Take the steps: every prototype with rows goes to their weighted mean."""
        first = None
        for _ in range(self.n_steps or _steps_for(float(rows.weight.sum()))):
            q = softmax_assignments(rows.z, p, temperature)
            first = q[q.shape[0] - rows.n_new :] if first is None else first
            shares = q * rows.weight.unsqueeze(1)
            mass = shares.sum(dim=0)
            least = torch.finfo(mass.dtype).tiny  # below it digits are lost
            means = (shares.T @ rows.z).div_(mass.clamp_min(least).unsqueeze(1))
            p = torch.where(mass.unsqueeze(1) >= least, means, p)
        return Moved(p, first if first is not None else rows.z.new_empty(0, len(p)))

    def shift(self, offset: Tensor) -> None:
        """Keep nothing, shift nothing."""

    def rescale(self, factor: Tensor) -> None:
        """Keep nothing, scale nothing."""


class GradientStep:
    """One gradient step on the dual weights of the piece, in Gram form.

    Parameters
    ----------
    rate : float
        Rate, before it is divided by the Gram matrix's largest eigenvalue.
    n_steps : int or None
        Steps a batch; None takes one.
    """

    sees_summary = False

    def __init__(self, rate: float, n_steps: int | None) -> None:
        self.rate, self.n_steps = rate, n_steps or 1

    def __call__(self, rows: Rows, p: Tensor, temperature: float, kept: float) -> Moved:
        """Take the steps; rows that came before the piece have no part in it."""
        start = len(rows.z) - rows.n_new
        z, weight = rows.z[start:], rows.weight[start:]
        q = first = softmax_assignments(z, p, temperature)
        gram = small_gram(z)
        rate = normalized_dual_learning_rate(self.rate, gram)
        step = (gram_step, gram) if z.shape[1] <= z.shape[0] else (span_step, z)
        for number in range(self.n_steps):
            q = softmax_assignments(z, p, temperature) if number else q
            gradient = quantization_gradient_prototypes(z, p, q, weight=weight)
            p = step[0](p, gradient, step[1], rate)
        return Moved(p, first)

    def shift(self, offset: Tensor) -> None:
        """Keep nothing, shift nothing."""

    def rescale(self, factor: Tensor) -> None:
        """Keep nothing, scale nothing."""


class WidrowHoffStep:
    """Algorithm 2: assignments one feature at a time, and a step down Eq. 21.

    The gradient is that of the mean of Eq. 21 over all that has been seen, kept
    as the sums to which it comes down for the assignments of their time.

    Parameters
    ----------
    options : WidrowHoff
        Options.
    """

    sees_summary = False

    def __init__(self, options: WidrowHoff) -> None:
        self.options = options
        self.curvature: Tensor | None = None
        self.target: Tensor | None = None
        self.factor: Tensor | None = None

    def __call__(self, rows: Rows, p: Tensor, temperature: float, kept: float) -> Moved:
        """Assign the piece and take the step."""
        start = len(rows.z) - rows.n_new
        z, weight = rows.z[start:], rows.weight[start:]
        largest = float(p.square().sum(dim=0).max())
        path = widrow_hoff_path(z, p, self.options.step_size / largest) if largest > 0 else None
        if path is None:
            q = z.new_full((len(z), len(p)), 1.0 / len(p))
            return Moved(p, q)
        d = z.shape[1]
        alpha = (torch.arange(1, d + 1, dtype=z.dtype, device=z.device) / d).pow(
            self.options.feature_weight
        )
        loss = incremental_loss(z, p, path, alpha, weight)
        mass = float(weight.sum())
        curvature = loss.curvature * mass
        target = torch.einsum("skl,ls->ks", curvature, p) - 0.5 * mass * loss.gradient
        if self.curvature is not None and self.target is not None:
            curvature += kept * self.curvature
            target += kept * self.target
        self.curvature, self.target = curvature, target
        gradient = torch.einsum("skl,ls->ks", curvature, p) - target
        bound = torch.linalg.matrix_norm(curvature, ord=1)  # at least the largest eigenvalue
        p = p - self.options.learning_rate * gradient / bound.clamp_min(1e-300)
        return Moved(p, path[-1])

    def shift(self, offset: Tensor) -> None:
        """Subtract an offset (d,) from the samples that the sums stand for."""
        if self.curvature is not None and self.target is not None:
            # assignments sum to 1: the row sums of the curvature are the weights of z in target
            self.target = self.target - self.curvature.sum(dim=2).T * offset

    def rescale(self, factor: Tensor) -> None:
        """Put the sums into the units of the features that come."""
        if self.target is not None and self.factor is not None:
            self.target = self.target * (factor / self.factor).to(self.target)
        self.factor = factor


def make_step(options: SoftmaxAssignment | WidrowHoff) -> StreamStep:
    """Return the step that options stand for.

    Parameters
    ----------
    options : SoftmaxAssignment or WidrowHoff
        Validated options.

    Returns
    -------
    StreamStep
        The step.
    """
    if isinstance(options, WidrowHoff):
        return WidrowHoffStep(options)
    if options.dual_learning_rate is not None:
        return GradientStep(options.dual_learning_rate, options.n_steps)
    return MinimizerStep(options.n_steps)


def _steps_for(mass: float) -> int:
    if mass * _MOST_STEPS <= _FEW_SAMPLES:  # the quotient overflows where weights are tiny
        return _MOST_STEPS
    return math.ceil(_FEW_SAMPLES / mass)


def softmax_assignments(z: Tensor, p: Tensor, temperature: float) -> Tensor:
    """Return soft assignments (n, k) of Eq. 8, a view on their transpose."""
    return torch.softmax(scores_by_prototype(z, p).mul_(-1.0 / temperature), dim=0).T


def scores_by_prototype(z: Tensor, p: Tensor) -> Tensor:
    """Return squared distances less the rows' own norms, of shape (k, n).

    Softmax and argmin do not see these norms; and over the long axis of few
    prototypes they take a sixth of the time.
    """
    return torch.addmm(p.square().sum(dim=1, keepdim=True), p, z.T, alpha=-2.0)
