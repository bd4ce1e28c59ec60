"""Adam with one second moment for each row of a parameter."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn.numerics import wide_dtype

__all__ = ["BlockAdam", "Parameter"]

_BETAS = (0.9, 0.999)


class Parameter(NamedTuple):
    """A matrix to be trained, row by row.

    Attributes
    ----------
    value : Tensor of shape (rows, columns)
        Changed in place.
    length : float
        Length of a step at rate 1, in the metric of the rows.
    metric : callable or None
        Symmetric positive map A of gradients (rows, columns): the parameter
        follows ``gradient @ A``, as one does that is a linear function of
        weights which follow their own gradient. None is the identity.
    """

    value: Tensor
    length: float = 1.0
    metric: Callable[[Tensor], Tensor] | None = None


class BlockAdam:
    r"""Adam whose second moment is shared by all weights of a row.

    For a row p with gradient g, metric A and length l, at rate a:

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
              v \leftarrow \beta_2 v + (1 - \beta_2) g^\top A g, \quad
              p \leftarrow p - a\, l\, A \hat m / \sqrt{\hat v}

    With a moment for every single weight, a step of the n dual weights of a
    prototype is no function of the prototype's own gradient. With one for
    all of them it is: for :math:`A = Z^\top Z / n` this is, without its n
    weights, what Adam does to a column of W in :math:`P = W^\top Z`. A first
    step has the length a l whatever the scale of the data.

    Parameters
    ----------
    parameters : sequence of Parameter
        What to train.

    Examples
    --------
    >>> import torch
    >>> value = torch.zeros(1, 2)
    >>> BlockAdam([Parameter(value)]).step([torch.tensor([[3.0, 4.0]])], rate=1.0)
    >>> value
    tensor([[-0.6000, -0.8000]])
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = list(parameters)
        self._first = [torch.zeros_like(p.value) for p in self.parameters]
        # float64: squares of small gradients would be 0 in float32, and steps without bound
        self._second = [
            p.value.new_zeros(len(p.value), dtype=wide_dtype(p.value)) for p in self.parameters
        ]
        self._steps = 0

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move all parameters.

        Parameters
        ----------
        gradients : sequence of Tensor
            One a parameter, of its shape.
        rate : float
            The learning rate a.
        """
        self._steps += 1
        fade, blur = (1.0 - beta**self._steps for beta in _BETAS)
        for parameter, first, second, gradient in zip(
            self.parameters, self._first, self._second, gradients, strict=True
        ):
            metric = parameter.metric or _identity
            first.lerp_(gradient, 1.0 - _BETAS[0])
            largest = gradient.abs().amax(dim=1, keepdim=True)
            direction = gradient / largest.clamp_min(torch.finfo(gradient.dtype).tiny)
            square = (metric(direction) * direction).sum(dim=1).clamp_min(0.0).to(second)
            second.lerp_(square * largest[:, 0].to(second).square(), 1.0 - _BETAS[1])
            size = (second / blur).sqrt() * fade
            factor = torch.where(size > 0.0, rate * parameter.length / size, 0.0)
            moved = metric(first).to(second) * factor[:, None]
            parameter.value.sub_(moved.to(parameter.value))


def _identity(gradient: Tensor) -> Tensor:
    return gradient
