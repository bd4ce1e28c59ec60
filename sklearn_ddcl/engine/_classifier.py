"""Cross-entropy of a linear classifier as the base loss of the objective (section 4.2)."""

import math

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn.losses import soft_cross_entropy
from sklearn_ddcl.nn.outputs import ClusterOutput

__all__ = ["CrossEntropyTerm"]


class CrossEntropyTerm(nn.Module):
    r"""A classifier on the features, taught by the soft assignments (Eqs. 9 and 10).

    .. math:: \hat s_n = \mathrm{softmax}(W_c z_n + b), \qquad
              L = -\frac{1}{n} \sum_n \sum_j q_{nj} \log \hat s_{nj}

    Under stop-gradient the dual weights get no gradient, and prototypes follow
    the features alone.

    Parameters
    ----------
    n_prototypes, n_features : int
        Sizes k and d.
    generator : torch.Generator
        Source of the first weights.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    dimensionless : bool
        True: the loss is in nats, and is not divided by a squared distance.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import ClusterOutput
    >>> term = CrossEntropyTerm(2, 1, torch.Generator().manual_seed(0))
    >>> z, q = torch.tensor([[1.0]]), torch.tensor([[0.0, 1.0]])
    >>> bool(term(ClusterOutput(z, z, q, q, 1.0)) > 0)
    True
    """

    dimensionless = True

    def __init__(
        self,
        n_prototypes: int,
        n_features: int,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        # written out, as nn.Linear would draw from the global random state
        first = torch.randn(n_prototypes, n_features, generator=generator, dtype=dtype)
        self.weight = nn.Parameter(first / math.sqrt(n_features))
        self.bias = nn.Parameter(torch.zeros(n_prototypes, dtype=dtype))

    def forward(self, output: ClusterOutput, weight: Tensor | None = None) -> Tensor:
        """Return the mean cross-entropy in nats; ``weight`` (n,) are sample weights."""
        logits = nn.functional.linear(output.z, self.weight, self.bias)
        return soft_cross_entropy(logits, output.assignments, weight)
