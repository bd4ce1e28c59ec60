"""Revival of dead prototypes: they go to a sample where the error is largest."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.engine._encoding import encode

__all__ = ["Revival", "landing_rows"]


def landing_rows(
    labels: Tensor, errors: Tensor, counts: Tensor, generator: torch.Generator
) -> dict[int, int]:
    """Choose for each dead prototype a sample to land on.

    The sample belongs to the prototype with the largest sum of errors, and is
    drawn in proportion to its own. A prototype that is split counts half
    afterwards.

    Parameters
    ----------
    labels : Tensor of shape (n,), int64
        Nearest prototype of each row.
    errors : Tensor of shape (n,)
        Squared distance to it.
    counts : Tensor of shape (k,), int64
        Rows of each prototype.
    generator : torch.Generator
        Source of the draws, on the CPU.

    Returns
    -------
    dict
        Row numbers by prototype; empty where none is dead, or all errors are 0.

    Examples
    --------
    >>> import torch
    >>> labels, errors = torch.tensor([0, 0, 2]), torch.tensor([0.0, 4.0, 1.0])
    >>> landing_rows(labels, errors, torch.tensor([2, 0, 1]), torch.Generator().manual_seed(0))
    {1: 1}
    """
    if bool(counts.all()):
        return {}
    dead = (counts == 0).nonzero()[:, 0].tolist()
    labels, errors = labels.cpu(), errors.cpu().double()
    chosen: dict[int, int] = {}
    for prototype in dead:
        sums = torch.zeros(len(counts), dtype=errors.dtype).index_add_(0, labels, errors)
        if not float(sums.max()) > 0.0:
            break
        members = (labels == int(sums.argmax())).nonzero()[:, 0]
        cumulated = errors[members].cumsum(0)
        drawn = torch.rand(1, generator=generator, dtype=errors.dtype) * cumulated[-1]
        place = int(torch.searchsorted(cumulated, drawn, right=True).clamp_max(len(members) - 1))
        chosen[prototype] = int(members[place])
        errors[members] *= 0.5
        errors[members[place]] = 0.0
    return chosen


class Revival(Callback):  # type: ignore[misc]  # skorch has no types
    """Moves prototypes that were nearest to no row in an epoch."""

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Put each dead prototype onto a sample, by its dual weights or directly."""
        module, sums = net.module_, net.sums_
        layer = module.layer
        rows = landing_rows(sums.labels, sums.errors, sums.counts, net.generator)
        net.revived_ = len(rows)
        with torch.no_grad():
            for prototype, row in rows.items():
                if module.has_bank:
                    layer.weight[:, prototype] = 0.0
                    layer.weight[row, prototype] = 1.0
                else:
                    x = dataset_train[row : row + 1]
                    layer.weight[prototype] = encode(module.backbone, x, net.device)[0]
        if rows and module.has_bank:
            layer.refresh()
