"""Dual competitive layer, Gram form: gradient steps on W, taken on P alone.

A step ``W <- W - a Z G^T`` with ``G = dL/dP`` moves ``P = W^T Z`` by
``-a G (Z^T Z)``. With fixed features W need never exist.
"""

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_matrix, check_real, check_same_shape
from sklearn_ddcl.nn.numerics import leading_eigenvalue

__all__ = ["gram_step", "normalized_dual_learning_rate", "small_gram", "span_step"]


def small_gram(z: Tensor) -> Tensor:
    """Gram matrix of the smaller side of ``z``.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.

    Returns
    -------
    Tensor of shape (d, d) or (n, n)
        ``Z^T Z`` for d <= n, else ``Z Z^T``; their non-zero eigenvalues are
        the same.

    Raises
    ------
    ValueError
        If ``z`` is no matrix.

    Examples
    --------
    >>> import torch
    >>> small_gram(torch.tensor([[3.0, 4.0]]))
    tensor([[25.]])
    """
    check_matrix("z", z)
    return z.T @ z if z.shape[1] <= z.shape[0] else z @ z.T


def gram_step(p: Tensor, gradient: Tensor, gram: Tensor, learning_rate: float) -> Tensor:
    r"""Step of dual gradient descent, for d <= n.

    .. math:: P \leftarrow P - a \, \nabla_P L \, (Z^\top Z)

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.
    gradient : Tensor of shape (k, d)
        Gradient of the loss by the prototypes.
    gram : Tensor of shape (d, d)
        ``Z^T Z``.
    learning_rate : float
        Step a > 0; see :func:`normalized_dual_learning_rate`.

    Returns
    -------
    Tensor of shape (k, d)
        New prototypes.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``learning_rate`` is not positive.

    Examples
    --------
    >>> import torch
    >>> gram_step(torch.tensor([[1.0]]), torch.tensor([[1.0]]), torch.tensor([[4.0]]), 0.1)
    tensor([[0.6000]])
    """
    check_same_shape("gradient", gradient, "p", p)
    check_real("learning_rate", learning_rate, above=0.0)
    if gram.shape != (p.shape[1], p.shape[1]):
        raise ValueError(
            f"gram must have shape {(p.shape[1], p.shape[1])}, got {tuple(gram.shape)}."
        )
    return torch.addmm(p, gradient, gram, alpha=-learning_rate)


def span_step(p: Tensor, gradient: Tensor, z: Tensor, learning_rate: float) -> Tensor:
    r"""Step of dual gradient descent, for d > n.

    .. math:: P \leftarrow P - a \, (\nabla_P L \, Z^\top) Z

    The same step as :func:`gram_step` without a (d, d) matrix: the move lies
    in the span of the n samples (the gradient-subspace property).

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.
    gradient : Tensor of shape (k, d)
        Gradient of the loss by the prototypes.
    z : Tensor of shape (n, d)
        Features.
    learning_rate : float
        Step a > 0; see :func:`normalized_dual_learning_rate`.

    Returns
    -------
    Tensor of shape (k, d)
        New prototypes.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``learning_rate`` is not positive.

    Examples
    --------
    >>> import torch
    >>> span_step(torch.tensor([[1.0]]), torch.tensor([[1.0]]), torch.tensor([[2.0]]), 0.1)
    tensor([[0.6000]])
    """
    check_same_shape("gradient", gradient, "p", p)
    check_columns("z", z, "p", p)
    check_real("learning_rate", learning_rate, above=0.0)
    return torch.addmm(p, gradient @ z.T, z, alpha=-learning_rate)


def normalized_dual_learning_rate(
    rate: float,
    gram: Tensor,
    generator: torch.Generator | None = None,
    start: Tensor | None = None,
) -> float:
    """Scale a learning rate for dual weights to the features.

    A dual step moves P by ``rate`` times the Gram matrix, whose eigenvalues
    grow with the number of samples and their scale; divided by the largest,
    no direction moves faster than a vanilla step of ``rate`` would.

    Parameters
    ----------
    rate : float
        Learning rate > 0 of a vanilla layer.
    gram : Tensor of shape (m, m)
        ``Z^T Z`` or ``Z Z^T``, whichever is smaller: see :func:`small_gram`.
    generator : torch.Generator, optional
        For the power iteration's first vector.
    start : Tensor of shape (m,), optional
        An approximate leading eigenvector.

    Returns
    -------
    float
        ``rate / eigenvalue``; ``rate`` itself if the features are all 0.

    Raises
    ------
    ValueError
        If ``rate`` is not positive or ``gram`` is not square or not finite.

    Examples
    --------
    >>> import torch
    >>> round(normalized_dual_learning_rate(0.1, torch.diag(torch.tensor([2.0, 4.0]))), 6)
    0.025
    """
    check_real("rate", rate, above=0.0)
    value = leading_eigenvalue(gram, generator=generator, start=start).value
    return rate / value if value > 0.0 else rate
