"""Soft and hard assignments of samples to prototypes, and what measures their softness."""

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_matrix, check_real
from sklearn_ddcl.nn.numerics import leading_eigenvalue, normalize_weights, row_blocks, wide_dtype

__all__ = [
    "assignment_covariance",
    "concentration",
    "critical_temperature",
    "hard_assignments",
    "one_hot",
    "separation_force",
    "soft_assignments",
]

_EXACT_SIZE = 256  # up to this size a full eigendecomposition is quicker than iterating


def soft_assignments(distances: Tensor, temperature: float) -> Tensor:
    r"""Boltzmann assignments (Eq. 8).

    .. math:: q_{nj} = \frac{\exp(-d_{nj} / T)}{\sum_l \exp(-d_{nl} / T)}

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.
    temperature : float
        T > 0 in units of squared distance; infinity gives uniform rows.

    Returns
    -------
    Tensor of shape (n, k)
        Rows on the probability simplex.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix or ``temperature`` is not positive.

    Examples
    --------
    >>> import torch
    >>> soft_assignments(torch.tensor([[0.0, 1.0]]), temperature=1e-9)
    tensor([[1., 0.]])
    """
    check_matrix("distances", distances)
    check_real("temperature", temperature, above=0.0, infinite=True)
    # The shift comes before the division: d / T may overflow, (d - min d) / T only to q = 0.
    shifted = distances.detach().amin(dim=1, keepdim=True) - distances
    scale = max(temperature, torch.finfo(distances.dtype).tiny)
    return torch.softmax(shifted.div_(scale), dim=1)


def hard_assignments(distances: Tensor) -> Tensor:
    """Index of the nearest prototype, the lowest one where several tie.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.

    Returns
    -------
    Tensor of shape (n,), int64
        Winner of every sample.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix.

    Examples
    --------
    >>> import torch
    >>> hard_assignments(torch.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor([1, 0])
    """
    check_matrix("distances", distances)
    return distances.argmin(dim=1)


