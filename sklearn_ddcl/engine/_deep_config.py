"""What the engine needs for one deep fit."""

from typing import Any, NamedTuple

from sklearn_ddcl.engine._build import plain
from sklearn_ddcl.engine._config import Regularization
from sklearn_ddcl.engine._phases import Reheated
from sklearn_ddcl.engine._training_options import JointTraining
from sklearn_ddcl.engine._warm_ups import Autoencoding, NeighborContrast, SimCLR, WarmUp

__all__ = ["WARM_UPS", "DeepConfig", "prototype_count", "resolve_joint", "resolve_warm_up"]

WARM_UPS = {"autoencoder": Autoencoding, "neighbors": NeighborContrast, "simclr": SimCLR}

_PER_CLUSTER = 20
_MOST = 300  # joining costs the cube of their number
_ROWS_EACH = 5  # fewer rows for each prototype leave its edges to chance
_GUESS = 10  # clusters taken for granted where their number is to be found


class DeepConfig(NamedTuple):
    """What the engine needs for one deep fit.

    Attributes
    ----------
    n_clusters : int or None
        Number of clusters k; None lets the topology decide.
    prototypes_per_cluster : int or None
        Number of prototypes for each; None takes `prototype_count`'s.
    backbone : str, nn.Module or callable
        As in `prepare_backbone`.
    warm_up : WarmUp or None
        What the backbone learns first.
    training : JointTraining
        Options of the joint phase.
    loss : str
        "quantization", "ols" or "cross_entropy".
    regularization : Regularization
        Weights of the added terms.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    n_clusters: int | None
    prototypes_per_cluster: int | None
    backbone: Any
    warm_up: WarmUp | None
    training: JointTraining
    loss: str
    regularization: Regularization
    device: str
    seed: int
    report: Any = None


def resolve_warm_up(value: Any) -> WarmUp | None:
    """Return a validated warm-up for a name or an object.

    Parameters
    ----------
    value : {"neighbors", "autoencoder", "simclr"}, WarmUp or None
        The parameter.

    Returns
    -------
    WarmUp or None
        The warm-up.

    Raises
    ------
    TypeError
        If a class is given in the place of an object.
    ValueError
        If an option is not allowed.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_warm_up
    >>> resolve_warm_up("neighbors").batch_size
    256
    """
    warm_up: WarmUp | None = WARM_UPS[value]() if isinstance(value, str) else value
    if isinstance(warm_up, type):
        raise TypeError(
            f"The 'warm_up' parameter must be an object such as {warm_up.__name__}(), got the "
            "class itself."
        )
    if warm_up is not None:
        warm_up.validate()  # not copied: a fitted one holds its backbone
    return warm_up


def resolve_joint(
    value: JointTraining | None, temperature: Any, support: Any = None
) -> JointTraining:
    """Return validated options of the joint phase, with the estimator's temperature and support.

    Parameters
    ----------
    value : JointTraining or None
        Options; None takes the defaults.
    temperature : TemperatureSchedule or None
        Takes the place of the phases' own temperatures, an epoch a step; None
        leaves those.
    support : str, PartitionSupport or None, default=None
        The partition support; None leaves that of the options.

    Returns
    -------
    JointTraining
        A copy.

    Raises
    ------
    ValueError
        If an option is not allowed, or both have a support.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_joint
    >>> resolve_joint(None, None).batch_size
    256
    """
    training = JointTraining() if value is None else plain(value)
    if support is not None:
        if training.partition_support is not None:
            raise ValueError(
                "The 'partition_support' parameter must be None where JointTraining has one, "
                f"{training.partition_support!r}. Got {support!r} instead."
            )
        training.partition_support = support
    training.validate()
    if temperature is not None:
        training.schedule = Reheated(training.phases(), temperature)
    return training


def prototype_count(n_clusters: int | None, per_cluster: int | None, n_rows: int) -> int:
    """Return the number of prototypes m.

    Parameters
    ----------
    n_clusters : int or None
        Number of clusters.
    per_cluster : int or None
        Prototypes for each; None takes 20, fewer where that makes more than
        300 or leaves a prototype less than 5 rows.
    n_rows : int
        Number of samples.

    Returns
    -------
    int
        At least the number of clusters, at most the number of rows.

    Examples
    --------
    >>> from sklearn_ddcl.engine import prototype_count
    >>> prototype_count(10, None, 2_000), prototype_count(3, None, 50)
    (200, 10)
    """
    k = _GUESS if n_clusters is None else n_clusters
    if per_cluster is not None:
        return min(k * per_cluster, n_rows)
    most = min(max(_MOST, 2 * k), n_rows // _ROWS_EACH)
    return min(max(min(_PER_CLUSTER * k, most), k), n_rows)
