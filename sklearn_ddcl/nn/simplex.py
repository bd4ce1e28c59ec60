"""Euclidean projection onto the probability simplex."""

import torch
from torch import Tensor

__all__ = ["project_simplex"]


def project_simplex(v: Tensor) -> Tensor:
    r"""Project rows onto the probability simplex (section 4.5).

    .. math:: \Pi(v) = \max(v - \theta, 0), \qquad
              \theta = \frac{1}{\rho} \Bigl(\sum_{i \le \rho} v_{(i)} - 1\Bigr)

    where :math:`v_{(1)} \ge v_{(2)} \ge \dots` and :math:`\rho` is the largest
    index with :math:`v_{(\rho)} > \theta_\rho`.

    Parameters
    ----------
    v : Tensor of shape (..., k)
        Any finite values.

    Returns
    -------
    Tensor of shape (..., k)
        The nearest non-negative rows that sum to 1.

    Raises
    ------
    ValueError
        If ``v`` is no floating point tensor with at least one column, or is
        not finite.

    Notes
    -----
    Costs O(k log k) a row. Rows are first shifted so that their largest
    entry is 0 and cut off at -1. Neither changes the result (the threshold
    lies in [-1, 0)), and both keep sums exact for entries of any size.

    Examples
    --------
    >>> import torch
    >>> project_simplex(torch.tensor([[0.5, 0.0, -3.0], [1e30, 0.0, 0.0]]))
    tensor([[0.7500, 0.2500, 0.0000],
            [1.0000, 0.0000, 0.0000]])
    """
    if v.ndim == 0 or v.shape[-1] == 0 or not v.is_floating_point():
        raise ValueError(
            f"v must be a floating point tensor with columns, got shape {tuple(v.shape)} "
            f"of {v.dtype}."
        )
    if not bool(torch.isfinite(v).all()):
        raise ValueError("v must be finite, got NaN or an infinity.")
    # Halves first: the difference of two entries near the largest float would overflow.
    half = 0.5 * v - 0.5 * v.amax(dim=-1, keepdim=True)
    v = 2.0 * half.clamp_min(-0.5)
    ordered = v.sort(dim=-1, descending=True).values
    count = torch.arange(1, v.shape[-1] + 1, dtype=v.dtype, device=v.device)
    thresholds = (ordered.cumsum(dim=-1) - 1.0) / count
    n_positive = (ordered > thresholds).sum(dim=-1, keepdim=True)
    return (v - thresholds.gather(-1, n_positive - 1)).clamp_min(0.0)
