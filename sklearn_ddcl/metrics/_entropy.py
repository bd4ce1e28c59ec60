"""Entropy of the marginal assignment: how evenly the clusters are used."""

from numbers import Real

from scipy.stats import entropy

from sklearn_ddcl.metrics._marginal import marginal_sizes


def assignment_entropy(assignments, *, kind="hard", base=2):
    """Compute the entropy of the share of samples that each cluster receives.

    The soft entropy is that of the mean row of `assignments`; the hard entropy
    is that of the cluster frequencies after each row went to its largest entry.
    A model can have nearly the largest soft entropy and be collapsed all the
    same, when every row is almost uniform with the same winner; the hard
    entropy shows it (section 4.3 of [1]_).

    Parameters
    ----------
    assignments : array-like of shape (n_samples, n_clusters) or (n_samples,)
        Soft assignments with rows that sum to 1, or labels, which have a hard
        entropy only. Of equal largest entries in a row the first wins.
    kind : {"hard", "soft"}, default="hard"
        Which of the two.
    base : float, default=2
        Base of the logarithm, greater than 1; 2 gives bits.

    Returns
    -------
    entropy : float
        Between 0 (one cluster) and ``log(n_clusters)`` in the given base.

    Raises
    ------
    ValueError
        If `kind` or `base` is not allowed, if rows are no probabilities, or if
        labels come with ``kind="soft"``.

    See Also
    --------
    cluster_size_variance : The same question in samples.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.metrics import assignment_entropy
    >>> collapsed = np.tile([0.34, 0.33, 0.33], (4, 1))
    >>> assignment_entropy(collapsed)
    0.0
    >>> round(assignment_entropy(collapsed, kind="soft"), 2)
    1.58
    >>> assignment_entropy([0, 0, 1, 2])
    1.5
    """
    sizes = marginal_sizes(assignments, kind)
    if isinstance(base, bool) or not isinstance(base, Real) or not base > 1:
        raise ValueError(f"base must be a number greater than 1, got {base!r}.")
    return float(entropy(sizes, base=base))
