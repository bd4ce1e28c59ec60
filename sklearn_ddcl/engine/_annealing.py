"""The soft phase of the reduced flow: prototypes split as the temperature falls."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._config import ReducedConfig
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._history import History, soft_terms
from sklearn_ddcl.engine._passes import SoftPass, soft_pass
from sklearn_ddcl.engine._updates import Update
from sklearn_ddcl.nn.schedules import absolute_temperature

__all__ = ["Annealed", "Problem", "anneal", "at_critical_temperature"]

# Start of the annealing relative to the spread of the data: prototypes that coincide
# exactly would never part, and this much is gone again above the critical temperature.
_JITTER = 0.01
_LARGEST_BIAS = 1e20  # beyond it, logits would overflow in float32
_LEAST_SHARE = 1e-3  # of an equal one: emptier prototypes call for no more rows than this
_FLOOR = 1e-6  # least effective temperature, relative to the critical one


class Annealed(NamedTuple):
    """Where the schedule ended.

    Attributes
    ----------
    p : Tensor of shape (k, d)
        Prototypes in frame coordinates.
    bias : Tensor of shape (k,)
        What the balance term adds to the squared distances; zeros without it.
    temperature : float
        Last temperature, in squared units of the frame.
    passes : int
        Passes over the rows.
    settled : bool
        Whether the schedule came to its end and the prototypes to rest.
    """

    p: Tensor
    bias: Tensor
    temperature: float
    passes: int
    settled: bool


class Problem(NamedTuple):
    """What stays the same over the phases of one fit.

    Attributes
    ----------
    config : ReducedConfig
        The configuration.
    update : Update
        Rule for the prototypes at given assignments.
    critical : float
        Critical temperature, in squared units of the rows' frame.
    area : float
        Squared unit of the frame, to report in units of the data.
    """

    config: ReducedConfig
    update: Update
    critical: float
    area: float

    def temperature(self, step: int) -> float:
        """Return the schedule's temperature in squared units of the frame."""
        schedule = self.config.temperature
        scale = self.critical if schedule.relative else 1.0 / self.area
        value = absolute_temperature(schedule, step, 1.0) * scale
        if not math.isfinite(value):
            raise ValueError(
                f"The 'temperature' parameter gave {value} at step {step}: {schedule!r}."
            )
        return value

    def effective(self, temperature: float) -> float:
        """Return the temperature less the weight of the entropy term, kept positive."""
        gamma = self.config.regularization.entropy * self.critical
        return max(temperature - gamma, _FLOOR * self.critical)

    def balance_bias(self, mass: Tensor, before: Tensor, temperature: float) -> Tensor:
        """Approach beta log(k q_mean), the derivative of Eq. 13 in the assignments.

        Taken as it is, it would swing: what is empty would get all rows in the next
        pass. The damped step is the largest under which the fixed point attracts,
        since a logarithm of the mass answers to a bias with at most 1 / temperature;
        for a large beta it is Sinkhorn's.
        """
        beta = min(self.config.regularization.balance * self.critical, _LARGEST_BIAS)
        if not beta:
            return before
        share = len(mass) * mass / mass.sum()
        target = beta * torch.log(share.clamp_min(_LEAST_SHARE))
        return before + temperature / (temperature + beta) * (target - before)


def at_critical_temperature(rows: Rows, k: int, generator: torch.Generator) -> Tensor:
    """Return k prototypes at the mean of the rows, a hair's breadth apart.

    Parameters
    ----------
    rows : Rows
        The rows to search on.
    k : int
        Number of prototypes.
    generator : torch.Generator
        Source of the jitter.

    Returns
    -------
    Tensor of shape (k, d)
        Prototypes in frame coordinates.
    """
    spread = math.sqrt(rows.frame.inertia / rows.frame.weight_sum / rows.n_features)
    jitter = torch.randn(k, rows.n_features, generator=generator)
    return (_JITTER * spread * jitter).to(rows.device, rows.accumulator)


def anneal(rows: Rows, p: Tensor, problem: Problem, history: History) -> Annealed:
    """Follow the schedule to its end, a few passes at each temperature.

    The schedule ends where it stops falling; there, passes go on until the
    prototypes rest. After a fall that ends in a hard finish one pass is enough:
    the finish brings them to rest.

    Parameters
    ----------
    rows : Rows
        The rows to search on.
    p : Tensor of shape (k, d)
        First prototypes, in frame coordinates.
    problem : Problem
        Configuration and scales.
    history : History
        Receives one record a temperature.

    Returns
    -------
    Annealed
        Where it ended.
    """
    config = problem.config
    settle = config.tol * rows.frame.inertia / rows.frame.weight_sum / rows.n_features
    step, passes, bias = 0, 0, torch.zeros_like(p[:, 0])
    while True:
        temperature = problem.temperature(step)
        falling = problem.temperature(step + 1) < temperature
        rest = config.max_iter - passes
        count = min(config.flow.passes_per_temperature if falling else rest, rest)
        for turn in range(max(count, 1)):
            last = turn == max(count, 1) - 1
            used = bias
            statistics = _pass(rows, p, temperature, problem, used, last)
            bias = problem.balance_bias(statistics.mass, used, problem.effective(temperature))
            moved = problem.update.apply(p, statistics)
            shift = float((moved - p).square().sum())
            before, p, passes = p, moved, passes + 1
            if not falling and (shift <= settle or (config.flow.hard_finish and step)):
                break
        if statistics.overlap is None:  # the prototypes came to rest before the last pass
            statistics = _pass(rows, before, temperature, problem, used, last=True)
        terms = soft_terms(before, statistics, rows.frame.inertia, problem.area)
        history.add("annealing", temperature * problem.area, terms)
        step += 1
        if not falling or passes >= config.max_iter:
            settled = not falling and (shift <= settle or config.flow.hard_finish)
            return Annealed(p, bias, temperature, passes, settled)


def _pass(
    rows: Rows, p: Tensor, temperature: float, problem: Problem, bias: Tensor, last: bool
) -> SoftPass:
    """One soft pass with the entropy and balance terms folded into the softmax."""
    effective = problem.effective(temperature)
    logits = -bias / effective if problem.config.regularization.balance else None
    return soft_pass(rows, p, effective, logits, last or problem.update.needs_overlap)
