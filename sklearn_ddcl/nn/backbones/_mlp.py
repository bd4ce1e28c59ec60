"""Multilayer perceptron, for tables and for anything that may be flattened."""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_count, check_samples
from sklearn_ddcl.nn.backbones._init import reset_parameters

__all__ = ["MLP"]


class MLP(nn.Module):
    """Linear layers with activations between them; the last one is linear.

    Parameters
    ----------
    n_features : int
        Number of values of a sample.
    n_outputs : int, default=10
        Width d of the features that come out.
    hidden : sequence of int, default=(256, 256)
        Widths of the hidden layers; none of them gives a linear map.
    activation : callable, default=nn.ReLU
        Makes a module; called once for each hidden layer.
    normalization : callable, optional
        Makes a module of a width, put between a hidden layer and its
        activation; ``nn.LayerNorm`` keeps samples apart from one another,
        which batch normalization does not while it trains.
    generator : torch.Generator, optional
        Source of the first weights; a fixed seed if left out.
    dtype : torch.dtype, default=torch.float32
        Floating point type.

    Attributes
    ----------
    layers : Sequential
        The layers.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or ``activation`` makes no module.

    Examples
    --------
    >>> import torch
    >>> MLP(64, n_outputs=3)(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 10,
        hidden: Sequence[int] = (256, 256),
        activation: Callable[[], nn.Module] = nn.ReLU,
        normalization: Callable[[int], nn.Module] | None = None,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if not isinstance(hidden, Sequence):
            raise ValueError(f"hidden must be a sequence of integers, got {hidden!r}.")
        sizes = [n_features, *hidden, n_outputs]
        names = ["n_features", *(f"hidden[{i}]" for i in range(len(hidden))), "n_outputs"]
        for name, size in zip(names, sizes, strict=True):
            check_count(name, size)
        self.n_features = n_features
        self.n_outputs = n_outputs
        self.hidden = tuple(hidden)
        self.activation = activation
        self.normalization = normalization
        self.dtype = dtype
        self.layers = nn.Sequential()
        for inputs, outputs in itertools.pairwise(sizes):
            if len(self.layers):
                if normalization is not None:
                    self.layers.append(normalization(inputs).to(dtype))
                self.layers.append(_make_activation(activation))
            # Without memory first: torch would fill the weights from the global random state.
            linear = nn.Linear(inputs, outputs, device="meta", dtype=dtype)
            self.layers.append(linear.to_empty(device="cpu"))
        reset_parameters(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples to features.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples with ``n_features`` values each.

        Returns
        -------
        Tensor of shape (n, n_outputs)
            Features.

        Raises
        ------
        ValueError
            If samples have another number of values.
        """
        check_samples("x", x)
        x = x.flatten(start_dim=1)
        if x.shape[1] != self.n_features:
            raise ValueError(f"x must have {self.n_features} values a sample, got {x.shape[1]}.")
        features: Tensor = self.layers(x)
        return features


def _make_activation(activation: Callable[[], nn.Module]) -> nn.Module:
    if callable(activation) and not isinstance(activation, nn.Module):
        with torch.random.fork_rng(devices=[]):  # it may have weights of its own
            layer = activation()
        if isinstance(layer, nn.Module):
            return layer
    raise ValueError(
        f"activation must be a class or function that makes a module, got {activation!r}."
    )
