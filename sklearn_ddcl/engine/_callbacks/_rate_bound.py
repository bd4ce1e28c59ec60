"""The bound of Corollary 5 on the ratio of learning rates."""

import math
import warnings
from typing import Any

from skorch.callbacks import Callback

from sklearn_ddcl.exceptions import StabilityWarning

__all__ = ["RateBound", "rate_bound"]


def rate_bound(prototype_norm: float, temperature: float, ols: float) -> float:
    r"""Evaluate the right-hand side of Corollary 5 (Eq. 40).

    .. math:: \frac{\alpha_{bb}}{\alpha_{DCL}} < 1 + \frac{4 \|P\|_F}{T \|\nabla_z f\|_F}

    The paper does not define the gradient in the denominator. Taken here is
    that of the loss by a sample's features, :math:`2 (z_n - \bar p_n)`
    (Eq. 32), as the root of its mean square, :math:`2 \sqrt{L_{OLS}}`.

    Parameters
    ----------
    prototype_norm : float
        Frobenius norm of P.
    temperature : float
        Absolute temperature T > 0.
    ols : float
        L_OLS >= 0.

    Returns
    -------
    float
        The bound, at least 1; infinite where features equal their mixtures.

    Examples
    --------
    >>> rate_bound(1.0, 2.0, 1.0)
    2.0
    """
    gradient = 2.0 * math.sqrt(max(ols, 0.0))
    if temperature * gradient == 0.0:
        return math.inf
    return 1.0 + 4.0 * prototype_norm / (temperature * gradient)


class RateBound(Callback):  # type: ignore[misc]  # skorch has no types
    """Warns once a fit when the backbone learns faster than Corollary 5 allows.

    Theorem 3 asks for a ratio below 1, which is stricter.
    """

    def __init__(self) -> None:
        self.warned_ = False

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Forget earlier warnings."""
        self.warned_ = False

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Compute the bound of the epoch, and warn where it is broken."""
        temperature = net.module_.temperature
        net.rate_bound_ = rate_bound(net.summary_.prototype_norm, temperature, net.summary_.ols)
        ratio = net.plan_.rate_ratio
        if ratio < net.rate_bound_ or self.warned_:
            return
        self.warned_ = True
        warnings.warn(
            f"The backbone learns {ratio:.3g} times as fast as the prototypes, and Corollary 5 "
            f"allows less than {net.rate_bound_:.3g} (epoch {net.epoch_ + 1}, temperature "
            f"{temperature:.3g}): prototypes may not follow the features. Lower rate_ratio; 1/10 "
            "to 1/3 is safe.",
            StabilityWarning,
            stacklevel=2,
        )
