"""Sinkhorn-Knopp assignment: a batch shared out among clusters of given sizes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sklearn_ddcl.nn._checks import check_count, check_flag, check_matrix, check_real
from sklearn_ddcl.nn.numerics import normalize_weights, wide_dtype
from sklearn_ddcl.nn.partition_support._base import (
    PartitionSupport,
    absolute_scale,
)
from sklearn_ddcl.nn.partition_support._prior import check_prior, relative_prior

__all__ = ["SinkhornAssignment", "sinkhorn_assignment"]

_COARSE = 1e-4  # of the mass: what is left over in training is moved as it is
_LARGEST = 1e15  # of costs in units of the regularization: sums of them still have digits


class SinkhornAssignment(PartitionSupport):
    r"""Assignment by entropic optimal transport, with the same mass for each cluster.

    The algorithm is that of [1]_.

    Parameters
    ----------
    epsilon : float, default=0.05
        Regularisation, > 0: the smaller, the harder the assignments. 0.05 of the
        mean distance is the 0.05 that is usual for cosines of unit vectors.
    relative : bool, default=True
        Whether ``epsilon`` is a multiple of the mean of all squared distances
        between the batch's samples and the prototypes (`mean_distance`); else
        it is a squared distance.
    prior : sequence of float of length k, optional
        Numbers in proportion to the sizes of the clusters; None for equal ones.
    hard : bool, default=True
        Whether targets are the largest entry of each row alone, which trains
        slightly better according to [2]_, section 4.3.
    max_iter : int, default=100
        Most rounds of scaling rows and columns.

    References
    ----------
    .. [1] M. Cuturi, "Sinkhorn distances", NeurIPS 2013; for clustering M. Caron
       et al., "Unsupervised learning of visual features by contrasting cluster
       assignments", NeurIPS 2020.
    .. [2] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> import torch
    >>> distances = torch.tensor([[0.0, 1.0], [0.1, 3.0]])
    >>> SinkhornAssignment().targets(distances)
    tensor([[0., 1.],
            [1., 0.]])
    """

    def __init__(
        self,
        epsilon: float = 0.05,
        relative: bool = True,
        prior: Sequence[float] | None = None,
        hard: bool = True,
        max_iter: int = 100,
    ) -> None:
        self.epsilon = epsilon
        self.relative = relative
        self.prior = prior
        self.hard = hard
        self.max_iter = max_iter

    def validate(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one is not allowed.
        """
        check_real("epsilon", self.epsilon, above=0.0)
        check_flag("relative", self.relative)
        check_prior(self.prior)
        check_count("max_iter", self.max_iter)
        check_flag("hard", self.hard)

    def targets(self, distances: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the transport plan's rows, or their largest entries."""
        epsilon = absolute_scale(self.epsilon, self.relative, distances, weight)
        soft = sinkhorn_assignment(
            distances,
            epsilon,
            self.prior,
            weight,
            tolerance=_COARSE,
            max_iter=self.max_iter,
        )
        if not self.hard:
            return soft
        return torch.zeros_like(soft).scatter_(1, soft.argmax(dim=1, keepdim=True), 1.0)


@torch.no_grad()
def sinkhorn_assignment(
    distances: Tensor,
    epsilon: float,
    prior: Sequence[float] | None = None,
    weight: Tensor | None = None,
    *,
    tolerance: float = 1e-7,
    max_iter: int = 1000,
) -> Tensor:
    r"""Share samples out among clusters at the least cost (Sinkhorn-Knopp).

    Minimises :math:`\sum_{ij} w_i q_{ij} (d_{ij} + \epsilon \log q_{ij})` over
    assignments with :math:`\sum_j q_{ij} = 1` and
    :math:`\sum_i w_i q_{ij} = \pi_j`, for weights that sum to 1.

    Parameters
    ----------
    distances : Tensor of shape (n, k)
        Squared distances, or other costs, finite.
    epsilon : float
        Regularisation > 0, in units of the distances.
    prior : sequence of float of length k, optional
        Numbers in proportion to :math:`\pi`; None for equal ones.
    weight : Tensor of shape (n,), optional
        Non-negative sample weights; None for equal ones.
    tolerance : float, default=1e-7
        Sum of the columns' errors, as a share of the whole mass, at which the
        iteration ends.
    max_iter : int, default=1000
        Most rounds.

    Returns
    -------
    Tensor of shape (n, k)
        The assignments, in the type of ``distances``, without gradient.

    Raises
    ------
    ValueError
        If ``distances`` is no finite matrix, or another argument is not allowed.

    Notes
    -----
    In the log domain, in float64: exponentials of ``-d / epsilon`` neither
    vanish nor overflow. Both sums hold to rounding whatever ``max_iter`` is, as
    what is left over at the end is moved from clusters with too much to those
    with too little [1]_; with few rounds the cost is then not the least.

    References
    ----------
    .. [1] J. Altschuler, J. Weed and P. Rigollet, "Near-linear time approximation
       algorithms for optimal transport via Sinkhorn iteration", NeurIPS 2017,
       Algorithm 2.

    Examples
    --------
    >>> import torch
    >>> q = sinkhorn_assignment(torch.tensor([[0.0, 1.0], [0.0, 1.0]]), epsilon=0.1)
    >>> q
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    check_matrix("distances", distances)
    check_real("epsilon", epsilon, above=0.0)
    check_real("tolerance", tolerance, at_least=0.0)
    check_count("max_iter", max_iter)
    if not bool(torch.isfinite(distances).all()):
        raise ValueError("distances must be finite, got NaN or an infinity among them.")
    n, k = distances.shape
    costs = distances.detach().to(wide_dtype(distances))
    rows = normalize_weights(None if weight is None else weight.to(costs), n, costs)
    columns = torch.tensor(relative_prior(prior, k), dtype=costs.dtype, device=costs.device) / k
    nearest = costs.amin(dim=1, keepdim=True)
    unit = max(epsilon, torch.finfo(costs.dtype).tiny)
    scores = ((nearest - costs) / unit).clamp_min(-_LARGEST)
    soft = _scale(scores, rows, columns, tolerance, max_iter)
    return _exact_sums(soft, rows, columns).to(distances.dtype)


def _scale(
    scores: Tensor, rows: Tensor, columns: Tensor, tolerance: float, max_iter: int
) -> Tensor:
    """Return rows on the simplex, from scores and a term for each column."""
    mass = rows.clamp_min(torch.finfo(rows.dtype).tiny).log().unsqueeze(1)
    wanted = columns.log()
    shift = torch.zeros_like(columns)
    for _ in range(max_iter):
        q = torch.log_softmax(scores + shift, dim=1)
        sums = torch.logsumexp(q + mass, dim=0)
        if float((sums.exp() - columns).abs().sum()) <= tolerance:
            break
        shift += wanted - sums
        shift -= shift.max()
    return torch.softmax(scores + shift, dim=1)


def _exact_sums(q: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Move what columns have too much of to those that have too little."""
    sums = rows @ q
    q = q * (columns / sums.clamp_min(torch.finfo(q.dtype).tiny)).clamp_max(1.0)
    missing = (columns - rows @ q).clamp_min(0.0)
    total = float(missing.sum())
    if total > 0.0:
        q = q + (1.0 - q.sum(dim=1, keepdim=True)).clamp_min(0.0) * (missing / total)
    return q / q.sum(dim=1, keepdim=True)
