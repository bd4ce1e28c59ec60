"""Mini-batches sliced from one tensor, without a DataLoader's work for each sample."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Batch", "Batches", "fits_on"]


class Batch(NamedTuple):
    """Rows of one step.

    Attributes
    ----------
    rows : Tensor of shape (b,), int64
        Row numbers, each at most once unless they are drawn by chance.
    x : Tensor of shape (b, ...)
        The rows.
    weight : Tensor of shape (b,) or None
        Sample weights.
    """

    rows: Tensor
    x: Tensor
    weight: Tensor | None


def fits_on(device: torch.device, n_bytes: int) -> bool:
    """Tell whether data should be moved to a device as a whole.

    Parameters
    ----------
    device : torch.device
        Where the training computes.
    n_bytes : int
        Size of the data.

    Returns
    -------
    bool
        True off CUDA, where nothing is known; on CUDA, whether the data take
        at most half of the free memory.

    Examples
    --------
    >>> import torch
    >>> fits_on(torch.device("cpu"), 10)
    True
    """
    if device.type != "cuda":
        return True
    return 2 * n_bytes <= torch.cuda.mem_get_info(device)[0]


class Batches:
    """An epoch's batches, in a new random order each time they are iterated over.

    An epoch is a permutation of the rows, cut into pieces whose sizes differ
    by at most 1 and do not exceed ``batch_size``: no small last batch, and no
    row is left out.

    Parameters
    ----------
    dataset : Tensor of shape (n, ...)
        The rows; moved to ``device`` if they fit there.
    batch_size : int, default=256
        Largest number of rows a batch, >= 1.
    generator : torch.Generator
        Source of the permutations, on the CPU.
    total : int, optional
        Number of batches after which every further epoch is empty.
    weight : Tensor of shape (n,), optional
        Sample weights.
    chance : Tensor of shape (n,), optional
        Non-negative chances on the CPU by which rows are drawn, with
        replacement, in the place of a permutation; read anew for each epoch, so
        that it may be changed in between. No batch has a single row then, as
        batch normalization takes none.
    device : torch.device or str, default="cpu"
        Where batches are wanted.

    Raises
    ------
    ValueError
        If there are no rows, ``batch_size`` or ``total`` is not positive, or
        ``weight`` or ``chance`` does not have one entry a row.

    Examples
    --------
    >>> import torch
    >>> x = torch.arange(10.0).reshape(5, 2)
    >>> batches = Batches(x, batch_size=3, generator=torch.Generator().manual_seed(0))
    >>> [len(batch.rows) for batch in batches]
    [3, 2]
    """

    def __init__(
        self,
        dataset: Tensor,
        batch_size: int = 256,
        *,
        generator: torch.Generator,
        total: int | None = None,
        weight: Tensor | None = None,
        chance: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        n_rows = dataset.shape[0] if dataset.ndim else 0
        if n_rows == 0:
            raise ValueError(f"dataset must have rows, got shape {tuple(dataset.shape)}.")
        if batch_size < 1:
            raise ValueError(f"batch_size must be an int >= 1, got {batch_size!r}.")
        if total is not None and total < 1:
            raise ValueError(f"total must be None or an int >= 1, got {total!r}.")
        if weight is not None and weight.shape != (n_rows,):
            raise ValueError(f"weight must have shape ({n_rows},), got {tuple(weight.shape)}.")
        if chance is not None and chance.shape != (n_rows,):
            raise ValueError(f"chance must have shape ({n_rows},), got {tuple(chance.shape)}.")
        self.device, self.chance = torch.device(device), chance
        self.generator, self.left = generator, total
        self.n_rows, self.batch_size = n_rows, min(batch_size, n_rows)
        self.resident = fits_on(self.device, dataset.numel() * dataset.element_size())
        self.dataset = dataset.to(self.device) if self.resident else dataset
        self.weight = None if weight is None else weight.to(self.device)

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch."""
        return -(-self.n_rows // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        order = self._order()
        moved = order.to(self.device)
        home = moved if self.resident else order
        pieces = zip(home.tensor_split(len(self)), moved.tensor_split(len(self)), strict=True)
        for here, rows in pieces:
            if self.left is not None:
                if self.left == 0:
                    return
                self.left -= 1
            x = self.dataset.index_select(0, here).to(self.device)
            yield Batch(rows, x, None if self.weight is None else self.weight[rows])

    def _order(self) -> Tensor:
        """Return the row numbers of an epoch."""
        if self.chance is None:
            return torch.randperm(self.n_rows, generator=self.generator)
        # not torch.multinomial, which takes at most 2^24 rows
        bounds = self.chance.double().cumsum(0)
        count = max(self.n_rows, 2 * len(self))
        drawn = torch.rand(count, generator=self.generator, dtype=torch.float64) * bounds[-1]
        return torch.searchsorted(bounds, drawn, right=True).clamp_max(self.n_rows - 1)
