"""Cross-entropy against soft targets."""

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_same_shape
from sklearn_ddcl.nn.numerics import weighted_mean

__all__ = ["soft_cross_entropy"]


def soft_cross_entropy(logits: Tensor, q: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Cross-entropy of a classifier against soft assignments (Eq. 10).

    .. math:: L = -\frac{1}{n} \sum_n \sum_j q_{nj} \log \mathrm{softmax}(s_n)_j

    Parameters
    ----------
    logits : Tensor of shape (n, k)
        Scores before the softmax.
    q : Tensor of shape (n, k)
        Target assignments; detach them to train the classifier alone.
    weight : Tensor of shape (n,), optional
        Sample weights of the mean.

    Returns
    -------
    Tensor, scalar
        The loss in nats. A class that no target asks for may have a score of
        minus infinity.

    Raises
    ------
    ValueError
        If the shapes differ or ``weight`` is invalid.

    Examples
    --------
    >>> import torch
    >>> soft_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.5, 0.5]]))
    tensor(0.6931)
    """
    check_same_shape("logits", logits, "q", q)
    log_probabilities = torch.log_softmax(logits, dim=1)
    asked = torch.where(q > 0, log_probabilities, torch.zeros_like(log_probabilities))
    return -weighted_mean((q * asked).sum(dim=1), weight)
