"""Which mixture describes the features in an adversarial fit, and how often it is found anew."""

from typing import Any

from sklearn_ddcl.engine._build import plain
from sklearn_ddcl.engine._mixture import MIXTURES
from sklearn_ddcl.nn._checks import check_choice, check_count
from sklearn_ddcl.nn.options import Options

__all__ = ["LatentMixture", "resolve_mixture"]


class LatentMixture(Options):
    """The mixture to which features are drawn, and when it is estimated.

    Parameters
    ----------
    kind : {"kmeans", "gaussian"}, default="kmeans"
        "kmeans" describes the clusters of k-means by their shares, means and
        variances. "gaussian" goes on from there with EM, to Gaussians with
        diagonal covariances, whose posterior then decides of a sample's
        cluster.
    interval : int, default=3
        Epochs from one mixture to the next.
    n_init : int, default=3
        New starts of k-means for each mixture after the first, beside one
        from the means before; the first has at least 10. More than 50
        components settle well from any start: they have one start at first,
        and none later.

    Examples
    --------
    >>> from sklearn_ddcl.options import LatentMixture
    >>> LatentMixture("gaussian").interval
    3
    """

    def __init__(self, kind: str = "kmeans", interval: int = 3, n_init: int = 3) -> None:
        self.kind = kind
        self.interval = interval
        self.n_init = n_init

    def validate(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            If one has a wrong type or lies out of its range.
        """
        check_choice("kind", self.kind, sorted(MIXTURES))
        check_count("interval", self.interval)
        check_count("n_init", self.n_init)


def resolve_mixture(value: Any) -> LatentMixture:
    """Return validated options for a name or an object.

    Parameters
    ----------
    value : {"kmeans", "gaussian"} or LatentMixture
        The parameter.

    Returns
    -------
    LatentMixture
        A copy.

    Raises
    ------
    ValueError
        If it is neither a name nor such an object, or an option is not allowed.

    Examples
    --------
    >>> from sklearn_ddcl.engine import resolve_mixture
    >>> resolve_mixture("gaussian")
    LatentMixture(kind='gaussian', interval=3, n_init=3)
    """
    options = LatentMixture(value) if isinstance(value, str) else plain(value)
    if not isinstance(options, LatentMixture):
        raise ValueError(
            "The 'mixture' parameter must be 'kmeans', 'gaussian' or an object such as "
            f"LatentMixture(). Got {value!r} instead."
        )
    options.validate()
    return options
