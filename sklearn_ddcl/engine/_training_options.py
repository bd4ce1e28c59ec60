"""Options of the joint phase, in which features and prototypes are trained together."""

import math
from typing import Any, Self

from sklearn_ddcl.engine._phases import FourPhases, PhaseSchedule
from sklearn_ddcl.engine._supports import resolve_support
from sklearn_ddcl.nn._checks import check_count, check_real, takes
from sklearn_ddcl.nn.options import Options
from sklearn_ddcl.nn.partition_support import PartitionSupport

__all__ = ["JointTraining"]

_STEPS = 200


class JointTraining(Options):
    """How features and prototypes are trained together.

    Parameters
    ----------
    epochs : int or None, default=None
        Passes over the rows, >= 1. None takes as many as make 200 steps, but at
        least 5 and at most 50.
    batch_size : int, default=256
        Largest number of rows a step, >= 2.
    learning_rate : float, default=1e-3
        Rate of the backbone (Adam), > 0.
    rate_ratio : float or None, default=None
        Rate of the backbone over that of the prototypes, > 0; None leaves it
        to ``schedule``. The paper calls 1/10 to 1/3 safe.
    stop_gradient : bool or None, default=None
        Whether assignments are constants to the gradient; None leaves it to
        ``schedule``.
    pretext_weight : float, default=1.0
        Weight >= 0 of the warm-up's task, which keeps the warm start. Without
        it the loss is lowest for features shrunk to a point.
    objective_weight : float, default=0.1
        Weight >= 0 of the clustering objective, in units of the latent variance.
    gradient_clip : float or None, default=5.0
        Largest norm > 0 of the backbone's gradient; None does not clip.
    patience : int or None, default=5
        Epochs in a row with few label changes after which training stops, in
        the schedule's last phase; None runs all epochs.
    min_label_change : float, default=0.001
        Share of rows in [0, 1] below which label changes are few.
    revive : bool, default=True
        Whether prototypes without rows are moved to where the error is largest.
    mixed_precision : bool or {"bfloat16", "float16"}, default=False
        Whether the backbone computes in a narrower type; True chooses it.
    compile : bool, default=False
        Whether the backbone goes through ``torch.compile``.
    schedule : PhaseSchedule or None, default=None
        Phases and temperatures; None takes :class:`FourPhases`.
    partition_support : str, PartitionSupport or None, default=None
        What keeps prototypes in use, as in `OnlineDeepClustering`: "combination"
        and "sinkhorn" assign a batch's samples in the place of soft assignments,
        "entropy" and "sum_of_squares" add a penalty in units of the latent
        variance, times ``objective_weight``.

    Examples
    --------
    >>> from sklearn_ddcl.options import JointTraining
    >>> JointTraining(epochs=20).batch_size
    256
    """

    def __init__(
        self,
        epochs: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        rate_ratio: float | None = None,
        stop_gradient: bool | None = None,
        pretext_weight: float = 1.0,
        objective_weight: float = 0.1,
        gradient_clip: float | None = 5.0,
        patience: int | None = 5,
        min_label_change: float = 0.001,
        revive: bool = True,
        mixed_precision: bool | str = False,
        compile: bool = False,
        schedule: PhaseSchedule | None = None,
        partition_support: str | PartitionSupport | None = None,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.rate_ratio = rate_ratio
        self.stop_gradient = stop_gradient
        self.pretext_weight = pretext_weight
        self.objective_weight = objective_weight
        self.gradient_clip = gradient_clip
        self.patience = patience
        self.min_label_change = min_label_change
        self.revive = revive
        self.mixed_precision = mixed_precision
        self.compile = compile
        self.schedule = schedule
        self.partition_support = partition_support

    def set_params(self, **params: Any) -> Self:
        """Change parameters; those of parts also where these are None or a name.

        Parameters
        ----------
        **params : dict
            New values; ``schedule__member`` reaches into the schedule, and
            ``partition_support__member`` into the support.

        Returns
        -------
        JointTraining
            The object itself.

        Raises
        ------
        ValueError
            If a name is unknown.
        """
        if any(name.startswith("schedule__") for name in params):
            params["schedule"] = params.get("schedule", self.schedule) or FourPhases()
        if any(name.startswith("partition_support__") for name in params):
            given = params.get("partition_support", self.partition_support)
            params["partition_support"] = resolve_support(given)
        return super().set_params(**params)

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If one has a wrong type or lies out of its range.
        TypeError
            If ``schedule`` is no schedule.
        """
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        check_count("batch_size", self.batch_size, at_least=2)
        check_real("learning_rate", self.learning_rate, above=0.0)
        for name in ("rate_ratio", "gradient_clip"):
            if getattr(self, name) is not None:
                check_real(name, getattr(self, name), above=0.0)
        check_real("pretext_weight", self.pretext_weight, at_least=0.0)
        check_real("objective_weight", self.objective_weight, at_least=0.0)
        check_real("min_label_change", self.min_label_change, at_least=0.0, at_most=1.0)
        if self.patience is not None:
            check_count("patience", self.patience)
        self._check_choices()
        self.support()
        if self.schedule is not None:
            relative = not isinstance(self.schedule, type) and hasattr(self.schedule, "relative")
            if not relative or not takes(self.schedule, 2):
                raise TypeError(
                    "schedule must be None or an object such as FourPhases(), called with an "
                    f"epoch and the number of epochs, got {self.schedule!r}."
                )
            self.schedule.validate()

    def _check_choices(self) -> None:
        choices: dict[str, tuple[Any, ...]] = {
            "stop_gradient": (True, False, None),
            "revive": (True, False),
            "mixed_precision": (True, False, "bfloat16", "float16"),
            "compile": (True, False),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            # identity for bools, as 1 == True
            if not any(value is a or (isinstance(a, str) and value == a) for a in allowed):
                raise ValueError(f"{name} must be one of {allowed}, got {value!r}.")

    def epochs_for(self, n_rows: int) -> int:
        """Return the number of epochs.

        Parameters
        ----------
        n_rows : int
            Number of samples.

        Returns
        -------
        int
            ``epochs``, or what None stands for.
        """
        if self.epochs is not None:
            return self.epochs
        steps_each = math.ceil(n_rows / self.batch_size)
        return min(max(math.ceil(_STEPS / steps_each), 5), 50)

    def phases(self) -> PhaseSchedule:
        """Return the schedule, or what None stands for.

        Returns
        -------
        PhaseSchedule
            The schedule.
        """
        return FourPhases() if self.schedule is None else self.schedule

    def support(self) -> PartitionSupport | None:
        """Return a copy of the partition support that is named or held.

        Returns
        -------
        PartitionSupport or None
            The support; None where there is none.
        """
        return None if self.partition_support is None else resolve_support(self.partition_support)
