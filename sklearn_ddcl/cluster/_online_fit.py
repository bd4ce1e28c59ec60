"""Around the online training: its configuration, and why clusters may be lost."""

from sklearn_ddcl.engine import OnlineConfig, resolve_support
from sklearn_ddcl.utils import draw_seed, make_reporter

__all__ = ["COLLAPSE_CAUSES", "check_unchanged", "make_config"]

COLLAPSE_CAUSES = (
    "training on batches draws all samples to few prototypes unless a partition support holds "
    "them apart, or X has fewer distinct samples than that. Choose "
    "partition_support='combination', more of its sigma or of a penalty's strength, or more "
    "epochs; or lower n_clusters."
)


def make_config(estimator):
    """Return what an estimator's parameters say.

    Parameters
    ----------
    estimator : OnlineDeepClustering
        With validated parameters.

    Returns
    -------
    OnlineConfig
        The configuration.

    Raises
    ------
    ValueError
        If ``sigma`` is given for a support that has none, or an option of the
        support is not allowed.
    """
    sigma = None if estimator.sigma is None else float(estimator.sigma)
    return OnlineConfig(
        n_clusters=int(estimator.n_clusters),
        support=resolve_support(estimator.partition_support, sigma),
        temperature=float(estimator.temperature),
        backbone=estimator.backbone,
        batch_size=int(estimator.batch_size),
        learning_rate=float(estimator.learning_rate),
        device=estimator.device,
        seed=draw_seed(estimator.random_state),
        epochs=None if estimator.epochs is None else int(estimator.epochs),
        report=make_reporter(estimator.verbose, type(estimator).__name__),
    )


def check_unchanged(estimator, before):
    """Require that parameters are what they were when training began.

    Parameters
    ----------
    estimator : estimator
        With parameters of these names.
    before : dict
        Names and values.

    Raises
    ------
    ValueError
        If one has changed.
    """
    for name, value in before.items():
        now = getattr(estimator, name)
        if now is not value and now != value:
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__} was {value!r} when "
                f"training began and is {now!r} now. Put it back, or begin anew with fit or "
                "with a clone."
            )
