"""Clusters on the vertices of a hypercube, hidden among noise features."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ddcl.datasets._validation import check_integer, check_number


def make_madelon_clusters(
    n_samples=100,
    n_features=50,
    *,
    n_clusters=2,
    n_informative=5,
    separation=3.0,
    shuffle=True,
    random_state=None,
):
    """Draw Gaussian clusters at vertices of a hypercube, beside features of pure noise.

    In the style of MADELON [1]_: every cluster is a standard normal cloud
    around its own vertex of the cube with coordinates ``+- separation / 2`` in
    the informative features; all other features are standard normal noise. As
    `n_features` grows at fixed `n_samples`, noise drowns the distances: the
    high-dimensional experiments of [2]_ and [3]_.

    Parameters
    ----------
    n_samples : int, default=100
        Number of samples, shared out evenly between the clusters; the first
        clusters have one more where it does not divide. At least `n_clusters`.
    n_features : int, default=50
        Number of features in all, at least `n_informative`.
    n_clusters : int, default=2
        Number of clusters, at most ``2 ** n_informative``.
    n_informative : int, default=5
        Number of features in which the clusters differ.
    separation : float, default=3.0
        Edge length of the cube in standard deviations of a cluster; positive.
    shuffle : bool, default=True
        Put the features in random order. Otherwise the informative ones come
        first.
    random_state : int, RandomState instance or None, default=None
        Determines the vertices, the noise and the orders.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), dtype float64
        The samples, in random order.
    y : ndarray of shape (n_samples,), dtype int64
        The cluster of each sample, 0 to `n_clusters` - 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    See Also
    --------
    sklearn.datasets.make_classification : The full MADELON generator, with
        correlated, redundant and repeated features and flipped labels.

    References
    ----------
    .. [1] I. Guyon, "Design of experiments for the NIPS 2003 variable selection
       benchmark", 2003.
    .. [2] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological Gradient-based Competitive Learning", arXiv:2008.09477, 2020.
    .. [3] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       2026, section 7.3.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import make_madelon_clusters
    >>> X, y = make_madelon_clusters(100, 1000, random_state=0)
    >>> X.shape, y.shape
    ((100, 1000), (100,))
    """
    check_integer("n_informative", n_informative, 1)
    check_integer("n_features", n_features, n_informative)
    check_integer("n_clusters", n_clusters, 1, 2**n_informative)
    check_integer("n_samples", n_samples, n_clusters)
    check_number("separation", separation, minimum=0, closed=False)
    generator = check_random_state(random_state)
    vertices = separation * (_distinct_bits(n_clusters, n_informative, generator) - 0.5)
    y = generator.permutation(np.arange(n_samples) % n_clusters).astype(np.int64)
    X = generator.normal(size=(n_samples, n_features))
    X[:, :n_informative] += vertices[y]
    return (X[:, generator.permutation(n_features)] if shuffle else X), y


def _distinct_bits(n_rows, n_bits, generator):
    """Draw distinct rows of zeros and ones; `n_rows` is at most 2 ** n_bits."""
    if n_bits <= 16:
        chosen = generator.permutation(2**n_bits)[:n_rows]
        return (chosen[:, None] >> np.arange(n_bits)) & 1
    # Of so many vertices equal draws are rare; they are drawn again.
    rows: dict = {}
    while len(rows) < n_rows:
        rows[tuple(generator.randint(2, size=n_bits))] = None
    return np.array(list(rows))
