"""Signs of collapse in a fit, with what causes and cures them."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.diagnostics._records import read_history
from sklearn_ddcl.utils import final_step

_COINCIDE = 1e-3  # S relative to Lq: prototypes 3 % of a deviation apart
_SHRUNK = 1e-2  # variance of the features relative to the first record
_UNIFORM = 1e-3  # K relative to 1 / number of prototypes
_CURES = {
    "clusters": "ask for fewer clusters, or learn features with a warm-up or a partition support",
    "prototypes": "revive prototypes more often, or take a partition support",
    "separation": "end at a lower temperature: above the critical one all prototypes coincide",
    "features": "keep the warm-up's objective in the joint phase, or give it more weight",
    "assignments": "end at a lower temperature, or scale the data",
}


class CollapseSign(NamedTuple):
    """One sign of collapse.

    Attributes
    ----------
    kind : str
        ``"clusters"``, ``"prototypes"``, ``"separation"``, ``"features"`` or
        ``"assignments"``.
    epoch : float
        First record from which on the sign stays to the end; NaN for
        ``"clusters"``, which are counted after the fit.
    what : str
        What was seen, with figures.
    cure : str
        What to try.
    """

    kind: str
    epoch: float
    what: str
    cure: str


class CollapseReport(NamedTuple):
    """Signs of collapse in a fit; ``print`` shows them as sentences.

    Attributes
    ----------
    collapsed : bool
        Whether there is any.
    signs : tuple of CollapseSign
        The signs.
    """

    collapsed: bool
    signs: tuple[CollapseSign, ...]

    def __str__(self):
        """Return one line a sign."""
        if not self.signs:
            return "No sign of collapse."
        return "\n".join(f"{sign.what}; {sign.cure}." for sign in self.signs)


def collapse_report(history):
    """Look for signs of collapse in a fit.

    Five are known. Fewer clusters are in use than were asked for; at the end
    less than half as many prototypes hold samples as once did, or one alone
    does of several; the prototypes coincide (S below 1/1000 of the loss); the features have
    shrunk (below 1/100 of their first variance); or all samples are shared
    evenly by all prototypes.

    Parameters
    ----------
    history : estimator instance or list of dict
        A fitted clusterer, a Pipeline that ends in one, or the records of a
        fit; records alone do not tell how many clusters were asked for.

    Returns
    -------
    report : CollapseReport
        What was found; ``print`` it.

    Raises
    ------
    ValueError
        If there is nothing to look at: neither records nor a fitted clusterer.

    See Also
    --------
    sklearn_ddcl.exceptions.CollapseWarning : Told by a fit that lost clusters.

    Examples
    --------
    >>> from sklearn_ddcl.diagnostics import collapse_report
    >>> records = [{"n_active": 10, "epoch": 1}, {"n_active": 1, "epoch": 2}]
    >>> collapse_report(records).signs[0].what
    '1 prototype holds samples, where 10 once did'
    """
    signs = _lost_clusters(history) if hasattr(history, "fit") else []
    if not (hasattr(history, "fit") and _joined(history)):
        records = read_history(history)
        for find in (_lost_prototypes, _coincidence, _shrinkage, _uniformity):
            signs += find(records)
    return CollapseReport(bool(signs), tuple(signs))


def _joined(estimator):
    """Tell whether a fitted clusterer trained nothing, so that it has no records."""
    final = final_step(estimator)
    return hasattr(final, "n_active_clusters_") and not getattr(final, "history_", None)


def _sign(kind, epoch, what):
    """Return a list of one sign."""
    return [CollapseSign(kind, float(epoch), what, _CURES[kind])]


def _lost_clusters(estimator):
    """Find fewer clusters than were asked for."""
    final = final_step(estimator)
    wanted = getattr(final, "n_clusters", None)
    found = getattr(final, "n_active_clusters_", None)
    if wanted is None or found is None or found >= wanted:
        return []
    verb = "is" if found == 1 else "are"
    return _sign("clusters", np.nan, f"{found} of {wanted} clusters {verb} in use")


def _last_stretch(epochs, mask):
    """Return the first epoch from which on a mask is true to the end; None if it is not."""
    if not mask[-1]:
        return None
    false = np.flatnonzero(~mask)
    return epochs[false[-1] + 1 if len(false) else 0]


def _found(records, *keys):
    """Return epochs and columns; None where no record has them."""
    try:
        return records.rows(*keys)
    except ValueError:
        return None


def _lost_prototypes(records):
    """Find prototypes without samples: half of them, or all but one."""
    if (found := _found(records, "n_active")) is None:
        return []
    epochs, (active,) = found
    most = active.max()
    epoch = _last_stretch(epochs, (active < most / 2) | ((active <= 1) & (most > 1)))
    if epoch is None:
        return []
    found = "prototype holds" if active[-1] == 1 else "prototypes hold"
    return _sign("prototypes", epoch, f"{active[-1]:g} {found} samples, where {most:g} once did")


def _coincidence(records):
    """Find prototypes that are all at one place."""
    if (found := _found(records, "separation", "loss_quantization")) is None:
        return []
    epochs, (separation, loss) = found
    epoch = _last_stretch(epochs, separation < _COINCIDE * np.abs(loss))
    if epoch is None:
        return []
    return _sign("separation", epoch, f"prototypes coincide since record {epoch:g}")


def _shrinkage(records):
    """Find features that have lost their variance."""
    if (found := _found(records, "latent_variance")) is None:
        return []
    epochs, (variance,) = found
    epoch = _last_stretch(epochs, variance < _SHRUNK * variance[0])
    if epoch is None:
        return []
    share = variance[-1] / variance[0]
    return _sign("features", epoch, f"the features' variance fell to {share:.1g} of what it was")


def _uniformity(records):
    """Find assignments that are all alike, at a temperature above 0."""
    if (found := _found(records, "concentration", "n_active", "temperature")) is None:
        return []
    epochs, (concentration, active, temperature) = found
    # n_active leaves out prototypes that never held a sample: their number may be any larger one
    number = np.maximum(np.round(1.0 / np.maximum(concentration, 1e-12)), active.max())
    even = np.abs(concentration * number - 1.0) < _UNIFORM
    even &= (number > 1) & (temperature > 0)
    epoch = _last_stretch(epochs, even)
    if epoch is None:
        return []
    what = f"all prototypes share all samples evenly since record {epoch:g}"
    return _sign("assignments", epoch, what)
