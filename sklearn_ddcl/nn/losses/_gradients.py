"""Closed-form gradients by prototypes and assignments, for training without autograd.

All are gradients of means over samples: sample n contributes with its share
``w_n``, 1 / n unless weighted. The paper's equations are for one sample.
"""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_matrix, check_mixture
from sklearn_ddcl.nn.numerics import normalize_weights

__all__ = [
    "ols_gradient_assignments",
    "ols_gradient_prototypes",
    "quantization_gradient_assignments",
    "quantization_gradient_prototypes",
    "variance_gradient_assignments",
    "variance_gradient_prototypes",
]


def quantization_gradient_prototypes(
    z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Gradient of Lq by prototypes at fixed assignments (Eq. 30).

    .. math:: \nabla_{p_j} L_q = 2 \sum_n w_n q_{nj} (p_j - z_n)

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments, held fixed.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (k, d)
        The gradient, in units of the features.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> z, p, q = torch.tensor([[3.0]]), torch.tensor([[1.0]]), torch.tensor([[1.0]])
    >>> quantization_gradient_prototypes(z, p, q)
    tensor([[-4.]])
    """
    shared = _shared_assignments(z, p, q, weight)
    return 2.0 * (shared.sum(dim=0).unsqueeze(1) * p - shared.T @ z)


def ols_gradient_prototypes(
    z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Gradient of L_OLS by prototypes at fixed assignments (Eq. 29).

    .. math:: \nabla_{p_j} L_{OLS} = 2 \sum_n w_n q_{nj} (\bar p_n - z_n)

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments, held fixed.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (k, d)
        The gradient, in units of the features.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> z, p, q = torch.tensor([[3.0]]), torch.tensor([[1.0]]), torch.tensor([[1.0]])
    >>> ols_gradient_prototypes(z, p, q)
    tensor([[-4.]])
    """
    shared = _shared_assignments(z, p, q, weight)
    return 2.0 * (shared.T @ (q @ p - z))


def variance_gradient_prototypes(p: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Gradient of V by prototypes at fixed assignments (Eq. 31).

    .. math:: \nabla_P V = 2 \sum_n w_n \Sigma_{q_n} P

    A step *against* it lowers V: descent on Lq draws the prototypes of an
    undecided sample together.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments, held fixed.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (k, d)
        The gradient, in units of the features. The (n, k, k) covariances are
        never formed.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> variance_gradient_prototypes(torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.5, 0.5]]))
    tensor([[-1.],
            [ 1.]])
    """
    check_columns("q", q, "p.T", p.T)
    shared = q * normalize_weights(weight, q.shape[0], q).unsqueeze(1)
    centred = p - p.mean(dim=0)  # Sigma_q 1 = 0, so an offset only costs digits
    return 2.0 * (shared.sum(dim=0).unsqueeze(1) * centred - shared.T @ (q @ centred))


def quantization_gradient_assignments(distances: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Gradient of Lq by assignments (Eq. 27): :math:`w_n d_{nj}`, constant in q.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (n, k)
        The gradient, a squared distance.

    Raises
    ------
    ValueError
        If ``distances`` is no matrix or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> quantization_gradient_assignments(torch.tensor([[1.0, 4.0]]))
    tensor([[1., 4.]])
    """
    check_matrix("distances", distances)
    return normalize_weights(weight, distances.shape[0], distances).unsqueeze(1) * distances


def ols_gradient_assignments(
    z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Gradient of L_OLS by assignments (Eq. 26): :math:`2 w_n p_j^\top (\bar p_n - z_n)`.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (n, k)
        The gradient, a squared distance.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> z, p, q = torch.tensor([[0.0]]), torch.tensor([[1.0]]), torch.tensor([[1.0]])
    >>> ols_gradient_assignments(z, p, q)
    tensor([[2.]])
    """
    share = _share(z, p, q, weight)
    return 2.0 * share.unsqueeze(1) * ((q @ p - z) @ p.T)


def variance_gradient_assignments(p: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Gradient of V by assignments (Eq. 28): :math:`w_n (\|p_j\|^2 - 2 p_j^\top \bar p_n)`.

    Parameters
    ----------
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor of shape (n, k)
        The gradient of :math:`\sum_j q_j \|p_j\|^2 - \|\bar p\|^2`, a squared
        distance. Off the simplex V has other extensions; along it they agree.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> variance_gradient_assignments(torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([[-1.,  3.]])
    """
    check_columns("q", q, "p.T", p.T)
    share = normalize_weights(weight, q.shape[0], q)
    return share.unsqueeze(1) * (p.square().sum(dim=1) - 2.0 * (q @ p) @ p.T)


def _share(z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None) -> Tensor:
    check_mixture(z, p, q)
    return normalize_weights(weight, z.shape[0], z)


def _shared_assignments(z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None) -> Tensor:
    return q * _share(z, p, q, weight).unsqueeze(1)
