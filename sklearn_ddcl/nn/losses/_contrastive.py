"""Contrastive losses: a sample near its positive, away from the rest of the batch."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_ddcl.nn._checks import check_real, check_same_shape
from sklearn_ddcl.nn.numerics import normalize_weights

__all__ = ["neighbor_contrast_loss", "nt_xent_loss"]


def neighbor_contrast_loss(
    anchor: Tensor,
    positive: Tensor,
    weight: Tensor | None = None,
    *,
    degrees: float = 1.0,
    symmetric: bool = False,
) -> Tensor:
    r"""Heavy-tailed contrast of samples and their neighbours (Böhm et al., 2023).

    .. math:: L = \frac{1}{n} \sum_i \left(\log \sum_j s_{ij} - \log s_{ii}\right),
              \qquad s_{ij} = \left(1 + \|a_i - p_j\|^2 / \nu\right)^{-(\nu + 1) / 2}

    The other positives of the batch are a sample's negatives. Features are
    not normalised, so that clusters form in the plain Euclidean space.

    Parameters
    ----------
    anchor : Tensor of shape (n, d)
        Features of the samples.
    positive : Tensor of shape (n, d)
        Features of one neighbour, or one other view, of each sample.
    weight : Tensor of shape (n,), optional
        Weights of the anchors in the mean.
    degrees : float, default=1.0
        Degrees of freedom nu > 0 of Student's kernel: 1 is Cauchy's, and
        towards infinity it becomes Gauss's.
    symmetric : bool, default=False
        Whether to return the mean of this loss and that with the two sides
        exchanged, where the batch's samples are the positives' negatives. For
        nu = 1 both come from one matrix, at little more than one's cost.

    Returns
    -------
    Tensor, scalar
        The loss >= 0 in nats; 0 for one sample, which has no negative.

    Raises
    ------
    ValueError
        If the shapes differ, ``weight`` is invalid or ``degrees`` is not
        positive.
    RuntimeError
        If a second derivative is asked for, with ``create_graph=True``.

    Notes
    -----
    The gradient comes in closed form, together with the loss. One matrix of
    shape (n, n) is kept at a time, two for both directions (three and four
    unless nu is 1), and none between forward and backward pass. Half
    precision is widened to float32.

    References
    ----------
    Böhm, Berens and Kobak, "Unsupervised visualization of image datasets
    using contrastive learning", ICLR 2023, arXiv:2210.09879. The kernel for
    any nu is that of van der Maaten, "Learning a parametric embedding by
    preserving local structure", AISTATS 2009; for nu = 1, that of van der
    Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.

    Examples
    --------
    >>> import torch
    >>> anchor = torch.tensor([[0.0], [3.0]])
    >>> neighbor_contrast_loss(anchor, anchor)  # log(1 + 1 / 10)
    tensor(0.0953)
    """
    check_same_shape("anchor", anchor, "positive", positive)
    check_real("degrees", degrees, above=0.0)
    dtype = torch.promote_types(torch.promote_types(anchor.dtype, positive.dtype), torch.float32)
    anchor, positive = anchor.to(dtype), positive.to(dtype)
    share = normalize_weights(weight, anchor.shape[0], anchor)
    loss: Tensor = _NeighborContrast.apply(  # type: ignore[no-untyped-call]
        anchor, positive, share, float(degrees), symmetric
    )
    return loss


def nt_xent_loss(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    r"""Normalised, temperature-scaled cross-entropy of two views (Chen et al., Eq. 1).

    .. math:: L = -\frac{1}{2n} \sum_{i} \log \frac{\exp(\cos(z_i, z_{i'}) / T)}
              {\sum_{j \neq i} \exp(\cos(z_i, z_j) / T)}

    over the 2n views z, where i' is the other view of the same sample.

    Parameters
    ----------
    first, second : Tensor of shape (n, d)
        Features of the two views, row by row.
    temperature : float, default=0.5
        T > 0, in units of the cosine.

    Returns
    -------
    Tensor, scalar
        The loss in nats; 0 for one sample, which has no negative.

    Raises
    ------
    ValueError
        If the shapes differ or ``temperature`` is not positive.

    References
    ----------
    Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive
    learning of visual representations", ICML 2020, arXiv:2002.05709.

    Examples
    --------
    >>> import torch
    >>> nt_xent_loss(torch.eye(2), torch.eye(2), temperature=1.0)  # log(e + 2) - 1
    tensor(0.5514)
    """
    check_same_shape("first", first, "second", second)
    check_real("temperature", temperature, above=0.0)
    n = first.shape[0]
    z = functional.normalize(torch.cat([first, second]), dim=1)
    logits = (z @ z.T).div_(temperature).fill_diagonal_(float("-inf"))
    other_view = torch.arange(2 * n, device=z.device).roll(n)
    return functional.cross_entropy(logits, other_view)


class _Contrast(NamedTuple):
    """Per-anchor losses, and the gradients of their weighted sum."""

    losses: Tensor
    anchor_gradient: Tensor
    positive_gradient: Tensor


class _NeighborContrast(torch.autograd.Function):
    """Hands the closed form to autograd."""

    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, positive: Tensor, share: Tensor, degrees: float, symmetric: bool
    ) -> Tensor:
        """Compute the loss, and the gradients while the kernel matrix is there."""
        with torch.autocast(anchor.device.type, enabled=False):
            result = _contrast(anchor, positive, share, degrees, symmetric)
            ctx.save_for_backward(*result)
            return share @ result.losses

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Scale what was computed in the forward pass."""
        if torch.is_grad_enabled():  # create_graph=True: these tensors would count as constants
            raise RuntimeError("neighbor_contrast_loss has no second derivative.")
        losses, anchor_gradient, positive_gradient = ctx.saved_tensors
        return scale * anchor_gradient, scale * positive_gradient, scale * losses, None, None


def _contrast(
    anchor: Tensor, positive: Tensor, share: Tensor, degrees: float, symmetric: bool
) -> _Contrast:
    r"""Compute the loss and its gradients in closed form.

    With the negatives' shares :math:`q_{ij} = s_{ij} / \sum_{l \neq i} s_{il}` and
    :math:`x_i = \log \sum_{j \neq i} s_{ij} / s_{ii}`, the loss of an anchor is
    softplus(x_i), and :math:`\partial L_i / \partial \log s_{ij} = \sigma(x_i)
    (q_{ij} - \delta_{ij})`: nothing cancels where the positive is near.
    """
    gap = anchor - positive
    centre = anchor.mean(dim=0)  # a common offset would cost distances their digits
    anchor, positive = anchor - centre, positive - centre
    own = gap.square().sum(dim=1).div_(degrees)
    sides = _negatives(_squares(anchor, positive), degrees, symmetric)
    log_odds = sides.total.log() + sides.log_scale + 0.5 * (degrees + 1.0) * own.log1p()
    # -2 d log s / d squared distance = (nu + 1) / nu / (1 + squared distance / nu)
    force = share * log_odds.sigmoid() * ((degrees + 1.0) / (degrees * len(log_odds)))
    attraction = (force.sum(dim=0) / (1.0 + own)).unsqueeze(1) * gap
    push = force / sides.total.clamp_min(torch.finfo(force.dtype).tiny)
    if symmetric:
        repulsion = (push[0].unsqueeze(1) * sides.slopes[0]).addcmul_(sides.slopes[1], push[1])
    else:
        repulsion = sides.slopes[0].mul_(push[0].unsqueeze(1))
    ones = torch.ones_like(push[0]).unsqueeze(1)
    # The column of ones gives the sums of rows and columns in the same pass over the matrix, and
    # on CPUs a thin factor (d = 10) left of a product is 3 to 8 times as fast as right of it.
    to_anchor = (torch.cat([positive, ones], dim=1).T @ repulsion.T).T
    to_positive = (torch.cat([anchor, ones], dim=1).T @ repulsion).T
    return _Contrast(
        -functional.logsigmoid(-log_odds).mean(dim=0),  # softplus, without its cut above 20
        attraction + to_anchor[:, :-1] - to_anchor[:, -1:] * anchor,
        to_positive[:, :-1] - to_positive[:, -1:] * positive - attraction,
    )


def _squares(anchor: Tensor, positive: Tensor) -> Tensor:
    """Return all squared distances, the norms inside of the matrix product."""
    left_norms = anchor.square().sum(dim=1, keepdim=True)
    right_norms = positive.square().sum(dim=1, keepdim=True)
    left = torch.cat([-2.0 * anchor, left_norms, torch.ones_like(left_norms)], dim=1)
    right = torch.cat([positive, torch.ones_like(right_norms), right_norms], dim=1)
    return torch.relu_(left @ right.T)


class _Negatives(NamedTuple):
    """Sums of the kernel off the diagonal: of rows, and of columns where they are anchors too.

    The totals (sides, n) are relative to the exponential of their log scale; slopes are each
    side's kernel in the same unit, over its base ``1 + squares / nu``.
    """

    total: Tensor
    log_scale: Tensor | float
    slopes: list[Tensor]


def _negatives(squares: Tensor, degrees: float, symmetric: bool) -> _Negatives:
    """Evaluate the kernel; the squares are overwritten.

    For nu = 1 all is written over the squares, and nothing can underflow; else a side's kernel is
    divided by each anchor's largest entry, whose logarithm is the scale.
    """
    dims = (1, 0) if symmetric else (1,)
    if degrees == 1.0:
        kernel = squares.add_(1.0).reciprocal_().fill_diagonal_(0.0)
        total = torch.stack([kernel.sum(dim=dim) for dim in dims])
        return _Negatives(total, 0.0, [kernel.square_()] * len(dims))
    relative = squares.div_(degrees)
    logarithm = relative.log1p().mul_(-0.5 * (degrees + 1.0)).fill_diagonal_(float("-inf"))
    base, lowest = relative.add_(1.0), torch.finfo(squares.dtype).min
    largest = [logarithm.amax(dim=dim, keepdim=True).clamp_min_(lowest) for dim in dims]
    kernels = [(logarithm - scale).exp_() for scale in largest]
    total = torch.stack([kernel.sum(dim=dim) for kernel, dim in zip(kernels, dims, strict=True)])
    log_scale = torch.stack([scale.flatten() for scale in largest])
    return _Negatives(total, log_scale, [kernel.div_(base) for kernel in kernels])
