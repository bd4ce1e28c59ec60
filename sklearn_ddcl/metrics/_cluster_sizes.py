"""How unequal the clusters are in size."""

from numbers import Integral

import numpy as np

from sklearn_ddcl.metrics._marginal import marginal_sizes


def cluster_size_variance(labels, n_clusters=None, *, normalize=True, kind="hard"):
    r"""Compute the variance of the cluster sizes (CVar), a sign of collapse.

    With sizes :math:`n_1, \dots, n_k` of mean :math:`n / k`,

    .. math:: \mathrm{CVar} = \frac{\mathrm{Var}(n_j)}{n / k}
              = n \Big( \sum_j (n_j / n)^2 - \frac{1}{k} \Big),

    the index of dispersion, in samples.

    Parameters
    ----------
    labels : array-like of shape (n_samples,) or (n_samples, n_clusters)
        Cluster of each sample, any discrete labels; or soft assignments with
        rows that sum to 1.
    n_clusters : int, default=None
        How many clusters were asked for. Those without a sample count as size
        0; None counts the clusters in use, or the columns of soft assignments.
    normalize : bool, default=True
        Divide the variance by the mean size, as in Table 1 of [1]_. False
        returns the plain (population) variance.
    kind : {"hard", "soft"}, default="hard"
        Of soft assignments: whether each row counts for its largest entry, the
        first of equals, or in parts ("soft variance" of Table 2).

    Returns
    -------
    variance : float
        Between 0 (equal sizes) and ``n_samples * (1 - 1 / n_clusters)`` (all
        samples in one cluster); without `normalize`, up to
        ``n_samples**2 * (n_clusters - 1) / n_clusters**2``.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional, missing or not discrete; if
        `n_clusters` is not an integer or is below the number in use; if rows of
        soft assignments are no probabilities, or labels come with ``kind="soft"``.

    See Also
    --------
    assignment_entropy : The same question in bits; works on soft assignments.

    Notes
    -----
    The paper says "variance in cluster size" and prints 54000 for a collapsed
    CIFAR-10 (60,000 images, 10 clusters), where the plain variance would be
    3.24e8. Division by the mean size gives its four collapsed figures (54000,
    59400, 54000, 11700) exactly, and its Table 2 agrees: for nearly equal sizes
    CVar = 424 corresponds to an entropy of 3.27 bits, as printed.

    References
    ----------
    .. [1] L. Mahon and T. Lukasiewicz, "Hard Regularization to Prevent Deep
       Online Clustering Collapse without Data Augmentation", AAAI 2024.

    Examples
    --------
    >>> from sklearn_ddcl.metrics import cluster_size_variance
    >>> cluster_size_variance([0, 0, 1, 1])
    0.0
    >>> cluster_size_variance([0, 0, 0, 0], n_clusters=2)
    2.0
    >>> cluster_size_variance([[0.6, 0.4], [0.6, 0.4]]), cluster_size_variance(
    ...     [[0.75, 0.25], [0.75, 0.25]], kind="soft")
    (1.0, 0.25)
    """
    sizes = marginal_sizes(labels, kind, "labels")
    used = len(sizes)
    if n_clusters is None:
        n_clusters = used
    elif isinstance(n_clusters, bool) or not isinstance(n_clusters, Integral):
        raise ValueError(f"n_clusters must be an integer or None, got {n_clusters!r}.")
    elif n_clusters < used:
        raise ValueError(
            f"n_clusters must be at least {used}, the number of distinct labels, got {n_clusters}."
        )
    sizes = np.pad(sizes.astype(np.float64), (0, n_clusters - used))
    variance = float(sizes.var())
    return variance / float(sizes.mean()) if normalize else variance
