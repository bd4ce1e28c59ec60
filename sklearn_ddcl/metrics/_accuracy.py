"""Clustering accuracy: the best one-to-one naming of clusters by classes."""

from scipy import sparse
from scipy.optimize import linear_sum_assignment

from sklearn_ddcl.metrics._validation import check_label_pair, check_weights


def clustering_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Compute the share of samples whose cluster is matched to their class.

    Clusters carry no names, so each is first given at most one class, and each
    class at most one cluster, in the way that makes the share largest
    (Hungarian algorithm). Known as ACC; Eq. 45 of [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes: integers, booleans, strings or objects.
    y_pred : array-like of shape (n_samples,)
        Clusters, of the same kinds. A noise label such as -1 is a cluster like
        any other.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.

    Returns
    -------
    accuracy : float
        Between 0 (excluded) and 1. Below 1 whenever the numbers of classes and
        clusters differ, because the clusters left over are all counted wrong.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional, of unequal length, missing
        or not discrete; if the weights are negative or all zero.

    See Also
    --------
    hungarian_match : The matching itself.
    sklearn.metrics.cluster.contingency_matrix : The table it is computed from.

    Notes
    -----
    The expected value for random clusters is not 0 (about 1 / n_clusters for
    balanced classes); `adjusted_rand_score` is corrected for chance.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       2026.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import clustering_accuracy_score
    >>> clustering_accuracy_score(["a", "a", "b", "b"], [1, 1, 0, 1])
    0.75
    """
    (_, true), (_, pred) = check_label_pair(y_true, y_pred)
    weights = check_weights(sample_weight, len(true))
    table = _weighted_table(pred, true, weights)
    rows, columns = linear_sum_assignment(table, maximize=True)
    # Rounding can lift the ratio of two equal sums above 1.
    return float(min(table[rows, columns].sum() / weights.sum(), 1.0))


def hungarian_match(y_true, y_pred, *, sample_weight=None):
    """Match clusters to classes so that as many samples as possible agree.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes: integers, booleans, strings or objects.
    y_pred : array-like of shape (n_samples,)
        Clusters, of the same kinds.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights; None counts every sample once.

    Returns
    -------
    match : dict
        ``{cluster: class}`` in the order of the clusters. A cluster is absent
        when no class was left for it, or when it shares no sample with the
        class that was left. No class appears twice.

    Raises
    ------
    ValueError
        As `clustering_accuracy_score`.

    See Also
    --------
    clustering_accuracy_score : The share of samples that the match gets right.

    References
    ----------
    .. [1] H. W. Kuhn, "The Hungarian method for the assignment problem", Naval
       Research Logistics Quarterly 2 (1955), 83-97.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import hungarian_match
    >>> hungarian_match(["cat", "cat", "dog", "dog"], [1, 1, 0, 2])
    {0: 'dog', 1: 'cat'}
    """
    (classes, true), (clusters, pred) = check_label_pair(y_true, y_pred)
    table = _weighted_table(pred, true, check_weights(sample_weight, len(true)))
    pairs = zip(*linear_sum_assignment(table, maximize=True), strict=True)
    return {clusters[row]: classes[column] for row, column in pairs if table[row, column] > 0}


def _weighted_table(rows, columns, weights):
    """Sum the weights of each pair of codes into a dense (n_clusters, n_classes) table."""
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    return sparse.coo_array((weights, (rows, columns)), shape=shape).toarray()
