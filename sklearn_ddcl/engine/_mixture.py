"""The latent mixture: k-means, or diagonal Gaussians by EM, the best of several starts."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from sklearn_ddcl.engine._kmeans import Partition, continue_kmeans, resolve_kmeans
from sklearn_ddcl.nn._checks import check_choice

__all__ = ["MIXTURES", "Mixture", "fit_mixture", "log_joint", "posterior"]

_FLOOR = 1e-6  # of a variance, in units of the features' mean variance
_MOST_ITERATIONS, _TOLERANCE = 100, 1e-3
_ROWS = 8192


class Mixture(NamedTuple):
    """Components of a mixture of Gaussians with diagonal covariances.

    Attributes
    ----------
    weights : ndarray of shape (k,)
        Their shares, > 0, which sum to 1.
    means : ndarray of shape (k, d)
        Their means.
    variances : ndarray of shape (k, d)
        Their variances, > 0.
    score : float
        By which fits to the same rows are compared, greater is better: the
        mean log-likelihood, or minus the mean squared distance of k-means.
    """

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    score: float


def fit_mixture(
    z: np.ndarray,
    weight: np.ndarray | None,
    n_components: int,
    kind: str,
    n_init: int,
    seed: int,
    start: np.ndarray | None = None,
) -> Mixture:
    """Fit a mixture from several starts, and keep the best.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Features.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero.
    n_components : int
        Number of components, at most n.
    kind : {"kmeans", "gaussian"}
        "kmeans" describes the clusters of k-means; "gaussian" goes on from
        these with EM, until the mean log-likelihood rises by less than 1e-3.
    n_init : int
        New starts by k-means++; 0 takes ``start`` alone.
    seed : int
        Seed of these.
    start : ndarray of shape (n_components, d), optional
        Means from which one more start goes on.

    Returns
    -------
    Mixture
        The best in float64. Components without rows are left out: there are
        fewer where there are fewer distinct rows.

    Raises
    ------
    ValueError
        If ``kind`` is no such name, there is no start, or there are fewer rows
        than components.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[0.0], [1.0], [8.0], [10.0]])
    >>> found = fit_mixture(z, None, 2, "kmeans", 3, seed=0)
    >>> np.sort(found.means.ravel()), found.weights
    (array([0.5, 9. ]), array([0.5, 0.5]))
    """
    check_choice("kind", kind, sorted(MIXTURES))
    if n_init < 1 and start is None:
        raise ValueError(f"n_init must be >= 1 without a start, got {n_init}.")
    rows = np.asarray(z, dtype=np.float64)
    share = np.full(len(rows), 1.0) if weight is None else weight.astype(np.float64)
    share = share / share.max()
    share = share / share.sum()
    shift = share @ rows  # a common offset would cost digits
    rows = rows - shift
    kmeans, seeds = resolve_kmeans("sklearn"), np.random.default_rng(seed)
    found = [
        kmeans(rows, share, n_components, 1, int(seeds.integers(2**31 - 1))) for _ in range(n_init)
    ]
    if start is not None:
        found.insert(0, continue_kmeans(rows, share, start - shift))
    best = max((MIXTURES[kind](rows, share, each) for each in found), key=lambda m: m.score)
    return best._replace(means=best.means + shift)


def log_joint(mixture: Mixture, z: np.ndarray) -> np.ndarray:
    """Return the log density of each row together with each component.

    Parameters
    ----------
    mixture : Mixture
        The mixture.
    z : ndarray of shape (n, d)
        Features.

    Returns
    -------
    ndarray of shape (n, k)
        ``log weights[j] + log N(z_n; means[j], variances[j])``, in nats. Its
        softmax over a row are the component's responsibilities.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> float(log_joint(Mixture(one[0], 0 * one, one, 0.0), 0 * one)[0, 0]).__round__(4)
    -0.9189
    """
    shift = mixture.weights @ mixture.means
    rows, means = z - shift, mixture.means - shift
    precisions = 1.0 / mixture.variances
    squares = (
        np.square(rows) @ precisions.T
        - 2.0 * rows @ (means * precisions).T
        + (np.square(means) * precisions).sum(axis=1)
    )
    scales = np.log(2.0 * np.pi * mixture.variances).sum(axis=1)
    joint: np.ndarray = np.log(mixture.weights) - 0.5 * (np.maximum(squares, 0.0) + scales)
    return joint


def posterior(mixture: Mixture, z: np.ndarray) -> np.ndarray:
    """Return the probability of each component for each row.

    Parameters
    ----------
    mixture : Mixture
        The mixture.
    z : ndarray of shape (n, d)
        Finite features.

    Returns
    -------
    ndarray of shape (n, k)
        Rows on the simplex, computed in float64, in the dtype of ``z``; nan
        where a row lies so far out that all densities are 0.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((2, 1))
    >>> mixture = Mixture(np.array([0.25, 0.75]), np.array([[-1.0], [1.0]]), one, 0.0)
    >>> posterior(mixture, np.array([[0.0]]))
    array([[0.25, 0.75]])
    """
    found = np.empty((len(z), len(mixture.means)), dtype=z.dtype)
    for start in range(0, len(z), _ROWS):
        part = slice(start, start + _ROWS)
        with np.errstate(over="ignore", invalid="ignore"):
            found[part] = softmax(log_joint(mixture, z[part].astype(np.float64)), axis=1)
    return found


def _describe(rows: np.ndarray, share: np.ndarray, found: Partition) -> Mixture:
    """Return shares, means and variances of the clusters of k-means."""
    members = np.eye(len(found.centers))[found.labels]
    return _moments(rows, share, members)._replace(score=-found.inertia)


def _maximise(rows: np.ndarray, share: np.ndarray, found: Partition) -> Mixture:
    """Go on by EM from the clusters of k-means."""
    mixture, before = _describe(rows, share, found), -np.inf
    for _ in range(_MOST_ITERATIONS):
        joint = log_joint(mixture, rows)
        most = joint.max(axis=1, keepdims=True)
        members = np.exp(joint - most)
        total = members.sum(axis=1, keepdims=True)
        likelihood = float(share @ (most + np.log(total)).ravel())
        mixture = mixture._replace(score=likelihood)
        if likelihood - before < _TOLERANCE:
            break
        mixture = _moments(rows, share, members / total)._replace(score=likelihood)
        before = likelihood
    return mixture


def _moments(rows: np.ndarray, share: np.ndarray, members: np.ndarray) -> Mixture:
    """Return the mixture with the moments of the members, without empty components."""
    heavy = share[:, None] * members
    mass = heavy.sum(axis=0)
    used = mass > np.finfo(np.float64).eps
    heavy, mass = heavy[:, used], mass[used]
    means = heavy.T @ rows / mass[:, None]
    squares = heavy.T @ np.square(rows) / mass[:, None] - np.square(means)
    spread = float((share @ np.square(rows)).mean())
    floor = _FLOOR * spread or float(np.finfo(np.float64).tiny)
    return Mixture(mass / mass.sum(), means, np.maximum(squares, 0.0) + floor, -np.inf)


MIXTURES: dict[str, Callable[[np.ndarray, np.ndarray, Partition], Mixture]] = {
    "gaussian": _maximise,
    "kmeans": _describe,
}
