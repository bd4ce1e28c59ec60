"""The total objective: a base loss and four weighted terms."""

from torch import Tensor, nn

from sklearn_ddcl.nn._checks import check_real
from sklearn_ddcl.nn.losses._coercivity import Reduction, check_coercivity, coercive_quadratic
from sklearn_ddcl.nn.losses._quantization import LossTerm, quantization_term
from sklearn_ddcl.nn.losses._regularization import (
    balance_loss,
    entropy_loss,
    quadratic_loss,
    separation_loss,
)
from sklearn_ddcl.nn.outputs import ClusterOutput, ObjectiveValue

__all__ = ["Objective"]


class Objective(nn.Module):
    r"""Total loss of Eq. 12.

    .. math:: L = L_{base} + \beta L_{bal} + \gamma L_{ent} + \eta L_{sep}
              + \tfrac{\lambda}{2} \|P\|_F^2

    Parameters
    ----------
    base : callable, default=quantization_term
        The base loss: :func:`quantization_term` (Lq), :func:`ols_term`
        (L_OLS), or any function of a :class:`ClusterOutput` and weights.
    balance : float, default=0.0
        :math:`\beta \ge 0`.
    entropy : float, default=0.0
        :math:`\gamma`, of either sign. The paper's text speaks of maximising
        the entropy, but its Eq. 12 with a positive weight minimises it. Here
        the equation is followed: a positive weight sharpens the assignments,
        a negative one keeps them soft.
    separation : float, default=0.0
        :math:`\eta \ge 0`.
    quadratic : float or None, default=None
        :math:`\lambda \ge 0`; None takes the smallest safe round value for
        ``separation``, see :func:`coercive_quadratic`.
    reduction : {"mean", "sum"}, default="mean"
        Form of the separation term.

    Raises
    ------
    ValueError
        If a weight is out of its range; and in ``forward``, where the number
        of prototypes is known, if ``quadratic`` cannot hold ``separation``.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ddcl.nn import soft_assignments, squared_distances
    >>> z, p = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]])
    >>> d = squared_distances(z, p)
    >>> output = ClusterOutput(z, p, d, soft_assignments(d, 0.01), 0.01)
    >>> value = Objective(balance=1.0, separation=0.1)(output)
    >>> bool(value.total == sum(value[1:]))
    True
    """

    def __init__(
        self,
        base: LossTerm = quantization_term,
        balance: float = 0.0,
        entropy: float = 0.0,
        separation: float = 0.0,
        quadratic: float | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        if not callable(base):
            raise ValueError(f"base must be a function of a ClusterOutput, got {base!r}.")
        check_real("balance", balance, at_least=0.0)
        check_real("entropy", entropy)
        check_real("separation", separation, at_least=0.0)
        if quadratic is not None:
            check_real("quadratic", quadratic, at_least=0.0)
        if reduction not in ("sum", "mean"):
            raise ValueError(f"reduction must be 'sum' or 'mean', got {reduction!r}.")
        self.base = base
        self.balance = balance
        self.entropy = entropy
        self.separation = separation
        self.quadratic = quadratic
        self.reduction: Reduction = reduction

    def forward(self, output: ClusterOutput, weight: Tensor | None = None) -> ObjectiveValue:
        """Evaluate the objective.

        Parameters
        ----------
        output : ClusterOutput
            A forward pass.
        weight : Tensor of shape (n,), optional
            Sample weights of all means over samples.

        Returns
        -------
        ObjectiveValue
            The total and the weighted terms.
        """
        p, q = output.prototypes, output.assignments
        quadratic = self._quadratic_weight(p.shape[0])
        zero = p.new_zeros(())
        base = self.base(output, weight)
        balance = self.balance * balance_loss(q, weight) if self.balance else zero
        entropy = self.entropy * entropy_loss(q, weight) if self.entropy else zero
        separation = (
            self.separation * separation_loss(p, self.reduction) if self.separation else zero
        )
        ridge = quadratic * quadratic_loss(p) if quadratic else zero
        total = base
        for term in (balance, entropy, separation, ridge):
            total = total if term is zero else total + term  # a sum with 0 costs a step, too
        return ObjectiveValue(total, base, balance, entropy, separation, ridge)

    def _quadratic_weight(self, n_clusters: int) -> float:
        if not self.separation:  # nothing that a quadratic term would have to hold
            return self.quadratic or 0.0
        if self.quadratic is None:
            return coercive_quadratic(self.separation, n_clusters, self.reduction)
        check_coercivity(self.separation, self.quadratic, n_clusters, self.reduction)
        return self.quadratic

    def extra_repr(self) -> str:
        """Name the weights in the module's representation."""
        return (
            f"balance={self.balance}, entropy={self.entropy}, separation={self.separation}, "
            f"quadratic={self.quadratic}, reduction={self.reduction!r}"
        )
