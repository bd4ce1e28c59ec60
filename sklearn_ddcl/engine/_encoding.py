"""Features of all rows, block by block, in evaluation mode."""

import torch
from torch import Tensor, nn

__all__ = ["check_features", "encode"]


def check_features(z: object, n_rows: int) -> Tensor:
    """Require of a backbone's output one feature vector a row.

    Parameters
    ----------
    z : object
        What the backbone returned.
    n_rows : int
        Number of rows that went in.

    Returns
    -------
    Tensor of shape (n_rows, d)
        The same object.

    Raises
    ------
    ValueError
        If it is anything else than a floating point matrix of that many rows.

    Examples
    --------
    >>> import torch
    >>> check_features(torch.zeros(3, 2), 3).shape
    torch.Size([3, 2])
    """
    if not isinstance(z, Tensor):
        raise ValueError(f"backbone must return a tensor, got {type(z).__name__}.")
    if z.ndim != 2 or z.shape[0] != n_rows or z.shape[1] == 0 or not z.is_floating_point():
        raise ValueError(
            f"backbone must return floating point features of shape ({n_rows}, d) for "
            f"{n_rows} rows, got shape {tuple(z.shape)} of {z.dtype}."
        )
    return z


@torch.no_grad()
def encode(
    backbone: nn.Module, x: Tensor, device: torch.device | str = "cpu", block: int = 4096
) -> Tensor:
    """Return the features of all rows.

    Parameters
    ----------
    backbone : nn.Module
        Features from inputs, on ``device``; run in evaluation mode and then
        put back into the mode it was in.
    x : Tensor of shape (n, ...)
        Rows.
    device : torch.device or str, default="cpu"
        Where to compute.
    block : int, default=4096
        Rows at a time.

    Returns
    -------
    Tensor of shape (n, d)
        Features on ``device``.

    Raises
    ------
    ValueError
        If the backbone does not return one feature vector a row.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> encode(nn.Flatten(), torch.zeros(5, 2, 2)).shape
    torch.Size([5, 4])
    """
    training = backbone.training
    backbone.eval()
    try:
        blocks = (x[start : start + block] for start in range(0, x.shape[0], block))
        # copies: a first layer may work in place
        copies = (rows.to(device, copy=True) for rows in blocks)
        parts = [check_features(backbone(rows), len(rows)) for rows in copies]
    finally:
        backbone.train(training)
    return torch.cat(parts)
