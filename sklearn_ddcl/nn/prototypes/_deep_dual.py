"""Deep dual layer: a stack on the transposed features, dual linear at its end."""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_count, check_matrix
from sklearn_ddcl.nn.prototypes._dual import random_dual_weights

__all__ = ["DeepDualPrototypes"]


class DeepDualPrototypes(nn.Module):
    r"""Prototypes from a network that reads each feature as a vector over samples.

    .. math:: H_0 = Z^\top, \quad H_{l+1} = \phi(H_l W_l + b_l), \quad
              P = (H_L W_L)^\top

    Every layer keeps the d rows, one a feature; only the number of columns,
    at first the n samples, changes.

    Parameters
    ----------
    n_samples : int
        Number of samples n; ``forward`` takes exactly these, in this order.
    n_prototypes : int
        Number of prototypes k.
    hidden : sequence of int, default=(64,)
        Sizes of the hidden layers; none of them gives the dual layer.
    activation : callable, default=torch.tanh
        Function of a tensor after each hidden layer.
    generator : torch.Generator, optional
        Source of the first weights; a fixed seed if left out.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    weights : ParameterList
        Matrices (n, h1), (h1, h2), ..., (hL, k).
    biases : ParameterList
        Vectors of the hidden layers; the output layer has none.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    Examples
    --------
    >>> import torch
    >>> layer = DeepDualPrototypes(n_samples=5, n_prototypes=3, hidden=(4,))
    >>> layer(torch.zeros(5, 2)).shape
    torch.Size([3, 2])
    """

    needs_fixed_batch = True

    def __init__(
        self,
        n_samples: int,
        n_prototypes: int,
        hidden: Sequence[int] = (64,),
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        sizes = [n_samples, *hidden, n_prototypes]
        for name, size in zip(
            ["n_samples", *["hidden"] * len(hidden), "n_prototypes"], sizes, strict=True
        ):
            check_count(name, size)
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        self.activation = activation
        self.weights = nn.ParameterList(
            random_dual_weights(rows, columns, generator, dtype)
            for rows, columns in itertools.pairwise(sizes)
        )
        self.biases = nn.ParameterList(
            torch.zeros(size, device=generator.device, dtype=dtype) for size in hidden
        )

    def forward(self, z: Tensor) -> Tensor:
        """Return the prototypes.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Features of all samples.

        Returns
        -------
        Tensor of shape (k, d)
            The prototypes.

        Raises
        ------
        ValueError
            If ``z`` has another number of rows.
        """
        check_matrix("z", z)
        n_samples = self.weights[0].shape[0]
        if z.shape[0] != n_samples:
            raise ValueError(
                f"z must have {n_samples} rows, got {z.shape[0]}: a dual layer is tied to "
                "its samples."
            )
        columns = z.T
        for weight, bias in zip(self.weights[:-1], self.biases, strict=True):
            columns = self.activation(columns @ weight + bias)
        prototypes: Tensor = columns @ self.weights[-1]
        return prototypes.T

    def extra_repr(self) -> str:
        """Name the layer sizes in the module's representation."""
        sizes = [self.weights[0].shape[0], *(w.shape[1] for w in self.weights)]
        return f"sizes={tuple(sizes)}"
