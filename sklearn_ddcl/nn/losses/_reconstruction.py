"""How well a decoder gives the samples back."""

from torch import Tensor

from sklearn_ddcl.nn._checks import check_matrix, check_same_shape
from sklearn_ddcl.nn.numerics import weighted_mean

__all__ = ["reconstruction_loss"]


def reconstruction_loss(x: Tensor, reconstruction: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean squared error of each sample, averaged over samples.

    .. math:: L_{rec} = \frac{1}{n D} \sum_n \|x_n - \hat x_n\|^2

    where D counts the values of a sample; the mean over them lets one weight
    serve tables and images alike.

    Parameters
    ----------
    x : Tensor of shape (n, ...)
        Samples.
    reconstruction : Tensor of shape (n, ...)
        What the decoder returned, of the same shape or with trailing
        dimensions flattened.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The loss in squared units of ``x``.

    Raises
    ------
    ValueError
        If the numbers of samples or of values differ, either is no floating
        point tensor, or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> reconstruction_loss(torch.zeros(2, 2, 2), torch.ones(2, 4))
    tensor(1.)
    """
    x, reconstruction = _flat("x", x), _flat("reconstruction", reconstruction)
    check_same_shape("x", x, "reconstruction", reconstruction)
    return weighted_mean((x - reconstruction).square().mean(dim=1), weight)


def _flat(name: str, value: Tensor) -> Tensor:
    if isinstance(value, Tensor) and value.ndim > 2:
        value = value.flatten(start_dim=1)
    check_matrix(name, value)
    return value
