"""Choice of first prototypes among the samples."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_matrix
from sklearn_ddcl.nn.numerics import normalize_weights, row_blocks, wide_dtype

__all__ = ["kmeans_plusplus"]

_ROUNDING = 8.0  # distances below this many rounding errors count as zero


def kmeans_plusplus(
    z: Tensor,
    n_clusters: int,
    generator: torch.Generator,
    weight: Tensor | None = None,
    n_local_trials: int | None = None,
) -> Tensor:
    """Greedy k-means++ seeding.

    Each next sample is drawn with probability proportional to its weight
    times its squared distance to the nearest one already chosen; of several
    candidates the one that lowers the sum most is kept.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Features.
    n_clusters : int
        Number of samples to choose, at most n.
    generator : torch.Generator
        Source of randomness.
    weight : Tensor of shape (n,), optional
        Sample weights.
    n_local_trials : int, optional
        Candidates at each step; ``2 + int(log(n_clusters))`` if left out.

    Returns
    -------
    Tensor of shape (n_clusters,), int64
        Distinct row numbers. Where fewer distinct samples exist, the rest are
        unused rows, those of positive weight first.

    Raises
    ------
    ValueError
        If ``z`` is no finite matrix, ``n_clusters`` is not between 1 and n,
        or another argument is invalid.

    Notes
    -----
    Costs O(n d) a candidate and 12 n bytes plus one (n, trials) array of
    memory. Mean and scale are divided out, so that offsets and values near
    1e30 or 1e-30 do no harm.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    >>> kmeans_plusplus(z, 2, torch.Generator().manual_seed(0)).shape
    torch.Size([2])
    """
    check_matrix("z", z)
    check_count("n_clusters", n_clusters)
    if n_clusters > z.shape[0]:
        raise ValueError(f"n_clusters must be <= n = {z.shape[0]}, got {n_clusters}.")
    trials = 2 + int(math.log(n_clusters)) if n_local_trials is None else n_local_trials
    check_count("n_local_trials", trials)
    z = z.detach()
    share = normalize_weights(weight, z.shape[0], z)
    space = _CentredSpace(z)
    chosen = [int(_draw(share, 1, generator)[0])]
    closest = space.distances(torch.tensor(chosen, device=z.device)).squeeze(1)
    while len(chosen) < n_clusters:
        potential = closest * share
        if not float(potential.sum()) > 0.0:
            chosen += _unused(share, chosen, n_clusters - len(chosen))
            break
        candidates = _draw(potential, trials, generator)
        reduced = torch.minimum(space.distances(candidates), closest.unsqueeze(1))
        best = int((share @ reduced).argmin()) if trials > 1 else 0
        chosen.append(int(candidates[best]))
        closest = reduced[:, best].clone() if trials > 1 else reduced.flatten()
    return torch.tensor(chosen, dtype=torch.int64, device=z.device)


def _draw(potential: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw row numbers in proportion to ``potential``, never one of zero potential."""
    wide = wide_dtype(potential)
    cumulated = potential.cumsum(0, dtype=wide)
    uniform = torch.rand(size, generator=generator, device=generator.device, dtype=wide)
    drawn = torch.searchsorted(cumulated, uniform.to(cumulated) * cumulated[-1], right=True)
    if int(drawn.max()) < len(potential):  # else the product was rounded up to the sum
        return drawn
    return drawn.clamp_max(int(potential.nonzero()[-1]))


def _unused(share: Tensor, chosen: list[int], size: int) -> list[int]:
    """Row numbers not chosen yet, those of positive weight first."""
    free = torch.ones_like(share, dtype=torch.bool)
    free[chosen] = False
    ranked = torch.cat([(free & (share > 0)).nonzero(), (free & (share == 0)).nonzero()])
    return [int(row) for row in ranked[:size, 0]]


class _CentredSpace:
    """Squared distances between samples in units of the data's largest deviation.

    With mean m and scale s: ``|z - c|^2 / s^2 = |z'|^2 - 2 z'c' + |c'|^2`` for
    ``z' = (z - m) / s``; only c' and the norms are formed, never a copy of z.
    """

    def __init__(self, z: Tensor) -> None:
        self.z = z
        self.mean = z.mean(dim=0, dtype=wide_dtype(z)).to(z.dtype)
        deviation = torch.stack([(z[r] - self.mean).abs().max() for r in row_blocks(*z.shape)])
        self.scale = float(deviation.max())
        if not math.isfinite(self.scale):
            raise ValueError("z must be finite, got NaN or an infinity.")
        self.scale = self.scale or 1.0
        self.norms = torch.cat(
            [((z[r] - self.mean) / self.scale).square_().sum(dim=1) for r in row_blocks(*z.shape)]
        )
        self.offset = float(torch.linalg.vector_norm(self.mean / self.scale))
        self.error = _ROUNDING * torch.finfo(z.dtype).eps
        self.floor = self.error * self.norms.unsqueeze(1)

    def distances(self, index: Tensor) -> Tensor:
        """Return distances (n, m) to the samples in ``index``, exactly 0 for duplicates."""
        centres = (self.z[index] - self.mean) / self.scale
        norms = self.norms[index] + 2.0 * ((self.mean / self.scale) @ centres.T)
        distances = torch.addmm(norms, self.z, centres.T, alpha=-2.0 / self.scale)
        distances.add_(self.norms.unsqueeze(1))
        # Duplicates of a centre must read exactly zero, or they are drawn again.
        floor = self.error * (self.norms[index] + self.offset * self.norms[index].sqrt())
        distances.masked_fill_(distances <= self.floor + floor, 0.0)
        distances[index, torch.arange(len(index), device=index.device)] = 0.0
        return distances
