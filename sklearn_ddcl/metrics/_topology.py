"""Topographic error: whether the edges follow the data."""

import numpy as np
from sklearn.utils import check_array

from sklearn_ddcl.metrics._nearest import nearest_two
from sklearn_ddcl.metrics._validation import check_samples_and_prototypes, check_weights


def topographic_error(X, prototypes, edges, *, sample_weight=None):
    """Compute the share of samples whose two nearest prototypes are not joined.

    The competitive Hebbian rule joins the first and the second winner of a
    sample [2]_; a graph that follows the data therefore has few samples whose
    two winners lie apart on it.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    prototypes : array-like of shape (n_prototypes, n_features)
        At least two prototypes in the same space.
    edges : {array-like, sparse matrix} of shape (n_prototypes, n_prototypes)
        Adjacency matrix: a non-zero entry at (i, j) or at (j, i) joins i and j.
        Counts and weights are accepted; the diagonal is not read.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.

    Returns
    -------
    error : float
        Between 0 (every pair of winners is joined) and 1 (none is).

    Raises
    ------
    ValueError
        If an input has NaN or infinite values or the wrong shape, if there is
        only one prototype, or if the weights are negative or all zero.

    See Also
    --------
    quantization_error : How well the prototypes stand for the samples.

    References
    ----------
    .. [1] K. Kiviluoto, "Topology preservation in self-organizing maps", IEEE
       International Conference on Neural Networks, 1996, 294-299.
    .. [2] T. Martinetz, "Competitive Hebbian learning rule forms perfectly
       topology preserving maps", ICANN 1993, 427-434.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import topographic_error
    >>> prototypes = [[0.0], [1.0], [2.0]]
    >>> edges = [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    >>> topographic_error([[0.1], [1.9]], prototypes, edges)
    0.5
    """
    X, prototypes = check_samples_and_prototypes(X, prototypes)
    if len(prototypes) < 2:
        raise ValueError("prototypes must have at least 2 rows, got 1.")
    joined = _edge_codes(edges, len(prototypes))
    weights = check_weights(sample_weight, X.shape[0])
    winners, _ = nearest_two(X, prototypes)
    apart = ~np.isin(winners[:, 0] * len(prototypes) + winners[:, 1], joined)
    return float(np.average(apart, weights=weights))


def _edge_codes(edges, n_prototypes):
    """Encode the joined ordered pairs (i, j) as ``i * n_prototypes + j``, both ways round."""
    edges = check_array(edges, accept_sparse="coo", input_name="edges")
    if edges.shape != (n_prototypes, n_prototypes):
        raise ValueError(
            f"edges must be an adjacency matrix of shape ({n_prototypes}, {n_prototypes}), "
            f"got shape {edges.shape}."
        )
    first, second = (index.astype(np.int64) for index in edges.nonzero())
    return np.concatenate([first * n_prototypes + second, second * n_prototypes + first])
