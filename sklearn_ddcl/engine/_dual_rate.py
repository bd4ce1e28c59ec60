"""Learning rate of the prototypes' weights, from a rate without units."""

from typing import Any

from torch import nn

from sklearn_ddcl.nn.prototypes import normalized_dual_learning_rate, small_gram

__all__ = ["layer_learning_rate"]


def layer_learning_rate(
    rate: float, layer: nn.Module, scale: float, weight: float, batch_size: int
) -> float:
    r"""Turn a relative rate into that of a layer's weights.

    The gradient of :math:`w L_q / s` by a prototype of mean mass is
    :math:`2 w (p - \bar z) / (k s)`: a rate of :math:`k s / (2 w)` takes it to
    the mean of its samples in one step. ``rate`` is relative to that, and held
    below what would overshoot if one prototype had all the mass. A dual layer's rate is
    also divided by the largest eigenvalue of the Gram matrix of a batch, which
    is on average the share of the batch of that of all rows.

    Parameters
    ----------
    rate : float
        Relative rate, >= 0.
    layer : nn.Module
        The layer, with a ``weight`` (n, k) and ``features`` (n, d) if dual, a
        ``weight`` (k, d) if not.
    scale : float
        The loss's unit s, a squared distance.
    weight : float
        The objective's weight w.
    batch_size : int
        Rows of a batch.

    Returns
    -------
    float
        Rate for plain gradient descent.

    Examples
    --------
    >>> from sklearn_ddcl.nn import VanillaPrototypes
    >>> layer_learning_rate(0.1, VanillaPrototypes(4, 2), 3.0, 1.0, 10)
    0.6000000000000001
    """
    if rate == 0.0 or weight == 0.0:
        return 0.0
    weights: Any = layer.weight
    features: Any = getattr(layer, "features", None)
    k = weights.shape[0] if features is None else weights.shape[1]
    vanilla: float = min(rate * k / 2, 1.0) * scale / weight
    if features is None:
        return vanilla
    share = batch_size / features.shape[0]
    gram = small_gram(features).cpu()  # power iteration reads each step's value
    return normalized_dual_learning_rate(vanilla, gram * share)
