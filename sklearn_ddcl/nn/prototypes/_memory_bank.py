"""Dual competitive layer, memory-bank form: mini-batches of a layer tied to all samples."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_matrix
from sklearn_ddcl.nn.prototypes._dual import random_dual_weights

__all__ = ["DualMemoryBank"]


class DualMemoryBank(nn.Module):
    """Dual layer that remembers the features of the samples outside the batch.

    In each step: :meth:`forward` with the batch's features and row numbers,
    backward, the optimiser's step, then :meth:`write_back`.

    Parameters
    ----------
    features : Tensor of shape (n, d)
        First features of all samples; copied.
    n_prototypes : int
        Number of prototypes k.
    generator : torch.Generator, optional
        Source of the first weights, see :func:`random_dual_weights`.
    sparse : bool, default=False
        Whether the weights get a sparse gradient of the batch's rows, for
        ``torch.optim.SGD`` and ``SparseAdam``; a step then costs nothing that
        grows with n.
    checked : bool, default=True
        Whether row numbers are checked to be in range, not to repeat, and to
        be those of the last forward pass; reading them makes a GPU wait.

    Attributes
    ----------
    weight : Parameter of shape (n, k)
        Dual weights, one row a sample.
    features : buffer of shape (n, d)
        Last features seen of each sample.
    total : buffer of shape (k, d)
        ``W^T features``, kept up to date.

    Raises
    ------
    ValueError
        If ``features`` is no matrix or ``n_prototypes`` is not positive.

    Notes
    -----
    An optimiser that moves rows outside the batch (momentum, weight decay)
    makes ``total`` drift; :meth:`refresh` recomputes it.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[0.0], [1.0], [2.0]])
    >>> bank = DualMemoryBank(z, n_prototypes=2)
    >>> index = torch.tensor([2, 0])
    >>> bool(torch.allclose(bank(z[index], index), bank.weight.T @ z))
    True
    """

    needs_fixed_batch = False
    features: Tensor
    total: Tensor

    def __init__(
        self,
        features: Tensor,
        n_prototypes: int,
        generator: torch.Generator | None = None,
        sparse: bool = False,
        checked: bool = True,
    ) -> None:
        super().__init__()
        check_matrix("features", features)
        first = random_dual_weights(features.shape[0], n_prototypes, generator, features.dtype)
        self.sparse = sparse
        self.checked = checked
        self.weight = nn.Parameter(first.to(features.device))
        self.register_buffer("features", features.detach().clone())
        self.register_buffer("total", self.weight.detach().T @ self.features)
        self._pending: tuple[Tensor, Tensor] | None = None

    def forward(self, z: Tensor, index: Tensor) -> Tensor:
        """Return prototypes with the batch's part computed afresh.

        Parameters
        ----------
        z : Tensor of shape (b, d)
            Features of the batch.
        index : Tensor of shape (b,), int64
            The batch's row numbers, each at most once.

        Returns
        -------
        Tensor of shape (k, d)
            ``total - W_b^T features_b + W_b^T z``: the value of ``W^T Z``
            with the batch's rows replaced, and its gradient by ``z`` and by
            the batch's rows of W.

        Raises
        ------
        ValueError
            If the shapes do not fit or an index repeats or is out of range.
        """
        self._check_batch(z, index)
        rows = nn.functional.embedding(index, self.weight, sparse=self.sparse)
        rest = self.total - _mixed(rows.detach(), self.features.index_select(0, index))
        self._pending = (index.clone() if self.checked else index, rest)
        return rest + _mixed(rows, z)

    def prototypes(self, z: Tensor, index: Tensor) -> Tensor:
        """Return prototypes under a plain name; the same as :meth:`forward`.

        Parameters
        ----------
        z : Tensor of shape (b, d)
            Features of the batch.
        index : Tensor of shape (b,), int64
            The batch's row numbers, each at most once.

        Returns
        -------
        Tensor of shape (k, d)
            The prototypes.

        Raises
        ------
        ValueError
            As :meth:`forward` does.
        """
        return self.forward(z, index)

    @torch.no_grad()
    def write_back(self, z: Tensor, index: Tensor) -> None:
        """Store the batch after the optimiser's step.

        Parameters
        ----------
        z : Tensor of shape (b, d)
            Features of the batch.
        index : Tensor of shape (b,), int64
            The row numbers of the last forward pass.

        Raises
        ------
        ValueError
            If the shapes do not fit, or ``index`` is not that of the last
            forward pass.
        """
        check_matrix("z", z)
        if self._pending is None or (self.checked and not torch.equal(index, self._pending[0])):
            raise ValueError("index must be that of the last forward pass, not yet written back.")
        if z.shape != (index.shape[0], self.features.shape[1]):
            raise ValueError(
                f"z must have shape {(index.shape[0], self.features.shape[1])}, "
                f"got {tuple(z.shape)}."
            )
        torch.add(self._pending[1], _mixed(self.weight.index_select(0, index), z), out=self.total)
        self.features.index_copy_(0, index, z.detach())
        self._pending = None

    @torch.no_grad()
    def refresh(self, features: Tensor | None = None) -> None:
        """Recompute the prototypes from the bank, once an epoch.

        Parameters
        ----------
        features : Tensor of shape (n, d), optional
            New features of all samples, to replace the bank's.

        Raises
        ------
        ValueError
            If ``features`` has another shape than the bank.
        """
        if features is not None:
            if features.shape != self.features.shape:
                raise ValueError(
                    f"features must have shape {tuple(self.features.shape)}, "
                    f"got {tuple(features.shape)}."
                )
            self.features.copy_(features.detach())
        self.total = _mixed(self.weight, self.features)
        self._pending = None

    def _check_batch(self, z: Tensor, index: Tensor) -> None:
        check_matrix("z", z)
        n_samples, n_features = self.features.shape
        if index.ndim != 1 or index.dtype != torch.int64:
            raise ValueError(
                f"index must be a vector of int64, got shape {tuple(index.shape)} "
                f"of {index.dtype}."
            )
        if z.shape != (index.shape[0], n_features):
            raise ValueError(
                f"z must have shape {(index.shape[0], n_features)}, got {tuple(z.shape)}."
            )
        if not self.checked:
            return
        if int(index.min()) < 0 or int(index.max()) >= n_samples:
            raise ValueError(
                f"index must lie in [0, {n_samples}), got "
                f"{int(index.min())} to {int(index.max())}."
            )
        if bool((index.sort().values.diff() == 0).any()):
            raise ValueError("index must not repeat a sample within a batch.")

    def extra_repr(self) -> str:
        """Name the sizes in the module's representation."""
        n_samples, n_prototypes = self.weight.shape
        return f"n_samples={n_samples}, n_prototypes={n_prototypes}, sparse={self.sparse}"


def _mixed(weight: Tensor, z: Tensor) -> Tensor:
    """Return ``W^T Z``; on CPUs a thin factor (d = 10) left of a product is thrice as fast."""
    return (z.T @ weight).T
