"""A discriminator between drawn and encoded features, and the encoder that deceives it."""

import math

from torch import Tensor
from torch.nn import functional

from sklearn_ddcl.nn._checks import check_real
from sklearn_ddcl.nn.numerics import weighted_mean

__all__ = ["adversarial_encoder_loss", "discriminator_loss", "jensen_shannon_estimate"]


def discriminator_loss(
    drawn: Tensor, encoded: Tensor, weight: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    r"""Cross-entropy of a discriminator that tells drawn features from encoded ones.

    .. math:: L_D = -E_{z \sim p}[(1 - s) \ln D(z) + s \ln(1 - D(z))] - E_x[\ln(1 - D(E(x)))]

    for the logistic function D of the scores, the mixture p and the smoothing
    s. With s = 0 it is least at the log ratio of the two densities, where it
    is 2 ln 2 - 2 JS.

    Parameters
    ----------
    drawn : Tensor of shape (m,)
        Scores (logits) of features drawn from the mixture; large for "drawn".
    encoded : Tensor of shape (n,)
        Scores of features that the encoder made of samples; detach these.
    weight : Tensor of shape (n,), optional
        Sample weights of the encoded features.
    smoothing : float, default=0.0
        One-sided label smoothing in [0, 0.5]: drawn features have the target
        1 - smoothing, so that scores stay small and gradients alive.

    Returns
    -------
    Tensor, scalar
        The loss, in nats.

    Raises
    ------
    ValueError
        If the scores are no vectors, ``smoothing`` is out of range or
        ``weight`` is invalid.

    References
    ----------
    .. [1] K.-L. Lim, "Deep clustering using adversarial net based clustering
       loss".

    Examples
    --------
    >>> import torch
    >>> discriminator_loss(torch.tensor([8.0]), torch.tensor([-8.0])) < 1e-3
    tensor(True)
    """
    _check_scores("drawn", drawn)
    _check_scores("encoded", encoded)
    check_real("smoothing", smoothing, at_least=0.0, at_most=0.5)
    found = functional.softplus(-drawn).mean() + smoothing * drawn.mean()
    return found + weighted_mean(functional.softplus(encoded), weight)


def adversarial_encoder_loss(encoded: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Non-saturating loss of an encoder whose features shall pass as drawn ones.

    .. math:: L_E = -E_x[\ln D(E(x))]

    It pulls the way of :math:`E_x[\ln(1 - D(E(x)))]`, the encoder's part in the
    game, but keeps its gradient where the discriminator is sure.

    Parameters
    ----------
    encoded : Tensor of shape (n,)
        Scores (logits) of encoded features, with their gradient; large for
        "drawn".
    weight : Tensor of shape (n,), optional
        Sample weights.

    Returns
    -------
    Tensor, scalar
        The loss, in nats: ln 2 where the discriminator cannot tell.

    Raises
    ------
    ValueError
        If ``encoded`` is no vector or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> adversarial_encoder_loss(torch.zeros(3))
    tensor(0.6931)
    """
    _check_scores("encoded", encoded)
    return weighted_mean(functional.softplus(-encoded), weight)


def jensen_shannon_estimate(
    drawn: Tensor, encoded: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Estimate the Jensen-Shannon divergence of both densities from a discriminator's scores.

    .. math:: \ln 2 + \tfrac12 E_{z \sim p}[\ln D(z)] + \tfrac12 E_x[\ln(1 - D(E(x)))]

    In expectation it is at most the divergence, for any discriminator, and
    equal to it at the log ratio of the densities.

    Parameters
    ----------
    drawn : Tensor of shape (m,)
        Scores (logits) of features drawn from the mixture.
    encoded : Tensor of shape (n,)
        Scores of encoded features.
    weight : Tensor of shape (n,), optional
        Sample weights of the encoded features.

    Returns
    -------
    Tensor, scalar
        The estimate, in nats, at most ln 2: 0 where the discriminator cannot
        tell, below 0 where it is worse than that.

    Raises
    ------
    ValueError
        If the scores are no vectors or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> float(jensen_shannon_estimate(torch.zeros(3), torch.zeros(5)))
    0.0
    """
    return math.log(2.0) - 0.5 * discriminator_loss(drawn, encoded, weight)


def _check_scores(name: str, value: Tensor) -> None:
    if not isinstance(value, Tensor) or value.ndim != 1 or not value.is_floating_point():
        kind = (
            f"shape {tuple(value.shape)} of {value.dtype}"
            if isinstance(value, Tensor)
            else type(value).__name__
        )
        raise ValueError(f"{name} must be a 1-D floating point tensor of scores, got {kind}.")
    if value.numel() == 0:
        raise ValueError(f"{name} must have at least one score, got none.")
