"""The four phases of joint training (section 8.4 of the DDCL paper)."""

import math
from typing import Any, NamedTuple, Protocol

from sklearn_ddcl.nn._checks import check_flag, check_real
from sklearn_ddcl.nn.options import Options

__all__ = ["FourPhases", "PhasePlan", "PhaseSchedule", "Reheated"]

NAMES = ("warm_up", "stabilization", "sharpening", "refinement")


class PhasePlan(NamedTuple):
    """How an epoch is to be trained.

    Attributes
    ----------
    name : str
        Name of the phase.
    temperature : float
        Temperature of the assignments, in the schedule's units.
    stop_gradient : bool
        Whether assignments are constants to the gradient.
    backbone_rate : float
        Multiple of the learning rate for the backbone; 0 leaves it as it is.
    rate_ratio : float
        Learning rate of the backbone over that of the prototypes.
    last : bool
        Whether training may stop early in this phase.
    """

    name: str
    temperature: float
    stop_gradient: bool
    backbone_rate: float
    rate_ratio: float
    last: bool


class PhaseSchedule(Protocol):
    """What a schedule of phases offers.

    Attributes
    ----------
    relative : bool
        Whether temperatures are multiples of the critical temperature of the
        features at the start; otherwise they are squared distances.
    """

    relative: bool

    def __call__(self, epoch: int, n_epochs: int) -> PhasePlan:
        """Return the plan of an epoch, counted from 0."""
        ...

    def validate(self) -> None:
        """Raise ValueError if a parameter's value is not allowed."""
        ...


class FourPhases(Options):
    r"""Soft warm-up, stabilization, sharpening and refinement.

    ============= ================ ============= ================ =============
    phase         temperature      gradient by q rate ratio       rates
    ============= ================ ============= ================ =============
    warm_up       ``initial``      stopped       ``first_ratio``  full
    stabilization ``initial``      stopped       to ``ratio``     full
    sharpening    to ``final``     full          ``ratio``        full
    refinement    ``final``        full          ``ratio``        ``refinement``
    ============= ================ ============= ================ =============

    In the third phase :math:`T(t) = T_0 e^{-t / \tau}`, with :math:`\tau` such
    that it ends at ``final``. The ratio is the backbone's rate over that of
    the prototypes.

    Parameters
    ----------
    initial : float, default=0.1
        :math:`T_0`, > 0. Joint training starts from prototypes that are apart;
        above 1 (relative) they would fall together.
    final : float, default=0.02
        Last temperature, > 0 and not above ``initial``.
    first_ratio : float, default=0.1
        Ratio of the first phase, > 0.
    ratio : float, default=1/3
        Ratio from the second phase's end on, >= ``first_ratio``.
    refinement : float, default=0.3
        What is left of both rates in the last phase, in (0, 1].
    warm_up, stabilization, sharpening : float, default=0.2, 0.2, 0.4
        Shares of the epochs, >= 0, with a sum of at most 1; the last phase
        takes what is left, and the last epoch in any case.
    relative : bool, default=True
        Whether temperatures are multiples of the critical temperature of the
        features with which joint training starts.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       section 8.4.

    Examples
    --------
    >>> from sklearn_ddcl.options import FourPhases
    >>> schedule = FourPhases()
    >>> [schedule(epoch, 10).name for epoch in (0, 3, 5, 9)]
    ['warm_up', 'stabilization', 'sharpening', 'refinement']
    """

    def __init__(
        self,
        initial: float = 0.1,
        final: float = 0.02,
        first_ratio: float = 0.1,
        ratio: float = 1 / 3,
        refinement: float = 0.3,
        warm_up: float = 0.2,
        stabilization: float = 0.2,
        sharpening: float = 0.4,
        relative: bool = True,
    ) -> None:
        self.initial = initial
        self.final = final
        self.first_ratio = first_ratio
        self.ratio = ratio
        self.refinement = refinement
        self.warm_up = warm_up
        self.stabilization = stabilization
        self.sharpening = sharpening
        self.relative = relative

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If a number is out of its range or ``relative`` is no bool.
        """
        check_real("initial", self.initial, above=0.0)
        check_real("final", self.final, above=0.0, at_most=self.initial)
        check_real("first_ratio", self.first_ratio, above=0.0)
        check_real("ratio", self.ratio, at_least=self.first_ratio)
        check_real("refinement", self.refinement, above=0.0, at_most=1.0)
        for name in NAMES[:3]:
            check_real(name, getattr(self, name), at_least=0.0, at_most=1.0)
        total = self.warm_up + self.stabilization + self.sharpening
        if total > 1.0 + 1e-9:
            raise ValueError(
                f"warm_up + stabilization + sharpening must be at most 1, got {total:g}."
            )
        check_flag("relative", self.relative)

    def __call__(self, epoch: int, n_epochs: int) -> PhasePlan:
        """Return the plan of ``epoch``, counted from 0, of ``n_epochs``."""
        phase, progress = self._locate(epoch, n_epochs)
        ratio = (self.first_ratio, None, self.ratio, self.ratio)[phase]
        if ratio is None:
            ratio = self.first_ratio * (self.ratio / self.first_ratio) ** progress
        cooled = (0.0, 0.0, progress, 1.0)[phase]
        return PhasePlan(
            name=NAMES[phase],
            temperature=self.initial * math.pow(self.final / self.initial, cooled),
            stop_gradient=phase < 2,
            backbone_rate=self.refinement if phase == 3 else 1.0,
            rate_ratio=ratio,
            last=phase == 3,
        )

    def _locate(self, epoch: int, n_epochs: int) -> tuple[int, float]:
        """Return the phase's number and the share of it that lies behind."""
        if epoch >= n_epochs - 1:
            return 3, 1.0
        done, start = epoch / n_epochs, 0.0
        for phase, share in enumerate((self.warm_up, self.stabilization, self.sharpening)):
            if done < start + share - 1e-9:
                return phase, (done - start) / share
            start += share
        return 3, 1.0


class Reheated:
    """Phases with the temperatures of another schedule.

    Parameters
    ----------
    phases : PhaseSchedule
        For everything but temperatures.
    temperatures : TemperatureSchedule
        Temperatures by epoch, with a ``relative`` attribute.
    """

    def __init__(self, phases: PhaseSchedule, temperatures: Any) -> None:
        self.phases = phases
        self.temperatures = temperatures
        self.relative: bool = temperatures.relative

    def __call__(self, epoch: int, n_epochs: int) -> PhasePlan:
        """Return the plan of an epoch, counted from 0."""
        plan = self.phases(epoch, n_epochs)
        return plan._replace(temperature=float(self.temperatures(epoch)))

    def validate(self) -> None:
        """Raise ValueError if a parameter's value is not allowed."""
        self.phases.validate()
