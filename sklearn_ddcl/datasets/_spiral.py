"""Archimedean spirals in the plane."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ddcl.datasets._validation import check_integer, check_number

# Fine enough that the arc length between nodes is a straight line for all purposes.
_NODES_PER_TURN = 2000


def make_archimedean_spiral(
    n_samples=500, *, n_arms=1, n_turns=2.0, inner_radius=0.1, noise=0.0, random_state=None
):
    r"""Draw samples from an Archimedean spiral of one or more arms.

    On an arm the radius grows in proportion to the angle,
    :math:`r = r_0 + (1 - r_0) t` at the angle :math:`2 \pi n_{turns} t` for
    :math:`t` from 0 to 1; arms are rotated copies. Samples are uniform in arc
    length, so that the density is the same inside and outside.

    Parameters
    ----------
    n_samples : int, default=500
        Number of samples, shared out evenly between the arms; the first arms
        have one more where it does not divide. At least `n_arms`.
    n_arms : int, default=1
        Number of arms. One, a single curve to be quantised, is the data set of
        [1]_; two interleaved arms are the clusters of [2]_.
    n_turns : float, default=2.0
        How often an arm winds around the origin; positive.
    inner_radius : float, default=0.1
        Radius at which an arm begins, in [0, 1). Arms meet in the origin if 0.
    noise : float, default=0.0
        Standard deviation of Gaussian noise added to both coordinates. Without
        noise all samples lie in the unit disc.
    random_state : int, RandomState instance or None, default=None
        Determines the positions, the noise and the order of the samples.

    Returns
    -------
    X : ndarray of shape (n_samples, 2), dtype float64
        The samples, in random order.
    y : ndarray of shape (n_samples,), dtype int64
        The arm of each sample, 0 to `n_arms` - 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    .. [1] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological Gradient-based Competitive Learning", arXiv:2008.09477, 2020.
    .. [2] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       2026, section 7.1.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import make_archimedean_spiral
    >>> X, y = make_archimedean_spiral(300, n_arms=2, random_state=0)
    >>> X.shape, y.shape
    ((300, 2), (300,))
    """
    check_integer("n_arms", n_arms, 1)
    check_integer("n_samples", n_samples, n_arms)
    check_number("n_turns", n_turns, minimum=0, closed=False)
    check_number("inner_radius", inner_radius, minimum=0, below=1)
    check_number("noise", noise, minimum=0)
    generator = check_random_state(random_state)
    arms = generator.permutation(np.arange(n_samples) % n_arms)
    t = _uniform_in_arc_length(generator.uniform(size=n_samples), n_turns, inner_radius)
    radius = inner_radius + (1 - inner_radius) * t
    angle = 2 * np.pi * (n_turns * t + arms / n_arms)
    X = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return X + noise * generator.normal(size=X.shape), arms.astype(np.int64)


def _uniform_in_arc_length(shares, n_turns, inner_radius):
    """Return the curve parameters at which the given shares of the length are reached."""
    t = np.linspace(0, 1, int(np.ceil(_NODES_PER_TURN * n_turns)) + 1)
    points = (inner_radius + (1 - inner_radius) * t) * np.exp(2j * np.pi * n_turns * t)
    length = np.concatenate([[0.0], np.abs(np.diff(points)).cumsum()])
    return np.interp(shares, length / length[-1], t)
