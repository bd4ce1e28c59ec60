"""The clusterer at the end of a Pipeline, and its records."""


def final_step(estimator):
    """Return the clusterer itself.

    Parameters
    ----------
    estimator : estimator instance
        A clusterer, or a Pipeline that ends in one.

    Returns
    -------
    clusterer : estimator instance
        The last step of a Pipeline; anything else as it is.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ddcl.utils import final_step
    >>> final_step(make_pipeline(KMeans(3)))
    KMeans(n_clusters=3)
    """
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def estimator_history(estimator):
    """Return the records of a fitted clusterer.

    Parameters
    ----------
    estimator : estimator instance
        With ``history_``, or a Pipeline that ends in such a one.

    Returns
    -------
    history : list of dict
        Its records.

    Raises
    ------
    ValueError
        If it has no ``history_``.

    Examples
    --------
    >>> from sklearn_ddcl import DDCLClustering
    >>> from sklearn_ddcl.utils import estimator_history
    >>> ddcl = DDCLClustering(2, backbone=None, random_state=0).fit([[0.0], [1.0], [2.0]])
    >>> estimator_history(ddcl) is ddcl.history_
    True
    """
    final = final_step(estimator)
    if not hasattr(final, "history_"):
        raise ValueError(
            f"estimator must be fitted and have history_, got {type(final).__name__}."
        )
    return final.history_
