"""Closed-form losses of features under a latent mixture: to the centre, and by KL divergence."""

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_columns, check_matrix, check_same_shape
from sklearn_ddcl.nn.distances import squared_distances
from sklearn_ddcl.nn.losses._topology import hard_quantization_loss
from sklearn_ddcl.nn.numerics import weighted_mean

__all__ = ["gaussian_divergences", "gaussian_mixture_loss", "nearest_center_loss"]


def nearest_center_loss(z: Tensor, centers: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Loss of autoencoder based clustering (ABC): the squared distance to the own centre.

    .. math:: \frac{1}{n} \sum_n \min_j \|z_n - \mu_j\|^2

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    centers : Tensor of shape (k, d)
        Centres; constant to the gradient if they come without one.
    weight : Tensor of shape (n,), optional
        Sample weights.

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
    >>> nearest_center_loss(torch.tensor([[1.0], [7.0]]), torch.tensor([[0.0], [9.0]]))
    tensor(2.5000)
    """
    check_columns("z", z, "centers", centers)
    shift = centers.detach().mean(dim=0)  # a common offset would cost digits
    return hard_quantization_loss(squared_distances(z - shift, centers - shift), weight)


def gaussian_divergences(
    z: Tensor, sample_variances: Tensor, centers: Tensor, variances: Tensor
) -> Tensor:
    r"""Divergence of each sample's latent Gaussian from each component of the mixture.

    .. math:: KL\bigl(N(z_n, v_n) \,\|\, N(\mu_j, s_j)\bigr) = \frac12 \sum_i \Bigl(
              \frac{(z_{ni} - \mu_{ji})^2}{s_{ji}} + \frac{v_{ni}}{s_{ji}} - 1
              - \ln \frac{v_{ni}}{s_{ji}} \Bigr)

    Under unit variance, v = s = 1, it is half the squared distance (Lemma 1 of
    [1]_): the loss of ABC.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features: the means of the samples' Gaussians.
    sample_variances : Tensor of shape (n, d)
        Their variances, > 0.
    centers : Tensor of shape (k, d)
        Means of the components.
    variances : Tensor of shape (k, d)
        Their variances, > 0.

    Returns
    -------
    Tensor of shape (n, k)
        Divergences, in nats, none below 0 but by rounding. Arrays of shape (n,
        k, d) are made for it: pass batches.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a variance is not positive.

    References
    ----------
    .. [1] K.-L. Lim, "Deep clustering using adversarial net based clustering
       loss".

    Examples
    --------
    >>> import torch
    >>> one = torch.ones(1, 2)
    >>> gaussian_divergences(torch.tensor([[3.0, 4.0]]), one, 0 * one, one)
    tensor([[12.5000]])
    """
    check_columns("z", z, "centers", centers)
    check_same_shape("z", z, "sample_variances", sample_variances)
    check_same_shape("centers", centers, "variances", variances)
    for name, value in (("sample_variances", sample_variances), ("variances", variances)):
        if not bool((value > 0).all()):
            raise ValueError(f"{name} must be > 0, got {float(value.detach().min())!r}.")
    ratio = sample_variances.unsqueeze(1) / variances
    gaps = (z.unsqueeze(1) - centers).square() / variances
    # the excess of a ratio over 1 + its logarithm: exactly 0 where both variances are equal
    return 0.5 * (gaps + ((ratio - 1.0) - torch.log(ratio))).sum(dim=2)


def gaussian_mixture_loss(
    divergences: Tensor, labels: Tensor | None = None, weight: Tensor | None = None
) -> Tensor:
    """Loss of probabilistic deep clustering: the divergence from the own component.

    Parameters
    ----------
    divergences : Tensor of shape (n, k)
        From `gaussian_divergences`.
    labels : Tensor of shape (n,), int64, optional
        Component of each sample; None takes that of the least divergence.
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    Tensor, scalar
        The mean, in nats.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is no component, or ``weight`` is
        invalid.

    Examples
    --------
    >>> import torch
    >>> gaussian_mixture_loss(torch.tensor([[3.0, 1.0], [2.0, 3.0]]))
    tensor(1.5000)
    """
    check_matrix("divergences", divergences)
    if labels is None:
        return hard_quantization_loss(divergences, weight)
    n, k = divergences.shape
    if labels.shape != (n,) or labels.dtype != torch.int64:
        raise ValueError(
            f"labels must have shape ({n},) of torch.int64, got {tuple(labels.shape)} of "
            f"{labels.dtype}."
        )
    if bool(((labels < 0) | (labels >= k)).any()):
        raise ValueError(
            f"labels must be in 0 ... {k - 1}, got {int(labels.min())} ... {int(labels.max())}."
        )
    return weighted_mean(divergences.gather(1, labels.unsqueeze(1)).squeeze(1), weight)
