"""Gradients before and after a backward pass: cleared, and held below a norm."""

import math
from collections.abc import Iterable

import torch
from torch import nn

__all__ = ["clear_gradients", "clip_gradients"]


def clear_gradients(optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Forget the gradients of all that is trained, without a profiler's hook each time.

    Parameters
    ----------
    optimizers : iterable of torch.optim.Optimizer
        Whose parameters.

    Examples
    --------
    >>> import torch
    >>> weight = torch.ones(2, requires_grad=True)
    >>> weight.sum().backward()
    >>> clear_gradients([torch.optim.SGD([weight], lr=0.1)])
    >>> weight.grad is None
    True
    """
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None


def clip_gradients(parameters: list[nn.Parameter], largest: float) -> None:
    """Scale gradients down to a norm; on the CPU, where looking is free, only if it is exceeded.

    Parameters
    ----------
    parameters : list of nn.Parameter
        Whose gradients, taken together.
    largest : float
        Largest norm.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> weight = nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> weight.square().sum().backward()
    >>> clip_gradients([weight], 20.0)
    >>> weight.grad
    tensor([6., 8.])
    >>> clip_gradients([weight], 5.0)
    >>> round(float(weight.grad.norm()), 3)
    5.0
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if all(gradient.device.type == "cpu" for gradient in gradients):
        norms = (float(torch.linalg.vector_norm(gradient)) for gradient in gradients)
        if math.hypot(*norms) + 1e-6 <= largest:  # torch's own margin; false for NaN
            return
    nn.utils.clip_grad_norm_(parameters, largest)
