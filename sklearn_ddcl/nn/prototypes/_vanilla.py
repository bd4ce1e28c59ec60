"""Vanilla competitive layer: the weights are the prototypes."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_count, check_matrix

__all__ = ["VanillaPrototypes"]


class VanillaPrototypes(nn.Module):
    """Prototypes as weights (section 3.2, Eq. 3).

    Parameters
    ----------
    n_prototypes : int
        Number of prototypes k.
    n_features : int
        Width d of the features.
    generator : torch.Generator, optional
        Source of the first, standard normal prototypes; a fixed seed if left
        out.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    weight : Parameter of shape (k, d)
        The prototypes.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    Examples
    --------
    >>> import torch
    >>> VanillaPrototypes(3, 2)(torch.zeros(5, 2)).shape
    torch.Size([3, 2])
    """

    needs_fixed_batch = False

    def __init__(
        self,
        n_prototypes: int,
        n_features: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        check_count("n_prototypes", n_prototypes)
        check_count("n_features", n_features)
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        first = torch.randn(
            n_prototypes, n_features, generator=generator, device=generator.device, dtype=dtype
        )
        self.weight = nn.Parameter(first)

    def forward(self, z: Tensor | None = None) -> Tensor:
        """Return the prototypes; features are only checked for their width.

        Parameters
        ----------
        z : Tensor of shape (n, d), optional
            Features.

        Returns
        -------
        Tensor of shape (k, d)
            The weights.

        Raises
        ------
        ValueError
            If ``z`` has another width.
        """
        if z is not None:
            check_matrix("z", z)
            if z.shape[1] != self.weight.shape[1]:
                raise ValueError(f"z must have {self.weight.shape[1]} columns, got {z.shape[1]}.")
        return self.weight

    def extra_repr(self) -> str:
        """Name the sizes in the module's representation."""
        return f"n_prototypes={self.weight.shape[0]}, n_features={self.weight.shape[1]}"
