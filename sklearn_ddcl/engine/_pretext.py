"""What a pretext task offers to the training loop."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

__all__ = ["PretextTask"]


class PretextTask(nn.Module, ABC):
    """A task without labels that warms a backbone up, and later keeps the warm start.

    A subclass is a module that may own parameters beside the backbone's (a
    decoder, a projector); they are trained together. One object serves a whole
    run: first alone, then as a regulariser of the joint phase.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.engine import PretextTask
    >>> class Reconstruction(PretextTask):
    ...     def __init__(self, n_latent, n_inputs):
    ...         super().__init__()
    ...         self.decoder = nn.Linear(n_latent, n_inputs)
    ...
    ...     def loss(self, backbone, x, z, index, generator):
    ...         return (self.decoder(z) - x).square().mean()
    >>> x = torch.zeros(5, 3)
    >>> task = Reconstruction(2, 3)
    >>> task.loss(None, x, x[:, :2], torch.arange(5), torch.Generator()).shape
    torch.Size([])
    """

    def __init__(self) -> None:
        super().__init__()  # written out for its signature: nn.Module's is *args, **kwargs

    @abstractmethod
    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the task's loss on a batch.

        Parameters
        ----------
        backbone : nn.Module
            Features from inputs, for other inputs than ``x`` (augmented
            views, neighbours); calling it for ``x`` again would be waste.
        x : Tensor of shape (b, ...)
            The batch.
        z : Tensor of shape (b, d)
            ``backbone(x)``, with its gradient.
        index : Tensor of shape (b,), int64
            Row numbers of the batch, each at most once.
        generator : torch.Generator
            The run's source of randomness, on the CPU.

        Returns
        -------
        Tensor, scalar
            The loss, of order 1 on any data set, so that its weight beside
            the clustering objective has one meaning.
        """
