"""Prototype updates of the reduced flow in closed form, for given assignments.

The dual layer writes prototypes as ``P = W^T Y`` with one weight row per sample.
With frozen features W need never exist. Its exact minimiser for given assignments
is ``W = Q / mass`` and gives ``p_j = sums_j / mass_j``; a gradient step in W moves P
by the gradient times the Gram matrix ``Y^T Y`` (Gram form).
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.engine._config import ReducedConfig
from sklearn_ddcl.engine._passes import SoftPass

__all__ = ["Gram", "Update", "class_means", "make_exact_update", "make_update"]

_RIDGE = 1e-12  # keeps the k x k systems solvable where prototypes coincide


class Update(NamedTuple):
    """An update rule and what it has to be given.

    Attributes
    ----------
    apply : callable
        ``apply(p, statistics) -> p`` with prototypes (k, d) in frame coordinates
        and the sums of a soft pass.
    needs_overlap : bool
        Whether the statistics must contain ``Q^T Q``.
    """

    apply: Callable[[Tensor, SoftPass], Tensor]
    needs_overlap: bool


class Gram(NamedTuple):
    """The Gram matrix of the rows as an operator, never formed where d is large.

    Attributes
    ----------
    product : callable
        ``product(g) -> g @ (Y^T Y / n)`` for g of shape (k, d).
    largest : float
        Largest eigenvalue of ``Y^T Y / n``.
    """

    product: Callable[[Tensor], Tensor]
    largest: float


def class_means(p: Tensor, mass: Tensor, sums: Tensor) -> Tensor:
    """Return the means of the rows of each prototype; unused prototypes stay.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Present prototypes.
    mass : Tensor of shape (k,)
        Weights assigned to each.
    sums : Tensor of shape (k, d)
        Weighted sums of the rows assigned to each.

    Returns
    -------
    Tensor of shape (k, d)
        ``sums / mass`` where the mass is positive.
    """
    if bool((mass > 0).all()):
        return sums / mass[:, None]
    used = mass > 0
    means = sums / torch.where(used, mass, torch.ones_like(mass))[:, None]
    return torch.where(used[:, None], means, p.to(means))


def normal_matrix(loss: str, statistics: SoftPass, separation: float, quadratic: float) -> Tensor:
    """Matrix A (k, k) of the normal equations ``A P = 2 sums / n`` of Eq. 12 in P.

    Parameters
    ----------
    loss : str
        "quantization" (Eq. 11) or "ols" (Eq. 16).
    statistics : SoftPass
        Sums of a pass; hard assignments have no overlap but their mass.
    separation, quadratic : float
        Weights eta (mean over pairs) and lambda.

    Returns
    -------
    Tensor of shape (k, k)
        Symmetric; positive definite under the coercivity rule.
    """
    mass = statistics.mass
    k, total = len(mass), mass.sum()
    matrix = 2.0 * _LOSS_CURVATURE[loss](statistics) / total
    matrix.diagonal().add_(quadratic + _RIDGE)
    if separation and k > 1:
        # eta times the Hessian of Eq. 15 over pairs: -2 (k I - 1 1^T) / C(k, 2)
        eta = 2.0 * separation / (k * (k - 1) / 2)
        matrix += eta
        matrix.diagonal().sub_(eta * k)
    return matrix


def _quantization_curvature(statistics: SoftPass) -> Tensor:
    return torch.diag(statistics.mass)


def _ols_curvature(statistics: SoftPass) -> Tensor:
    overlap = statistics.overlap
    return torch.diag(statistics.mass) if overlap is None else overlap.clone()


_LOSS_CURVATURE = {"quantization": _quantization_curvature, "ols": _ols_curvature}


def make_update(config: ReducedConfig, gram: Gram | None) -> Update:
    """Choose the update that the configuration asks for.

    Parameters
    ----------
    config : ReducedConfig
        The fit's configuration.
    gram : Gram or None
        ``Y^T Y / n`` of the rows, for gradient steps in Gram form.

    Returns
    -------
    Update
        The rule.
    """
    rate = config.flow.dual_learning_rate
    if rate is None or gram is None:
        return make_exact_update(config)
    regularization, loss = config.regularization, config.loss
    quadratic = regularization.quadratic_for(config.n_clusters)

    def _gradient_step(p: Tensor, statistics: SoftPass) -> Tensor:
        curvature = normal_matrix(loss, statistics, regularization.separation, quadratic)
        gradient = curvature @ p.to(curvature) - 2.0 * statistics.sums / statistics.mass.sum()
        # the product of the largest eigenvalues bounds the curvature in W
        steepest = float(torch.linalg.eigvalsh(curvature)[-1]) * gram.largest
        return p - rate / max(steepest, torch.finfo(p.dtype).tiny) * gram.product(gradient)

    return Update(_gradient_step, loss == "ols")


def make_exact_update(config: ReducedConfig) -> Update:
    """Return the exact minimiser over the dual weights for given assignments.

    Exact for Lq and for hard assignments. The system of L_OLS is singular where
    assignments coincide; there a step minimises the bound that ``Q^T Q <=
    diag(mass)`` gives (rows of Q lie on the simplex), which never raises the
    loss and leaves alone what the assignments do not determine.

    Parameters
    ----------
    config : ReducedConfig
        The fit's configuration.

    Returns
    -------
    Update
        Weighted means where nothing is added to Lq, else a k x k solve.
    """
    regularization, loss = config.regularization, config.loss
    quadratic = regularization.quadratic_for(config.n_clusters)

    def _means(p: Tensor, statistics: SoftPass) -> Tensor:
        return class_means(p, statistics.mass, statistics.sums)

    def _solve(p: Tensor, statistics: SoftPass) -> Tensor:
        weights = regularization.separation, quadratic
        matrix = normal_matrix(loss, statistics, *weights)
        matrix.diagonal().sub_(_RIDGE)
        p = p.to(matrix)
        residual = 2.0 * statistics.sums / statistics.mass.sum() - matrix @ p
        change: Tensor = torch.linalg.solve(
            normal_matrix("quantization", statistics, *weights), residual
        )
        return p + change

    if loss == "quantization" and not (regularization.separation or quadratic):
        return Update(_means, False)
    return Update(_solve, loss == "ols")
