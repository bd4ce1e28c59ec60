"""From the tokens of a transformer to features."""

from typing import Literal

from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_choice

__all__ = ["TokenPooling"]

_MODES = ("class", "mean", "tokens")


class TokenPooling(nn.Module):
    """Choose what of a token sequence is clustered (section 6.3).

    Parameters
    ----------
    mode : {"class", "mean", "tokens"}, default="class"
        The first token, the mean of all tokens, or every token as a sample of
        its own.

    Raises
    ------
    ValueError
        If ``mode`` is unknown.

    Examples
    --------
    >>> import torch
    >>> x = torch.zeros(5, 7, 3)
    >>> [tuple(TokenPooling(mode)(x).shape) for mode in ("class", "mean", "tokens")]
    [(5, 3), (5, 3), (35, 3)]
    """

    def __init__(self, mode: Literal["class", "mean", "tokens"] = "class") -> None:
        super().__init__()
        check_choice("mode", mode, _MODES)
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Return features.

        Parameters
        ----------
        x : Tensor of shape (n, t, d)
            n sequences of t tokens.

        Returns
        -------
        Tensor of shape (n, d) or (n * t, d)
            Features; with "tokens", those of the first sequence come first.

        Raises
        ------
        ValueError
            If ``x`` does not have three dimensions or has no token.
        """
        if not isinstance(x, Tensor) or x.ndim != 3 or x.shape[1] == 0:
            shown = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(f"x must have shape (n, t, d) with t >= 1, got {shown}.")
        if self.mode == "class":
            return x[:, 0]
        return x.mean(dim=1) if self.mode == "mean" else x.flatten(end_dim=1)

    def extra_repr(self) -> str:
        """Name the mode in the module's representation."""
        return f"mode={self.mode!r}"
