"""How unequal the clusters are in size."""

from numbers import Integral

import numpy as np

from sklearn_ddcl.metrics._validation import encode_labels


def cluster_size_variance(labels, n_clusters=None, *, normalize=True):
    r"""Compute the variance of the cluster sizes (CVar), a sign of collapse.

    With sizes :math:`n_1, \dots, n_k` of mean :math:`n / k`,

    .. math:: \mathrm{CVar} = \frac{\mathrm{Var}(n_j)}{n / k}
              = n \Big( \sum_j (n_j / n)^2 - \frac{1}{k} \Big),

    the index of dispersion, in samples.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Cluster of each sample; any discrete labels.
    n_clusters : int, default=None
        How many clusters were asked for. Those without a sample count as size
        0; None counts only the clusters in use.
    normalize : bool, default=True
        Divide the variance by the mean size, as in Table 1 of [1]_. False
        returns the plain (population) variance.

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
        `n_clusters` is not an integer or is below the number in use.

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
    """
    clusters, codes = encode_labels(labels, "labels")
    used = len(clusters)
    if n_clusters is None:
        n_clusters = used
    elif isinstance(n_clusters, bool) or not isinstance(n_clusters, Integral):
        raise ValueError(f"n_clusters must be an integer or None, got {n_clusters!r}.")
    elif n_clusters < used:
        raise ValueError(
            f"n_clusters must be at least {used}, the number of distinct labels, got {n_clusters}."
        )
    sizes = np.bincount(codes, minlength=n_clusters)
    variance = float(sizes.var())
    return variance / float(sizes.mean()) if normalize else variance
