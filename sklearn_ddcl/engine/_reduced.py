"""The reduced flow (frozen features): anneal, relocate, finish.

No autograd and no training loop: gradients are in closed form, the dual layer is in
Gram form, and every pass costs what one of Lloyd's costs.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.engine._annealing import Problem, anneal, at_critical_temperature
from sklearn_ddcl.engine._config import ReducedConfig
from sklearn_ddcl.engine._data import Rows, wrap_rows
from sklearn_ddcl.engine._finish import hard_finish
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._labelling import label_rows
from sklearn_ddcl.engine._lloyd import Descent, quick_descent
from sklearn_ddcl.engine._relocation import relocate
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._search import Sample, critical, draw_sample, gram_of
from sklearn_ddcl.engine._updates import make_update
from sklearn_ddcl.nn.initialization import kmeans_plusplus

__all__ = ["ReducedResult", "fit_reduced"]

_DESCENT_TOL = 1e-4
# Below this share of the total inertia, float32 scores no longer rank prototypes well.
_FLOAT32_LIMIT = 1e-4


class ReducedResult(NamedTuple):
    """A fitted reduced flow, as numpy arrays on the CPU.

    Attributes
    ----------
    prototypes : ndarray of shape (k, d)
        In the coordinates and dtype of the data; only those in use.
    labels : ndarray of shape (n,), int32
        Consecutive cluster numbers, 0 for the largest cluster.
    inertia : float
        Weighted sum of squared distances to the nearest prototype.
    temperature : float
        Last temperature of the annealing, in squared units of the data.
    n_iter : int
        Passes over the rows of the sample in all starts, then over all rows.
    converged : bool
        Whether the last phase came to rest.
    history : list of dict
        One record a temperature of the annealing and one a pass of the finish.
    """

    prototypes: np.ndarray
    labels: np.ndarray
    inertia: float
    temperature: float
    n_iter: int
    converged: bool
    history: list[dict[str, Any]]


class Start(NamedTuple):
    """What one start of the search found on the sample.

    Attributes
    ----------
    descent : Descent
        Prototypes and inertia; passes are those of the whole start.
    temperature : float
        Last temperature, in squared units of the frame.
    history : History
        Its records.
    bias : Tensor of shape (k,) or None
        Of the balance term, for the finish.
    settled : bool
        Whether the annealing reached the schedule's end and came to rest.
    """

    descent: Descent
    temperature: float
    history: History
    bias: Tensor | None = None
    settled: bool = True


@torch_defaults()
def fit_reduced(data: Any, weight: np.ndarray | None, config: ReducedConfig) -> ReducedResult:
    """Train prototypes on given features.

    Parameters
    ----------
    data : ndarray, memmap or CSR array of shape (n, d)
        Finite rows, float32 or float64, n >= k; never written to.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    config : ReducedConfig
        Validated options.

    Returns
    -------
    ReducedResult
        Prototypes, labels and history.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import (
    ...     ReducedConfig, ReducedFlow, Regularization, fit_reduced, resolve_temperature)
    >>> config = ReducedConfig(
    ...     n_clusters=2, loss="quantization", temperature=resolve_temperature("auto"),
    ...     regularization=Regularization(), flow=ReducedFlow(), max_iter=300, tol=1e-4,
    ...     device="cpu", seed=0)
    >>> fit_reduced(np.array([[0.0], [1.0], [9.0]]), None, config).prototypes
    array([[0.5],
           [9. ]])
    """
    dtype = float_type(data.dtype)
    with torch.inference_mode():
        rows = wrap_rows(data, weight, resolve_device(config.device, dtype))
        sample, problem, start = _search(rows, config)
        p = sample.lift(start.descent.p, rows)
        passes, converged = start.descent.passes, start.settled
        if config.flow.hard_finish:
            finish = hard_finish(rows, p, problem, start.history, start.bias)
            passes, converged = passes + finish.passes, finish.converged
            # most often the final order, which saves the pass that would find it
            p = finish.p[torch.argsort(finish.mass, descending=True)]
    prototypes = rows.frame.to_data(p).cpu().numpy().astype(data.dtype)
    last = label_rows(data, weight, prototypes, config.device)
    return ReducedResult(
        prototypes=last.prototypes,
        labels=last.labels,
        inertia=last.inertia,
        temperature=start.temperature * problem.area,
        n_iter=max(passes, 1),
        converged=converged,
        history=start.history.records,
    )


def _search(rows: Rows, config: ReducedConfig) -> tuple[Sample, Problem, Start]:
    """Search in float32, and again in float64 if the clusters turn out too tight for it.

    Without a hard finish the search's result is final, and so is computed in the data's dtype.
    """
    generator, report = make_generator(config.seed), config.report
    dtypes = (torch.float32, torch.float64) if config.flow.hard_finish else (rows.dtype,)
    for dtype in dtypes:
        sample = draw_sample(rows, config, generator, dtype)
        problem = _state_problem(sample.rows, config, rows.frame.unit**2, generator)
        starts = list(_starts(sample.rows, problem, generator))
        best = min(starts, key=lambda start: start.descent.inertia)
        passes = sum(start.descent.passes for start in starts)
        best = best._replace(descent=best.descent._replace(passes=passes))
        config = config._replace(report=None)  # a second search repeats the first one's records
        tight = best.descent.inertia < _FLOAT32_LIMIT * sample.rows.frame.inertia
        if not tight or rows.device.type == "mps":
            break
    best.history.report = report
    return sample, problem, best


def _state_problem(
    rows: Rows, config: ReducedConfig, area: float, generator: torch.Generator
) -> Problem:
    gram = gram_of(rows, generator) if config.flow.dual_learning_rate is not None else None
    return Problem(config, make_update(config, gram), critical(rows, generator), area)


def _starts(rows: Rows, problem: Problem, generator: torch.Generator) -> Iterator[Start]:
    """Yield the annealed start and, where the inertia is the objective, seeded ones."""
    config = problem.config
    history = History(config.report)
    p = at_critical_temperature(rows, config.n_clusters, generator)
    bias, temperature, passes, settled = None, 0.0, 0, True
    if problem.critical > 0:
        p, bias, temperature, passes, settled = anneal(rows, p, problem, history)
    plain = config.loss == "quantization" and not config.regularization.active
    if not (plain and config.flow.hard_finish and problem.critical > 0):
        whole = Descent(p, rows.frame.inertia, passes)
        yield Start(whole, temperature, history, bias, settled)
        return
    flow, size = config.flow, (rows.n_rows, config.n_clusters)
    first = _descend(rows, p, problem, generator, flow.relocations)
    yield Start(first._replace(passes=first.passes + passes), temperature, history)
    # rows of weight 0 are left out: fewer rows than prototypes have nothing to draw from
    starts = flow.starts_for(*size) if config.n_clusters <= rows.n_rows else 1
    for _ in range(starts - 1):
        seeds = kmeans_plusplus(rows.data, config.n_clusters, generator, rows.weight)
        p = rows.data[seeds].to(rows.accumulator)
        later = _descend(rows, p, problem, generator, flow.later_patience(*size))
        yield Start(later, temperature, history)


def _descend(
    rows: Rows, p: Tensor, problem: Problem, generator: torch.Generator, patience: int
) -> Descent:
    """Hard descent on the sample, then relocation."""
    bound = problem.config.max_iter
    start = quick_descent(rows, p, _DESCENT_TOL, bound)
    return relocate(rows, start, generator, patience, bound)
