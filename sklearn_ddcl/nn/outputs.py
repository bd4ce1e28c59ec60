"""Named results that pass between layers, losses and training."""

from typing import NamedTuple

from torch import Tensor

__all__ = ["AutoencoderOutput", "ClusterOutput", "LossDecomposition", "ObjectiveValue"]


class AutoencoderOutput(NamedTuple):
    """What an autoencoder makes of its samples.

    Attributes
    ----------
    embedding : Tensor of shape (n, d)
        Features, from the encoder.
    reconstruction : Tensor of shape (n, ...)
        Samples given back by the decoder, in the shape of those passed.
    """

    embedding: Tensor
    reconstruction: Tensor


class ClusterOutput(NamedTuple):
    """What one forward pass produces and every loss term reads.

    Attributes
    ----------
    z : Tensor of shape (n, d)
        Features.
    prototypes : Tensor of shape (k, d)
        Prototypes.
    distances : Tensor of shape (n, k)
        Squared distances.
    assignments : Tensor of shape (n, k)
        Rows on the simplex, detached under stop-gradient.
    temperature : float
        The absolute temperature of the assignments.
    """

    z: Tensor
    prototypes: Tensor
    distances: Tensor
    assignments: Tensor
    temperature: float


class LossDecomposition(NamedTuple):
    """The identity ``quantization = ols + variance`` (Eq. 22), term by term.

    Attributes
    ----------
    quantization : Tensor, scalar
        Lq (Eq. 11), a squared distance.
    ols : Tensor, scalar
        L_OLS (Eq. 16), a squared distance.
    variance : Tensor, scalar
        V (Eq. 23), a squared distance.
    """

    quantization: Tensor
    ols: Tensor
    variance: Tensor


class ObjectiveValue(NamedTuple):
    """An objective's value and the contribution of each of its terms (Eq. 12).

    Every term is multiplied by its weight, so that they add up to the total;
    one with weight zero is not evaluated and reads 0.

    Attributes
    ----------
    total : Tensor, scalar
        What to minimise.
    base : Tensor, scalar
        Lq, L_OLS or another base loss.
    balance, entropy, separation, quadratic : Tensor, scalar
        Contributions of Eqs. 13, 14, 15 and of the quadratic term.
    """

    total: Tensor
    base: Tensor
    balance: Tensor
    entropy: Tensor
    separation: Tensor
    quadratic: Tensor
