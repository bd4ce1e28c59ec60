"""The DDCL paper's training on given features, epoch by epoch, many runs at once.

Prototypes are outputs of a dual layer, P = W^T Z, and an epoch is a gradient step on W: in Gram
form, which is the same step without W. The rate is a share of the largest stable one.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn import (
    concentration,
    decompose_loss,
    gram_step,
    normalized_dual_learning_rate,
    ols_gradient_prototypes,
    ols_loss,
    pairwise_separation,
    quantization_gradient_prototypes,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
)

RATE = 0.5
ROUNDING = 1e-12
TERMS = ("quantization", "ols", "variance", "separation", "concentration")
LOSSES = {
    "quantization": lambda z, p, q: soft_quantization_loss(squared_distances(z, p), q),
    "ols": ols_loss,
}
GRADIENTS = {"quantization": quantization_gradient_prototypes, "ols": ols_gradient_prototypes}


class Path(NamedTuple):
    """What happened in each epoch.

    Attributes
    ----------
    prototypes : Tensor of shape (n_epochs + 1, n_runs, k, d)
        Before each epoch, and after the last.
    terms : dict of str to Tensor of shape (n_epochs, n_runs)
        The terms of `TERMS`, before each epoch's step.
    """

    prototypes: Tensor
    terms: dict[str, Tensor]


class Violations(NamedTuple):
    """How often the decomposition failed in a number of epochs."""

    identity: int
    sign: int
    epochs: int
    gap: float


def random_samples(z, k, seeds):
    """Return, for each seed, k samples as first prototypes."""
    draws = (torch.randperm(len(z), generator=torch.Generator().manual_seed(s)) for s in seeds)
    return torch.stack([z[draw[:k]] for draw in draws])


def near_the_mean(z, k, seeds, size=0.1):
    """Return, for each seed, k first prototypes close to the mean of standardised features."""
    shape = (k, z.shape[1])
    generators = (torch.Generator().manual_seed(seed) for seed in seeds)
    noise = [torch.randn(shape, generator=each, dtype=z.dtype) for each in generators]
    return z.mean(dim=0) + size * torch.stack(noise)


def assignments(z, p, temperature):
    """Return soft assignments (Eq. 8)."""
    return soft_assignments(squared_distances(z, p), temperature)


def gradient(z, loss, temperature, stop_gradient, extra=None):
    """Return a function from prototypes to the gradient of a loss.

    With `stop_gradient` it is the closed form of Eq. 29 or 30; else assignments are
    differentiated too. `extra` adds a function of the prototypes to the loss.
    """
    added = None if extra is None else torch.func.grad(extra)

    def _closed(p):
        step = GRADIENTS[loss](z, p, assignments(z, p, temperature))
        return step if added is None else step + added(p)

    def _whole(p):
        value = LOSSES[loss](z, p, assignments(z, p, temperature))
        return value if extra is None else value + extra(p)

    return _closed if stop_gradient else torch.func.grad(_whole)


def descend(z, starts, loss, schedule, epochs, stop_gradient=True, extra=None):
    """Train each run; temperatures of the schedule are in squared units of the features."""
    gram = z.T @ z
    rate = normalized_dual_learning_rate(RATE, gram)
    p, paths, terms = starts, [starts], []
    for epoch in range(epochs):
        temperature = schedule(epoch)
        terms.append(torch.func.vmap(_evaluate(z, temperature))(p))
        steps = torch.func.vmap(gradient(z, loss, temperature, stop_gradient, extra))(p)
        p = torch.stack([gram_step(*pair, gram, rate) for pair in zip(p, steps, strict=True)])
        paths.append(p)
    columns = torch.stack(terms).movedim(2, 0)
    return Path(torch.stack(paths), dict(zip(TERMS, columns, strict=True)))


def _evaluate(z, temperature):
    def _terms(p):
        q = assignments(z, p, temperature)
        parts = decompose_loss(z, p, q)
        return torch.stack([*parts, pairwise_separation(p), concentration(q).mean()])

    return _terms


def nearest(z, p):
    """Return the number of each sample's nearest prototype."""
    return squared_distances(z, p).argmin(dim=1).numpy()


def violations(terms):
    """Count epochs that break the decomposition, and epochs with V < 0.

    Each loss is evaluated from its own definition. V is computed as a sum of terms that cannot be
    negative, so its sign is taken from the difference Lq - L_OLS. Less than `ROUNDING` of Lq is
    rounding. The largest gap is relative to Lq.
    """
    quantization, ols, variance = (terms[name] for name in TERMS[:3])
    gap = (quantization - ols - variance).abs() / quantization
    negative = quantization - ols < -ROUNDING * quantization
    return Violations(
        int((gap > ROUNDING).sum()), int(negative.sum()), gap.numel(), float(gap.max())
    )


def pearson(x, y):
    """Return Pearson's r along the first axis; nan where a column is constant."""
    x, y = (value - value.mean(dim=0) for value in (x, y))
    return (x * y).sum(dim=0) / (x.square().sum(dim=0) * y.square().sum(dim=0)).sqrt()
