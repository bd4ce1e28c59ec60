"""Numerically safe building blocks: logarithms at zero, weighted means, power iteration."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_real

__all__ = [
    "EigenPair",
    "leading_eigenvalue",
    "normalize_weights",
    "row_blocks",
    "safe_xlogx",
    "weighted_mean",
    "wide_dtype",
]

_BLOCK_ELEMENTS = 1 << 19  # a float32 block of 2 MB stays in a core's second-level cache
_BLOCK_ROWS = 1 << 13  # longer float32 sums lose digits
_WARM_START_NOISE = 1e-2


def safe_xlogx(x: Tensor) -> Tensor:
    """Compute ``x log x`` with value 0 and a finite gradient at ``x = 0``.

    Parameters
    ----------
    x : Tensor of any shape
        Non-negative values.

    Returns
    -------
    Tensor of the same shape
        ``x * log(x)`` in nats.

    Notes
    -----
    The true derivative ``log x + 1`` is minus infinity at 0; times the zero
    that a softmax passes on, that is NaN. Below the smallest normal number
    the derivative is held at that number's logarithm.

    Examples
    --------
    >>> import torch
    >>> float(safe_xlogx(torch.tensor(0.0))) == 0.0
    True
    """
    return x * torch.log(x.clamp_min(torch.finfo(x.dtype).tiny))


def normalize_weights(weight: Tensor | None, n: int, like: Tensor) -> Tensor:
    """Return sample weights that sum to 1.

    Parameters
    ----------
    weight : Tensor of shape (n,) or None
        Non-negative sample weights; None stands for equal ones.
    n : int
        Number of samples.
    like : Tensor
        Gives dtype and device of the result.

    Returns
    -------
    Tensor of shape (n,)
        ``weight / weight.sum()``.

    Raises
    ------
    ValueError
        If the shape is wrong, a weight is negative or not finite, or all are 0.

    Examples
    --------
    >>> import torch
    >>> normalize_weights(torch.tensor([1.0, 3.0]), 2, torch.zeros(1))
    tensor([0.2500, 0.7500])
    """
    check_count("n", n)
    if weight is None:
        return torch.full((n,), 1.0 / n, dtype=like.dtype, device=like.device)
    if weight.shape != (n,):
        raise ValueError(f"weight must have shape ({n},), got {tuple(weight.shape)}.")
    weight = weight.to(device=like.device, dtype=like.dtype)
    if not bool(torch.isfinite(weight).all()) or bool((weight < 0).any()):
        raise ValueError("weight must be finite and non-negative.")
    largest = weight.detach().max()
    if float(largest) == 0.0:
        raise ValueError("weight must have a positive sum, got all zeros.")
    scaled = weight / largest  # the sum of large weights could overflow
    return scaled / scaled.sum()


def weighted_mean(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """Average over the first axis.

    Parameters
    ----------
    values : Tensor of shape (n, ...)
        One value (or row) a sample.
    weight : Tensor of shape (n,) or None
        Non-negative sample weights of any positive sum.

    Returns
    -------
    Tensor of shape (...)
        The weighted mean.

    Raises
    ------
    ValueError
        As for :func:`normalize_weights`.

    Examples
    --------
    >>> import torch
    >>> weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0]))
    tensor(2.)
    """
    if weight is None:
        return values.mean(dim=0)
    share = normalize_weights(weight, values.shape[0], values)
    return torch.einsum("n,n...->...", share, values)


def row_blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices that cut the rows of a matrix into blocks of at most about 2 MB.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the matrix.

    Yields
    ------
    slice
        Consecutive row ranges that cover all rows.

    Examples
    --------
    >>> [(s.start, s.stop) for s in row_blocks(5, 1 << 18)]
    [(0, 2), (2, 4), (4, 5)]
    """
    step = min(max(1, _BLOCK_ELEMENTS // max(1, n_columns)), _BLOCK_ROWS)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def wide_dtype(like: Tensor) -> torch.dtype:
    """Return the type in which long sums are kept.

    Parameters
    ----------
    like : Tensor
        What is summed.

    Returns
    -------
    torch.dtype
        float64, except on devices without it.

    Examples
    --------
    >>> import torch
    >>> wide_dtype(torch.zeros(1))
    torch.float64
    """
    return like.dtype if like.device.type == "mps" else torch.float64


class EigenPair(NamedTuple):
    """Leading eigenvalue and unit eigenvector of a positive semidefinite operator.

    Attributes
    ----------
    value : float
        The eigenvalue.
    vector : Tensor of shape (m,)
        A unit eigenvector; pass it as ``start`` for the next, similar operator.
    """

    value: float
    vector: Tensor


def leading_eigenvalue(
    operator: Tensor | Callable[[Tensor], Tensor],
    *,
    generator: torch.Generator | None = None,
    start: Tensor | None = None,
    tolerance: float = 1e-4,
    max_iter: int = 1000,
) -> EigenPair:
    """Find the largest eigenvalue of a symmetric positive semidefinite operator.

    Power iteration, stopped once ``|A v - value v| <= tolerance * value``, so
    that ``value`` lies within ``tolerance * value`` of an eigenvalue (and much
    nearer where the leading one stands apart: the error is of second order).

    Parameters
    ----------
    operator : Tensor of shape (m, m) or callable
        The matrix, or a function ``v -> A v``; a function needs ``start``.
    generator : torch.Generator, optional
        Source of the first vector; a fixed seed if left out. The global
        random state is never used.
    start : Tensor of shape (m,), optional
        Warm start, as from an earlier result. A little noise is added, so
        that an exact eigenvector of a smaller eigenvalue is left again.
    tolerance : float, default=1e-4
        Relative residual at which to stop.
    max_iter : int, default=1000
        Largest number of products ``A v``.

    Returns
    -------
    EigenPair
        Eigenvalue and eigenvector; the value is 0 for a zero operator.

    Raises
    ------
    ValueError
        If the matrix is not square or not finite, a function comes without
        ``start``, or ``tolerance`` or ``max_iter`` is not positive.

    Examples
    --------
    >>> import torch
    >>> round(leading_eigenvalue(torch.diag(torch.tensor([1.0, 3.0]))).value, 4)
    3.0
    """
    check_real("tolerance", tolerance, above=0.0)
    check_count("max_iter", max_iter)
    scale = 1.0
    if isinstance(operator, Tensor):
        matrix, scale = _scaled_square(operator)
        vector = _first_vector(matrix[0], start, generator)
        product: Callable[[Tensor], Tensor] = matrix.mv
    elif start is None:
        raise ValueError("start must be given when operator is a function, got None.")
    else:
        vector, product = _first_vector(start, start, generator), operator
    value = 0.0
    for _ in range(max_iter):
        image = product(vector)
        value = float(vector @ image)
        residual = float(torch.linalg.vector_norm(image - value * vector))
        if residual <= tolerance * value:  # so are both 0 where the image is
            break
        vector = image / torch.linalg.vector_norm(image)
    return EigenPair(max(value, 0.0) * scale, vector)


def _scaled_square(matrix: Tensor) -> tuple[Tensor, float]:
    """Divide a matrix by its largest entry, so that norms cannot overflow."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"operator must be a square matrix, got shape {tuple(matrix.shape)}.")
    scale = float(matrix.detach().abs().max())
    if scale != scale or scale == float("inf"):
        raise ValueError("operator must be finite, got NaN or an infinity.")
    return (matrix.detach() / scale, scale) if scale > 0.0 else (matrix.detach(), 1.0)


def _first_vector(like: Tensor, start: Tensor | None, generator: torch.Generator | None) -> Tensor:
    """Return a unit vector: random, or ``start`` with a little noise."""
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    noise = torch.randn(like.shape[0], generator=generator, device=generator.device)
    vector = noise.to(like) / torch.linalg.vector_norm(noise).to(like)
    if start is not None:
        if start.shape != like.shape:
            raise ValueError(f"start must have shape {tuple(like.shape)}, got {start.shape}.")
        norm = torch.linalg.vector_norm(start.detach())
        if float(norm) > 0.0:
            vector = start.detach() / norm + _WARM_START_NOISE * vector
    unit: Tensor = vector / torch.linalg.vector_norm(vector)
    return unit
