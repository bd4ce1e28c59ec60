"""Agreement of two partitions without a matching of their labels."""

from sklearn import metrics as sklearn_metrics

from sklearn_ddcl.metrics._validation import check_label_pair


def normalized_mutual_info_score(y_true, y_pred, *, average_method="geometric"):
    """Compute the mutual information of two partitions over their mean entropy.

    scikit-learn's function with the default of the DDCL paper [1]_, the
    geometric mean, and with the label checks of this module. The numbers of
    classes and clusters may differ.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes: integers, booleans, strings or objects.
    y_pred : array-like of shape (n_samples,)
        Clusters, of the same kinds.
    average_method : {"min", "geometric", "arithmetic", "max"}, default="geometric"
        How the two entropies are averaged. scikit-learn's own default is
        "arithmetic", which is never larger than "geometric".

    Returns
    -------
    nmi : float
        Between 0 (independent) and 1 (equal up to names). Not corrected for
        chance: it grows with the number of clusters.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional, of unequal length, missing
        or not discrete; if `average_method` is unknown.

    See Also
    --------
    sklearn.metrics.normalized_mutual_info_score : The function underneath.
    adjusted_rand_score : Corrected for chance.

    References
    ----------
    .. [1] G. Cirrincione, "Deep Dual Competitive Learning", arXiv:2604.01740,
       2026, section 7.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import normalized_mutual_info_score
    >>> round(normalized_mutual_info_score([0, 0, 1, 1], [0, 0, 1, 2]), 3)
    0.816
    """
    (_, true), (_, pred) = check_label_pair(y_true, y_pred)
    return float(
        sklearn_metrics.normalized_mutual_info_score(true, pred, average_method=average_method)
    )


def adjusted_rand_score(y_true, y_pred):
    """Compute the Rand index of two partitions, corrected for chance.

    scikit-learn's function with the label checks of this module.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes: integers, booleans, strings or objects.
    y_pred : array-like of shape (n_samples,)
        Clusters, of the same kinds.

    Returns
    -------
    ari : float
        Between -0.5 and 1; near 0 for random labels, 1 for partitions that are
        equal up to names.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional, of unequal length, missing
        or not discrete.

    See Also
    --------
    sklearn.metrics.adjusted_rand_score : The function underneath.
    normalized_mutual_info_score : Not corrected for chance.

    References
    ----------
    .. [1] L. Hubert and P. Arabie, "Comparing partitions", Journal of
       Classification 2 (1985), 193-218.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import adjusted_rand_score
    >>> adjusted_rand_score(["a", "a", "b", "b"], [1, 1, 0, 0])
    1.0
    """
    (_, true), (_, pred) = check_label_pair(y_true, y_pred)
    return float(sklearn_metrics.adjusted_rand_score(true, pred))