def one_hot(labels: Tensor, n_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Write labels as rows of the identity matrix.

    Parameters
    ----------
    labels : Tensor of shape (n,), int64
        Indices in ``[0, n_classes)``.
    n_classes : int
        Number of columns.
    dtype : torch.dtype, default=torch.float32
        Floating point type of the result.

    Returns
    -------
    Tensor of shape (n, n_classes)
        Hard assignments.

    Raises
    ------
    ValueError
        If ``labels`` is not a vector of int64 or has an index out of range.

    Examples
    --------
    >>> import torch
    >>> one_hot(torch.tensor([1]), 3)
    tensor([[0., 1., 0.]])
    """
    check_count("n_classes", n_classes)
    if labels.ndim != 1 or labels.dtype != torch.int64:
        raise ValueError(
            f"labels must be a vector of int64, got shape {tuple(labels.shape)} of {labels.dtype}."
        )
    if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= n_classes):
        raise ValueError(
            f"labels must lie in [0, {n_classes}), got {int(labels.min())} to {int(labels.max())}."
        )
    rows = torch.zeros(labels.shape[0], n_classes, dtype=dtype, device=labels.device)
    return rows.scatter_(1, labels.unsqueeze(1), 1.0)


def assignment_covariance(q: Tensor) -> Tensor:
    r"""Covariance of a random one-hot vector with mean q (Eq. 25).

    .. math:: \Sigma_q = \mathrm{diag}(q) - q q^\top

    It is positive semidefinite with ``Sigma_q 1 = 0`` (the paper names q as
    the kernel's vector; that holds only where q is uniform on its support).

    Parameters
    ----------
    q : Tensor of shape (k,) or (n, k)
        One assignment, or a batch.

    Returns
    -------
    Tensor of shape (k, k) or (n, k, k)
        The covariance, without unit. A batch costs n k^2 memory.

    Raises
    ------
    ValueError
        If ``q`` has neither one nor two axes.

    Examples
    --------
    >>> import torch
    >>> assignment_covariance(torch.tensor([0.5, 0.5]))
    tensor([[ 0.2500, -0.2500],
            [-0.2500,  0.2500]])
    """
    if q.ndim not in (1, 2):
        raise ValueError(f"q must have shape (k,) or (n, k), got {tuple(q.shape)}.")
    return torch.diag_embed(q) - q.unsqueeze(-1) * q.unsqueeze(-2)


def concentration(q: Tensor) -> Tensor:
    r"""Concentration of each assignment (Eq. 36): :math:`K(q) = \|q\|^2`.

    Parameters
    ----------
    q : Tensor of shape (..., k)
        Assignments.

    Returns
    -------
    Tensor of shape (...)
        K, between 1 / k (uniform) and 1 (hard).

    Examples
    --------
    >>> import torch
    >>> concentration(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor([0.5000, 1.0000])
    """
    return q.square().sum(dim=-1)


def separation_force(q: Tensor) -> Tensor:
    r"""Softness of each assignment (Eq. 37): :math:`I = \mathrm{tr}\,\Sigma_q = 1 - K(q)`.

    The paper calls it the separation force; it measures how much of the
    assignment is undecided and separates nothing by itself.

    Parameters
    ----------
    q : Tensor of shape (..., k)
        Assignments.

    Returns
    -------
    Tensor of shape (...)
        I, between 0 (hard) and 1 - 1 / k (uniform), computed as
        ``sum q (1 - q)`` so that nearly hard assignments keep their digits.

    Examples
    --------
    >>> import torch
    >>> separation_force(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor([0.5000, 0.0000])
    """
    return (q * (1.0 - q)).sum(dim=-1)


def critical_temperature(
    z: Tensor, weight: Tensor | None = None, generator: torch.Generator | None = None
) -> float:
    """Temperature at which coinciding prototypes begin to separate.

    Twice the leading eigenvalue of the covariance of ``z``: the scale that
    relative temperatures are multiples of. Above it, descent on the soft
    quantization loss with assignments held fixed in each step draws all
    prototypes to the mean; below it they split along the leading direction.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    weight : Tensor of shape (n,), optional
        Sample weights.
    generator : torch.Generator, optional
        For the power iteration's first vector, used where both n and d are
        large.

    Returns
    -------
    float
        The temperature, in squared units of ``z``; 0 for constant features.

    Raises
    ------
    ValueError
        If ``z`` is no matrix or not finite, or ``weight`` is invalid.

    Notes
    -----
    Works in row blocks on the smaller side of ``z``: memory is the square of
    min(n, d), beside one block. The data's scale is divided out first, so
    that float32 values near 1e30 do not overflow.

    Examples
    --------
    >>> import torch
    >>> critical_temperature(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    2.0
    """
    check_matrix("z", z)
    z = z.detach()
    share = normalize_weights(weight, z.shape[0], z)
    total = torch.zeros(z.shape[1], dtype=wide_dtype(z), device=z.device)
    for rows in row_blocks(*z.shape):
        total += share[rows] @ z[rows]
    mean = total.to(z.dtype)
    scale = max(float((z[rows] - mean).abs().max()) for rows in row_blocks(*z.shape))
    if scale != scale or scale == float("inf"):
        raise ValueError("z must be finite, got NaN or an infinity.")
    if scale == 0.0:
        return 0.0
    matrix = _small_covariance(z, mean, share, scale)
    if matrix.shape[0] <= _EXACT_SIZE:
        value = float(torch.linalg.eigvalsh(matrix)[-1])
    else:
        value = leading_eigenvalue(matrix, generator=generator).value
    return 2.0 * value * scale * scale


def _small_covariance(z: Tensor, mean: Tensor, share: Tensor, scale: float) -> Tensor:
    """Covariance of z / scale, or for n < d the (n, n) matrix with the same spectrum."""
    n, d = z.shape
    if n < d:
        centred = (z - mean).div_(scale).mul_(share.sqrt().unsqueeze(1))
        return centred @ centred.T
    covariance = torch.zeros(d, d, dtype=wide_dtype(z), device=z.device)
    for rows in row_blocks(n, d):
        centred = (z[rows] - mean).div_(scale)
        covariance += (centred.T * share[rows]) @ centred
    return covariance
