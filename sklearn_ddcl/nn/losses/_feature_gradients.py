"""Closed-form gradients by features, with and without stop-gradient on the assignments."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_mixture, check_real
from sklearn_ddcl.nn.numerics import normalize_weights

__all__ = ["ols_gradient_features", "quantization_gradient_features"]


def quantization_gradient_features(
    z: Tensor,
    p: Tensor,
    q: Tensor,
    temperature: float | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Gradient of Lq by features, prototypes held fixed (Eq. 32).

    .. math:: \nabla_{z_n} L_q = w_n \Bigl( 2 (z_n - \bar p_n)
              + \frac{2}{T} \sum_j q_{nj} (d_{nj} - \bar d_n) p_j \Bigr)

    The second part, through the assignments, is left out under stop-gradient.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments; for the full gradient, those of ``temperature``.
    temperature : float or None, default=None
        None for stop-gradient, else T > 0 for the full gradient.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (n, d)
        The gradient, in units of the features.

    Raises
    ------
    ValueError
        If the shapes do not fit, or ``temperature`` or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> p, q = torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.5, 0.5]])
    >>> quantization_gradient_features(torch.tensor([[0.5]]), p, q)
    tensor([[1.]])
    >>> quantization_gradient_features(torch.tensor([[0.0]]), p, q, temperature=1.0)
    tensor([[0.]])
    """
    check_mixture(z, p, q)
    share = normalize_weights(weight, z.shape[0], z)
    gradient = 2.0 * (z - q @ p)
    if temperature is not None:
        check_real("temperature", temperature, above=0.0)
        # d_j up to a constant in j, which drops out of the covariance
        relative = p.square().sum(dim=1) - 2.0 * z @ p.T
        gradient = gradient + 2.0 / temperature * _covariance_product(p, q, relative)
    return share.unsqueeze(1) * gradient


def ols_gradient_features(
    z: Tensor,
    p: Tensor,
    q: Tensor,
    temperature: float | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Gradient of L_OLS by features, prototypes held fixed (Eq. 32).

    .. math:: \nabla_{z_n} L_{OLS} = w_n \Bigl( 2 r_n
              - \frac{4}{T} P^\top \Sigma_{q_n} P r_n \Bigr), \qquad r_n = z_n - \bar p_n

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments; for the full gradient, those of ``temperature``.
    temperature : float or None, default=None
        None for stop-gradient, else T > 0 for the full gradient.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (n, d)
        The gradient, in units of the features.

    Raises
    ------
    ValueError
        If the shapes do not fit, or ``temperature`` or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> p, q = torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.5, 0.5]])
    >>> ols_gradient_features(torch.tensor([[0.5]]), p, q)
    tensor([[1.]])
    """
    check_mixture(z, p, q)
    share = normalize_weights(weight, z.shape[0], z)
    residual = z - q @ p
    gradient = 2.0 * residual
    if temperature is not None:
        check_real("temperature", temperature, above=0.0)
        gradient = gradient - 4.0 / temperature * _covariance_product(p, q, residual @ p.T)
    return share.unsqueeze(1) * gradient


def _covariance_product(p: Tensor, q: Tensor, values: Tensor) -> Tensor:
    """Rows ``P^T Sigma_q v`` = sum_j q_j (v_j - mean_q v) p_j, shape (n, d)."""
    centred = values - (q * values).sum(dim=1, keepdim=True)
    return (q * centred) @ (p - p.mean(dim=0))
