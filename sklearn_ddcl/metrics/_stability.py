"""Stability under resampling: a score that needs neither classes nor a distance."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state, resample

from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics._agreement import adjusted_rand_score
from sklearn_ddcl.metrics._validation import predict_labels

_WORST = -1.0


class StabilityScorer:
    """Score a clusterer by how far refits on random halves agree with it.

    Each repeat fits a clone on a random part of `X`, predicts all of `X`, and
    compares with the prediction of the given estimator by the adjusted Rand
    index; the score is the mean [1]_. It costs `n_repeats` fits.

    Parameters
    ----------
    n_repeats : int, default=5
        Number of refits.
    fraction : float, default=0.5
        Share of the rows that each refit sees, drawn without replacement,
        between 0 (excluded) and 1.
    random_state : int, default=0
        Seed of the drawn rows and of the clones: every parameter of a clone
        named `random_state` is set from it, so that the score repeats.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    A single cluster agrees with itself perfectly; it therefore scores -1, with
    a `CollapseWarning`. The score tends to favour few clusters: compare like
    with like, or read it beside `silhouette_scorer`. `y` is never used.

    References
    ----------
    .. [1] U. von Luxburg, "Clustering stability: an overview", Foundations and
       Trends in Machine Learning 2 (2010), 235-274.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_ddcl.metrics import StabilityScorer
    >>> X, _ = make_blobs(60, centers=[[0, 0], [9, 9]], random_state=0)
    >>> scorer = StabilityScorer(n_repeats=3)
    >>> scorer(KMeans(2, random_state=0).fit(X), X)
    1.0
    """

    def __init__(self, n_repeats=5, *, fraction=0.5, random_state=0):
        if not _is_integer(n_repeats) or n_repeats < 1:
            raise ValueError(f"n_repeats must be an integer >= 1, got {n_repeats!r}.")
        if isinstance(fraction, bool) or not isinstance(fraction, Real) or not 0 < fraction <= 1:
            raise ValueError(f"fraction must be a number in (0, 1], got {fraction!r}.")
        if not _is_integer(random_state):
            raise ValueError(f"random_state must be an integer, got {random_state!r}.")
        self.n_repeats = n_repeats
        self.fraction = fraction
        self.random_state = random_state

    def __repr__(self):
        return (
            f"{type(self).__name__}(n_repeats={self.n_repeats}, fraction={self.fraction}, "
            f"random_state={self.random_state})"
        )

    def __call__(self, estimator, X, y=None):
        """Compute the stability of a fitted estimator on `X`.

        Parameters
        ----------
        estimator : estimator instance
            A fitted clusterer, or a Pipeline ending in one, with `predict`. It
            is cloned, never changed.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, ...)
            Samples that the estimator accepts; at least as many in the drawn
            part as the estimator needs.
        y : object, default=None
            Not used.

        Returns
        -------
        score : float
            Between -0.5 and 1, or -1, with a `CollapseWarning`, if `predict`
            returns a single cluster.

        Raises
        ------
        TypeError
            If the estimator has no `predict`.
        """
        reference = predict_labels(estimator, X)
        if len(np.unique(reference)) < 2:
            warnings.warn(
                "stability_scorer needs at least 2 clusters in use, got 1: the score is -1. "
                "The clustering collapsed, or n_clusters is 1.",
                CollapseWarning,
                stacklevel=2,
            )
            return _WORST
        generator = check_random_state(self.random_state)
        n_rows = max(2, round(self.fraction * len(reference)))
        scores = [
            adjusted_rand_score(reference, _refit(estimator, X, n_rows, generator).predict(X))
            for _ in range(self.n_repeats)
        ]
        return float(np.mean(scores))


def _is_integer(value):
    """Tell integers from booleans and everything else."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _refit(estimator, X, n_rows, generator):
    """Fit a reseeded clone of the estimator on random rows."""
    copy = clone(estimator)
    seeded = [
        name
        for name in sorted(copy.get_params(deep=True))
        if name == "random_state" or name.endswith("__random_state")
    ]
    copy.set_params(**{name: int(generator.randint(2**31 - 1)) for name in seeded})
    return copy.fit(resample(X, replace=False, n_samples=n_rows, random_state=generator))


#: The scorer with its defaults: five refits on halves.
stability_scorer = StabilityScorer()
