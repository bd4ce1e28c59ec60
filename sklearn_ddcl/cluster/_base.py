"""What all prototype-based estimators share once they are fitted."""

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ddcl.engine import assignments, distances, nearest, nearest_two
from sklearn_ddcl.metrics._silhouette import silhouette_from_nearest
from sklearn_ddcl.utils import check_weights


class PrototypeClusterer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Base of estimators that assign samples to the nearest fitted prototype.

    A subclass sets ``cluster_centers_``, ``labels_`` and ``temperature_`` in
    ``fit`` and has the parameters ``output`` and ``device``.
    """

    def predict(self, X):
        """Return the cluster of each sample: its nearest prototype.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Cluster numbers, int32.
        """
        check_is_fitted(self)
        if not sparse.issparse(X):
            unseen = self._check_new(X, ensure_all_finite=False)
            try:
                return nearest(unseen, self.cluster_centers_, self.device, check_finite=True)
            except FloatingPointError:  # now say what is not finite, unless it overflowed
                pass
        return nearest(self._check_new(X), self.cluster_centers_, self.device)

    def predict_proba(self, X):
        """Return soft assignments at the last temperature of the fit (Eq. 8).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, dense.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_active_clusters_)
            Non-negative, each row sums to 1. They express distances at
            ``temperature_``; they are not calibrated probabilities.

        Raises
        ------
        TypeError
            If X is sparse: scikit-learn's common checks take ``predict_proba``
            on sparse input as a classifier's. `transform` with
            ``output="assignments"`` gives the same array.
        """
        check_is_fitted(self)
        if sparse.issparse(X):
            raise TypeError(
                "predict_proba does not accept sparse X: pass X.toarray(), or use transform with "
                "output='assignments', which gives the same array and accepts sparse X."
            )
        return self._assignments(X)

    def _assignments(self, X):
        X = self._check_new(X)
        q = assignments(X, self.cluster_centers_, self.temperature_, self.device)
        return refuse_overflow(q)

    def transform(self, X):
        """Map samples to distances, features or soft assignments.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        X_new : ndarray
            Euclidean distances to the cluster centres of shape (n_samples,
            n_active_clusters_), as in KMeans; the features themselves where
            ``output="embedding"``, soft assignments where
            ``output="assignments"``.
        """
        check_is_fitted(self)
        if self.output not in self._OUTPUTS:
            raise ValueError(
                f"The 'output' parameter of {type(self).__name__} must be one of "
                f"{list(self._OUTPUTS)}. Got {self.output!r} instead."
            )
        return getattr(self, self._OUTPUTS[self.output])(X)

    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit, then transform the same samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        X_new : ndarray
            As `transform` returns.
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def encode(self, X):
        """Return the features in which samples are clustered.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        Z : ndarray or sparse array of shape (n_samples, n_latent_features)
            Latent features; for ``backbone=None`` a copy of the samples.
        """
        check_is_fitted(self)
        X = self._check_new(X)
        return X.copy()

    def score(self, X, y=None, sample_weight=None):
        """Return the mean simplified silhouette over clusters; greater is better.

        It rewards neither collapse nor needless splitting, which minus the
        inertia (KMeans' score) does: that picks the largest ``n_clusters`` of
        any search. Values from different latent spaces are not comparable
        without care; the scorers of :mod:`sklearn_ddcl.metrics` compare in the
        space of the input.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            Between -1 and 1; -1 with a `CollapseWarning` if fewer than two
            clusters are in use on ``X``.
        """
        check_is_fitted(self)
        X = self._check_new(X)
        found = nearest_two(X, self.cluster_centers_, self.device)
        refuse_overflow(found.first)
        weights = check_weights(sample_weight, X)
        return silhouette_from_nearest(*found, sample_weight=weights)

    def _check_new(self, X, **options):
        return validate_data(
            self,
            X,
            accept_sparse="csr",
            reset=False,
            dtype=[np.float64, np.float32],
            order="C",
            **options,
        )

    def _distances(self, X):
        X = self._check_new(X)
        return refuse_overflow(distances(X, self.cluster_centers_, self.device))

    _OUTPUTS = {  # noqa: RUF012  # a constant: names, so that subclasses may override
        "distances": "_distances",
        "embedding": "encode",
        "assignments": "_assignments",
    }

    @property
    def _n_features_out(self):
        """Number of columns of `transform`, for ``get_feature_names_out``."""
        return self.cluster_centers_.shape[int(self.output == "embedding")]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def refuse_overflow(result):
    """Return a result if it is finite.

    Parameters
    ----------
    result : ndarray
        Distances or assignments of finite samples.

    Returns
    -------
    result : ndarray
        The same array.

    Raises
    ------
    ValueError
        If samples are so far from the fitted prototypes that squared distances
        overflow.
    """
    if not np.isfinite(result).all():
        raise ValueError(
            "X has values so far from cluster_centers_ that squared distances overflow "
            f"{result.dtype}. Scale X as the training data were."
        )
    return result


def check_training_input(estimator, X, n_clusters):
    """Validate samples for ``fit``.

    Parameters
    ----------
    estimator : estimator
        Receives ``n_features_in_`` and ``feature_names_in_``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.
    n_clusters : int
        Number of clusters asked for.

    Returns
    -------
    X : ndarray or CSR array
        float32 or float64, rows contiguous; not copied where it is that already.

    Raises
    ------
    ValueError
        If X is no finite 2-D array of numbers or has fewer rows than clusters.
    """
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        order="C",
    )
    if X.shape[0] < n_clusters:
        raise ValueError(f"n_samples={X.shape[0]} should be >= n_clusters={n_clusters}.")
    return sparse.csr_array(X) if sparse.issparse(X) else X
