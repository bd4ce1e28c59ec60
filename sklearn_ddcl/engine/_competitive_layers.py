"""The three competitive layers on frozen features, none with a weight per sample."""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._block_adam import Parameter
from sklearn_ddcl.engine._gram import Gram
from sklearn_ddcl.nn.prototypes import random_dual_weights

__all__ = ["LAYERS", "Layer", "deep_dual_layer", "dual_layer", "vanilla_layer"]


class Layer(NamedTuple):
    """Parameters, and the prototypes they stand for.

    Attributes
    ----------
    parameters : list of Parameter
        What is trained.
    prototypes : callable
        Maps the parameters' values to prototypes (k, d).
    """

    parameters: list[Parameter]
    prototypes: Callable[[list[Tensor]], Tensor]


def vanilla_layer(
    seeds: Tensor,
    random: bool,
    gram: Callable[[], Gram],
    hidden: tuple[int, ...],
    generator: torch.Generator,
) -> Layer:
    """Return the base layer: its weights are the prototypes (Eq. 3).

    Parameters
    ----------
    seeds : Tensor of shape (k, d)
        First prototypes.
    random : bool
        Whether to draw standard normal weights instead, which know nothing of
        the features.
    gram : callable
        Not used.
    hidden : tuple of int
        Not used.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Layer
        One parameter.
    """
    start = seeds.clone()
    if random:
        noise = torch.randn(*seeds.shape, generator=generator, dtype=torch.float64)
        start = noise.to(seeds)
    return Layer([Parameter(start)], _only)


def dual_layer(
    seeds: Tensor,
    random: bool,
    gram: Callable[[], Gram],
    hidden: tuple[int, ...],
    generator: torch.Generator,
) -> Layer:
    """Return the dual layer: prototypes are combinations of the samples (Eq. 4).

    Parameters
    ----------
    seeds : Tensor of shape (k, d)
        First prototypes.
    random : bool
        Whether to draw random weights instead, which make prototypes that are
        spread as the features are.
    gram : callable
        Returns the features' Gram matrix.
    hidden : tuple of int
        Not used.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Layer
        One parameter, in the metric of the Gram matrix.
    """
    found = gram()
    start = found.sample(len(seeds), generator) if random else seeds.clone()
    return Layer([Parameter(start, _length(found), found.apply)], _only)


def deep_dual_layer(
    seeds: Tensor,
    random: bool,
    gram: Callable[[], Gram],
    hidden: tuple[int, ...],
    generator: torch.Generator,
) -> Layer:
    r"""Return the deep dual layer: a tanh network on the transposed features.

    .. math:: H_1 = Z^\top W_1, \quad H_{l+1} = \tanh(H_l + b_l) W_{l+1}, \quad P = H_L^\top

    Only the first layer has a weight for each sample, and only its product
    with the features, of shape (d, h), is kept.

    Parameters
    ----------
    seeds : Tensor of shape (k, d)
        First prototypes; the last layer's random weights are changed as little
        as fits them, exactly where its units are as many as the features.
    random : bool
        Whether to leave the weights random instead.
    gram : callable
        Returns the features' Gram matrix.
    hidden : tuple of int
        Sizes of the hidden layers.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Layer
        Transposed matrices and biases, from the first layer to the last.
    """
    found, sizes = gram(), [*hidden, len(seeds)]
    part = 1.0 / len(sizes)  # each matrix moves all prototypes: they share a step's length
    turn = part / math.sqrt(seeds.shape[1])  # weights are numbers; lengths grow with the root of d
    first = found.sample(sizes[0], generator)
    parameters = [Parameter(first, part * _length(found), found.apply)]
    for before, after in itertools.pairwise(sizes):
        weights = random_dual_weights(before, after, generator, torch.float64).T
        bias = torch.zeros(before, 1, dtype=torch.float64)
        parameters += [Parameter(v.to(seeds).contiguous(), turn) for v in (bias, weights)]
    if not random:
        *before_last, last = parameters
        below = _stack([p.value for p in before_last[:-1]])
        units = torch.tanh(below + before_last[-1].value)
        gap = (seeds - last.value @ units).cpu().double()
        last.value.add_((gap @ torch.linalg.pinv(units.cpu().double())).to(last.value))
    return Layer(parameters, _stack)


LAYERS = {"vanilla": vanilla_layer, "dual": dual_layer, "deep_dual": deep_dual_layer}


def _length(gram: Gram) -> float:
    """Root of the share of the dimensions that the features fill: 1 where they are white."""
    return math.sqrt(gram.rank / gram.factor.shape[1])


def _only(values: list[Tensor]) -> Tensor:
    return values[0]


def _stack(values: list[Tensor]) -> Tensor:
    outputs, *rest = values
    for bias, weights in zip(rest[::2], rest[1::2], strict=True):
        outputs = weights @ torch.tanh(outputs + bias)
    return outputs
