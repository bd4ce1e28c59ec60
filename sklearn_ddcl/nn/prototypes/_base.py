"""What every prototype layer offers."""

from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["PrototypeGenerator"]


@runtime_checkable
class PrototypeGenerator(Protocol):
    """A layer that turns features into prototypes.

    Attributes
    ----------
    needs_fixed_batch : bool
        Whether the layer has one weight row a sample, so that it only takes
        the very samples it was built for.
    """

    needs_fixed_batch: bool

    def __call__(self, z: Tensor) -> Tensor:
        """Return prototypes (k, d) for features (n, d)."""
        ...
