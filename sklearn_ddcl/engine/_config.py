"""Groups of options of the estimators: small objects with ``get_params``."""

import math
from typing import Any, NamedTuple

from sklearn_ddcl.nn.losses import check_coercivity, coercive_quadratic
from sklearn_ddcl.nn.options import Options
from sklearn_ddcl.nn.schedules import GeometricTemperature, TemperatureSchedule

__all__ = ["ReducedConfig", "ReducedFlow", "Regularization", "default_temperature"]


class Regularization(Options):
    r"""Weights of the terms added to the loss (Eq. 12 of the DDCL paper).

    .. math:: L = L_q + \beta L_{bal} + \gamma L_{ent} + \eta L_{sep}
              + \tfrac{\lambda}{2} \|P\|_F^2

    Weights of `balance` and `entropy` are in units of the data's critical
    temperature, so that one value means the same on every data set;
    `separation` and `quadratic` multiply squared distances already.

    Parameters
    ----------
    balance : float, default=0.0
        :math:`\beta \ge 0`: clusters of equal size (Eq. 13).
    entropy : float, default=0.0
        :math:`\gamma`: positive values sharpen assignments, as Eq. 12 is
        printed; negative ones keep them soft, as the text of the paper says.
    separation : float, default=0.0
        :math:`\eta \ge 0` of Eq. 15, mean over pairs. Together with a `quadratic`
        that keeps the loss bounded it does not push prototypes apart but draws
        them to the mean, less than `quadratic` alone would.
    quadratic : float or "auto", default="auto"
        :math:`\lambda \ge 0`: pulls prototypes to the mean of the data.
        "auto" is 0 without separation, else the smallest safe multiple.

    See Also
    --------
    sklearn_ddcl.nn.Objective : The same terms as a torch module.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       section 4.3.

    Examples
    --------
    >>> from sklearn_ddcl.options import Regularization
    >>> Regularization(balance=0.1)
    Regularization(balance=0.1, entropy=0.0, separation=0.0, quadratic='auto')
    """

    def __init__(
        self,
        balance: float = 0.0,
        entropy: float = 0.0,
        separation: float = 0.0,
        quadratic: float | str = "auto",
    ) -> None:
        self.balance = balance
        self.entropy = entropy
        self.separation = separation
        self.quadratic = quadratic

    def validate(self) -> None:
        """Check the weights' types and signs.

        Raises
        ------
        ValueError
            If a weight is not a finite number or is negative where it must not be.
        """
        for name in ("balance", "entropy", "separation", "quadratic"):
            value = getattr(self, name)
            if name == "quadratic" and isinstance(value, str) and value == "auto":
                continue
            real = isinstance(value, int | float) and not isinstance(value, bool)
            if not real or not math.isfinite(value) or (name != "entropy" and value < 0):
                allowed = "a finite number" + (" >= 0" if name != "entropy" else "")
                allowed += " or 'auto'" if name == "quadratic" else ""
                raise ValueError(
                    f"The {name!r} parameter of Regularization must be {allowed}. "
                    f"Got {value!r} instead."
                )

    def quadratic_for(self, n_clusters: int) -> float:
        """Return lambda for ``n_clusters`` prototypes, coercive with eta (Remark 3).

        Parameters
        ----------
        n_clusters : int
            Number of prototypes k.

        Returns
        -------
        float
            The weight of the quadratic term.

        Raises
        ------
        ValueError
            If the loss would be unbounded below.
        """
        if isinstance(self.quadratic, str):
            return coercive_quadratic(self.separation, n_clusters)
        check_coercivity(self.separation, self.quadratic, n_clusters)
        return self.quadratic

    @property
    def active(self) -> bool:
        """Whether any weight differs from zero."""
        quadratic = 0.0 if isinstance(self.quadratic, str) else self.quadratic
        return any((self.balance, self.entropy, self.separation, quadratic))


_SMALL = 10_000  # rows times clusters up to which a start costs milliseconds


