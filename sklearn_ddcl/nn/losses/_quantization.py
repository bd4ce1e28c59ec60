"""Soft quantization loss, simplex-constrained reconstruction, and the variance between them."""

from typing import Protocol

from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_mixture, check_same_shape
from sklearn_ddcl.nn.distances import prototype_distances, squared_distances
from sklearn_ddcl.nn.numerics import normalize_weights, weighted_mean
from sklearn_ddcl.nn.outputs import ClusterOutput, LossDecomposition

__all__ = [
    "LossTerm",
    "decompose_loss",
    "ols_loss",
    "ols_term",
    "prototype_variance",
    "quantization_term",
    "soft_quantization_loss",
]


class LossTerm(Protocol):
    """A base loss: from a forward pass and optional sample weights to a scalar."""

    def __call__(self, output: ClusterOutput, weight: Tensor | None = None) -> Tensor:
        """Return the loss, a scalar in squared units of the features."""
        ...


def soft_quantization_loss(distances: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Soft quantization loss (Eq. 11).

    .. math:: L_q = \frac{1}{n} \sum_n \sum_j q_{nj} \|z_n - p_j\|^2

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances.
    q : Tensor of shape (n, k)
        Assignments; detach them for the stop-gradient form.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The loss, a squared distance.

    Raises
    ------
    ValueError
        If the shapes differ or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> soft_quantization_loss(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.5, 0.5]]))
    tensor(2.)
    """
    check_same_shape("distances", distances, "q", q)
    return weighted_mean((distances * q).sum(dim=1), weight)


def ols_loss(z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Simplex-constrained reconstruction loss (Eq. 16).

    .. math:: L_{OLS} = \frac{1}{n} \sum_n \|z_n - \bar p_n\|^2,
              \qquad \bar p_n = \sum_j q_{nj} p_j

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
    Tensor, scalar
        The loss, a squared distance.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> p = torch.tensor([[-1.0], [1.0]])
    >>> ols_loss(torch.tensor([[0.0]]), p, torch.tensor([[0.5, 0.5]]))
    tensor(0.)
    """
    check_mixture(z, p, q)
    return weighted_mean((z - q @ p).square().sum(dim=1), weight)


def prototype_variance(p: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Variance of the prototypes under the assignments (Eq. 23), averaged over samples.

    .. math:: V = \frac{1}{n} \sum_n \sum_j q_{nj} \|p_j - \bar p_n\|^2
              = \frac{1}{2} \sum_{ij} \Bigl(\frac{1}{n} \sum_n q_{ni} q_{nj}\Bigr)
              \|p_i - p_j\|^2

    The second form is computed: every term is non-negative, so nothing
    cancels, V is exactly 0 for hard assignments, and memory is (k, k).

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
    Tensor, scalar
        V >= 0, a squared distance.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> prototype_variance(torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.5, 0.5]]))
    tensor(1.)
    """
    check_columns("q", q, "p.T", p.T)
    share = normalize_weights(weight, q.shape[0], q)
    together = (q * share.unsqueeze(1)).T @ q
    return 0.5 * (together * prototype_distances(p)).sum()


def decompose_loss(
    z: Tensor, p: Tensor, q: Tensor, weight: Tensor | None = None
) -> LossDecomposition:
    r"""Evaluate Lq, L_OLS and V, each from its own definition (Theorem 1, Eq. 22).

    :math:`L_q = L_{OLS} + V` for any features, prototypes and assignments
    on the simplex.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    p : Tensor of shape (k, d)
        Prototypes.
    q : Tensor of shape (n, k)
        Assignments; the identity needs rows that sum to 1.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    LossDecomposition
        Three scalars, squared distances.

    Raises
    ------
    ValueError
        If the shapes do not fit or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> p = torch.tensor([[-1.0], [1.0]])
    >>> decompose_loss(torch.tensor([[0.5]]), p, torch.tensor([[0.5, 0.5]]))
    LossDecomposition(quantization=tensor(1.2500), ols=tensor(0.2500), variance=tensor(1.))
    """
    check_mixture(z, p, q)
    centre = p.mean(dim=0)  # a common offset would cost the expanded distances their digits
    z, p = z - centre, p - centre
    return LossDecomposition(
        soft_quantization_loss(squared_distances(z, p), q, weight),
        ols_loss(z, p, q, weight),
        prototype_variance(p, q, weight),
    )


def quantization_term(output: ClusterOutput, weight: Tensor | None = None) -> Tensor:
    """Lq (Eq. 11) of a forward pass; see :func:`soft_quantization_loss`.

    Parameters
    ----------
    output : ClusterOutput
        The forward pass.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The loss, a squared distance.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import ClusterOutput
    >>> z, p, q = torch.tensor([[1.0]]), torch.tensor([[0.0]]), torch.tensor([[1.0]])
    >>> quantization_term(ClusterOutput(z, p, torch.tensor([[1.0]]), q, 1.0))
    tensor(1.)
    """
    return soft_quantization_loss(output.distances, output.assignments, weight)


def ols_term(output: ClusterOutput, weight: Tensor | None = None) -> Tensor:
    """L_OLS (Eq. 16) of a forward pass; see :func:`ols_loss`.

    Parameters
    ----------
    output : ClusterOutput
        The forward pass.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The loss, a squared distance.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import ClusterOutput
    >>> z, p, q = torch.tensor([[1.0]]), torch.tensor([[0.0]]), torch.tensor([[1.0]])
    >>> ols_term(ClusterOutput(z, p, torch.tensor([[1.0]]), q, 1.0))
    tensor(1.)
    """
    return ols_loss(output.z, output.prototypes, output.assignments, weight)
