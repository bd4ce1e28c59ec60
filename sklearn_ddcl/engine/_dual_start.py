"""First weights of the dual layer: those that give the prototypes of the warm start."""

import torch
from torch import Tensor

from sklearn_ddcl.engine._distances import nearest_prototypes
from sklearn_ddcl.nn.assignments import one_hot
from sklearn_ddcl.nn.numerics import wide_dtype
from sklearn_ddcl.nn.prototypes import exact_dual_weights, small_gram

__all__ = ["starting_dual_weights"]

_TOLERANCE = 1e-4  # of the prototypes' size: what float32 features leave of an exact solution
_LEAST_MOMENT = 1e-8  # of the largest: below the square of `_TOLERANCE` no moment is needed


def starting_dual_weights(z: Tensor, prototypes: Tensor) -> Tensor:
    r"""Dual weights W with ``W^T Z`` equal to given prototypes.

    Each prototype starts as the mean of its samples
    (:func:`~sklearn_ddcl.nn.exact_dual_weights`), so that it goes where they
    go when features change. What is then missing is added by the smallest
    possible change of W:

    .. math:: W = W_0 + Z (Z^\top Z)^+ (P - W_0^\top Z)^\top

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features of all samples.
    prototypes : Tensor of shape (k, d)
        Where the joint phase is to start.

    Returns
    -------
    Tensor of shape (n, k)
        The weights.

    Raises
    ------
    ValueError
        If a prototype lies outside the span of the features, so that no
        weights reach it.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[0.0, 1.0], [1.0, 0.0], [4.0, 1.0]])
    >>> p = torch.tensor([[0.5, 0.6], [4.0, 1.0]])
    >>> bool(torch.allclose(starting_dual_weights(z, p).T @ z, p))
    True
    """
    nearest = nearest_prototypes(z, prototypes)
    wide = z.to(wide_dtype(z))
    first = exact_dual_weights(one_hot(nearest, prototypes.shape[0], z.dtype)).to(wide)
    missing = prototypes.to(wide) - (wide.T @ first).T
    # sums over n rows are rounded: a moment that is not there is one that small
    least = min(max(z.shape) * torch.finfo(wide.dtype).eps, _LEAST_MOMENT)
    inverse = torch.linalg.pinv(small_gram(wide), rtol=least, hermitian=True)
    tall = z.shape[1] <= z.shape[0]
    change = wide @ (inverse @ missing.T) if tall else inverse @ (wide @ missing.T)
    weights = first.add_(change)
    error = float(((wide.T @ weights).T - prototypes).abs().max())
    size = float(prototypes.abs().max())
    if not error <= _TOLERANCE * size:
        raise ValueError(
            "prototypes must lie in the span of the features, as means of samples do, got some "
            f"that no dual weights reach: they are missed by {error:.3g} at a size of {size:.3g}."
        )
    narrow: Tensor = weights.to(z.dtype)
    return narrow
