"""A cross-validation splitter with one split, for searches over clusterings."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator, ShuffleSplit
from sklearn.utils.validation import check_consistent_length


class SingleSplit(BaseCrossValidator):
    """Split the samples once: train and test on all rows, or hold some out.

    A partition of the training rows is no prediction to be verified on other
    rows, and each fold of a K-fold split finds other clusters; a search over
    clusterings therefore usually fits and scores the same rows, once for each
    candidate.

    Parameters
    ----------
    test_size : float or int, default=None
        None trains and tests on all rows. A share in (0, 1), or a number of
        rows, is held out for the test and left out of training.
    random_state : int, default=0
        Seed of the rows held out. A fixed default, so that all candidates and
        all searches see the same split; not used if `test_size` is None.

    See Also
    --------
    sklearn.model_selection.ShuffleSplit : Several random splits.

    Notes
    -----
    With the default, a score that improves as the model grows (such as minus
    the inertia of k-means) always selects the largest model: use a score that
    does not, such as `sklearn_ddcl.metrics.silhouette_scorer`.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_ddcl.metrics import silhouette_scorer
    >>> from sklearn_ddcl.model_selection import SingleSplit
    >>> X, _ = make_blobs(60, centers=[[0, 0], [0, 9], [9, 0]], random_state=0)
    >>> search = GridSearchCV(
    ...     KMeans(random_state=0),
    ...     {"n_clusters": [2, 3, 4]},
    ...     scoring=silhouette_scorer,
    ...     cv=SingleSplit(),
    ... )
    >>> search.fit(X).best_params_
    {'n_clusters': 3}
    """

    def __init__(self, test_size=None, *, random_state=0):
        self.test_size = test_size
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Generate the one pair of training and test rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, ...)
            The samples; only their number is read.
        y : array-like of shape (n_samples,), default=None
            Not used, but must have the same length.
        groups : array-like of shape (n_samples,), default=None
            Not used, but must have the same length.

        Yields
        ------
        train : ndarray of shape (n_train,), dtype intp
            Row numbers for training.
        test : ndarray of shape (n_test,), dtype intp
            Row numbers for the score.

        Raises
        ------
        ValueError
            If there are no rows, if the lengths differ, or if `test_size`
            leaves no row for training or for the test.
        """
        check_consistent_length(X, y, groups)
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
        if n_samples == 0:
            raise ValueError("X must hold at least 1 sample to be split, got 0.")
        if self.test_size is None:
            yield np.arange(n_samples), np.arange(n_samples)
            return
        splitter = ShuffleSplit(1, test_size=self.test_size, random_state=self.random_state)
        for train, test in splitter.split(np.zeros(n_samples)):
            yield np.sort(train), np.sort(test)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X : object, default=None
            Not used.
        y : object, default=None
            Not used.
        groups : object, default=None
            Not used.

        Returns
        -------
        n_splits : int
            Always 1.
        """
        return 1