class ReducedFlow(Options):
    """How prototypes are trained when the features are given (``backbone=None``).

    The flow anneals the temperature from above the critical one, where all
    prototypes coincide, lets prototypes move from where they are useless to
    where they are missed (two-winner relocation), and finishes with hard
    assignments on all rows.

    Parameters
    ----------
    n_init : int or None, default=None
        Number of starts; the best is kept. The first anneals from the critical
        temperature, further ones start from greedy k-means++ seeds. None takes
        2, or 4 where the sample's rows times clusters are at most 10,000 and a
        start takes milliseconds.
    passes_per_temperature : int, default=2
        Passes over the sample at each temperature.
    relocations : int, default=12
        Failed relocations in a row after which the search stops; 0 turns
        relocation off.
    hard_finish : bool, default=True
        Whether to finish with hard assignments (temperature 0) on all rows.
        Without it prototypes stay those of the last temperature.
    dual_learning_rate : float or None, default=None
        None takes the exact minimiser over the dual weights in every pass. A
        number in (0, 1] takes a gradient step of that size in the dual
        weights instead, in Gram form, as a fraction of the largest stable one.
    sample_size : int or None, default=None
        Rows on which the search runs, drawn without labels; None takes 20,000
        or 100 for each cluster, whichever is more. All rows are used if there
        are fewer, and the finish always uses all.

    Examples
    --------
    >>> from sklearn_ddcl.options import ReducedFlow
    >>> ReducedFlow(n_init=1).relocations
    12
    """

    def __init__(
        self,
        n_init: int | None = None,
        passes_per_temperature: int = 2,
        relocations: int = 12,
        hard_finish: bool = True,
        dual_learning_rate: float | None = None,
        sample_size: int | None = None,
    ) -> None:
        self.n_init = n_init
        self.passes_per_temperature = passes_per_temperature
        self.relocations = relocations
        self.hard_finish = hard_finish
        self.dual_learning_rate = dual_learning_rate
        self.sample_size = sample_size

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If one has a wrong type or lies out of its range.
        """
        if self.n_init is not None:
            _check_integer("n_init", self.n_init, 1)
        _check_integer("passes_per_temperature", self.passes_per_temperature, 1)
        _check_integer("relocations", self.relocations, 0)
        if self.sample_size is not None:
            _check_integer("sample_size", self.sample_size, 1)
        if not isinstance(self.hard_finish, bool):
            _refuse("hard_finish", self.hard_finish, "a bool")
        rate = self.dual_learning_rate
        if rate is not None and (
            isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1
        ):
            _refuse("dual_learning_rate", rate, "None or a number in (0, 1]")

    def starts_for(self, n_rows: int, n_clusters: int) -> int:
        """Return the number of starts.

        Parameters
        ----------
        n_rows : int
            Rows of the sample.
        n_clusters : int
            Number of prototypes.

        Returns
        -------
        int
            ``n_init``, or what None stands for.
        """
        if self.n_init is None:
            return 4 if n_rows * n_clusters <= _SMALL else 2
        return self.n_init

    def later_patience(self, n_rows: int, n_clusters: int) -> int:
        """Return the patience of relocation in the starts after the first.

        On large samples a third: they only have to show another basin.

        Parameters
        ----------
        n_rows : int
            Rows of the sample.
        n_clusters : int
            Number of prototypes.

        Returns
        -------
        int
            Failed relocations in a row after which to stop.
        """
        return self.relocations // (1 if n_rows * n_clusters <= _SMALL else 3)

    def rows_for(self, n_clusters: int) -> int:
        """Return the number of rows to search on, where the data have as many.

        Parameters
        ----------
        n_clusters : int
            Number of prototypes.

        Returns
        -------
        int
            Rows of the sample.
        """
        if self.sample_size is None:
            return max(20_000, 100 * n_clusters)
        return max(self.sample_size, n_clusters)


class ReducedConfig(NamedTuple):
    """What the engine needs for one fit on given features.

    Attributes
    ----------
    n_clusters : int
        Number of prototypes k.
    loss : str
        "quantization" or "ols".
    temperature : TemperatureSchedule
        Schedule of temperatures.
    regularization : Regularization
        Weights of the added terms.
    flow : ReducedFlow
        Options of the flow.
    max_iter : int
        Bound on the passes of each phase.
    tol : float
        Shift of the prototypes, relative to the data's variance, at which a
        phase has converged.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    n_clusters: int
    loss: str
    temperature: TemperatureSchedule
    regularization: Regularization
    flow: ReducedFlow
    max_iter: int
    tol: float
    device: str
    seed: int
    report: Any = None


def default_temperature() -> GeometricTemperature:
    """Return the schedule of the reduced flow: from above the first split to nearly hard."""
    return GeometricTemperature(initial=1.1, factor=0.8, minimum=0.02)


def _check_integer(name: str, value: Any, at_least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < at_least:
        _refuse(name, value, f"an int >= {at_least}")


def _refuse(name: str, value: Any, allowed: str) -> None:
    raise ValueError(
        f"The {name!r} parameter of ReducedFlow must be {allowed}. Got {value!r} instead."
    )
