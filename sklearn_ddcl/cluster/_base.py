"""What all prototype-based estimators share once they are fitted."""

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklearn_ddcl.engine import assignments, distances, encode_rows, nearest, nearest_two
from sklearn_ddcl.metrics._silhouette import silhouette_from_nearest
from sklearn_ddcl.utils import check_weights


class PrototypeClusterer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Base of estimators that assign samples to the nearest fitted prototype.

    A subclass validates by `check_training_input` in ``fit`` and sets
    ``cluster_centers_``, ``labels_``, ``temperature_`` and ``module_`` there,
    and, unless each prototype of given features is a cluster of its own,
    ``prototypes_`` (m, d) with ``prototype_labels_`` (m,), the cluster of each,
    consecutive from 0. It has the parameters ``output`` and ``device``.

    ``input_shape_`` is the shape of a sample in training. With more than one
    axis, `n_features_in_` is the length of the first, as scikit-learn counts
    features of arrays of any dimension, and samples to come must have exactly
    that shape.
    """

    def predict(self, X):
        """Return the cluster of each sample: its nearest prototype.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, or an array of shape (n_samples, ...) as in training.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Cluster numbers, int32.
        """
        self._check_fitted()
        prototypes, groups = self._codebook()
        found = self._nearest(X, prototypes)
        return found if groups is None else groups[found]

    def _nearest(self, X, prototypes):
        if self.module_.takes_features and not sparse.issparse(X):
            unseen = self._check_new(X, ensure_all_finite=False)
            try:
                return nearest(unseen, prototypes, self.device, check_finite=True)
            except FloatingPointError:  # now say what is not finite, unless it overflowed
                pass
        return nearest(self._features(self._check_new(X)), prototypes, self.device)

    def predict_proba(self, X):
        """Return soft assignments at the last temperature of the fit (Eq. 8).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, dense, or an array of shape (n_samples, ...) as in training.

        Returns
        -------
        proba : ndarray of shape (n_samples, len(cluster_centers_))
            Non-negative, each row sums to 1: those of a cluster's prototypes
            added up. They express distances at ``temperature_``; they are not
            calibrated probabilities.

        Raises
        ------
        TypeError
            If X is sparse: scikit-learn's common checks take ``predict_proba``
            on sparse input as a classifier's. `transform` with
            ``output="assignments"`` gives the same array.
        """
        self._check_fitted()
        if sparse.issparse(X):
            raise TypeError(
                "predict_proba does not accept sparse X: pass X.toarray(), or use transform with "
                "output='assignments', which gives the same array and accepts sparse X."
            )
        return self._assignments(X)

    def _assignments(self, X):
        prototypes, groups = self._codebook()
        Z = self._features(self._check_new(X))
        q = assignments(Z, prototypes, self.temperature_, self.device, groups)
        return refuse_overflow(q)

    def transform(self, X):
        """Map samples to distances, features or soft assignments.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, or an array of shape (n_samples, ...) as in training.

        Returns
        -------
        X_new : ndarray
            Euclidean distances to the clusters of shape (n_samples,
            ``len(cluster_centers_)``), as in KMeans, that is to the nearest prototype
            of each in feature space; the features themselves where
            ``output="embedding"``, soft assignments where
            ``output="assignments"``.
        """
        self._check_fitted()
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
            Samples, or an array of shape (n_samples, ...) as in training.
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
            Samples, or an array of shape (n_samples, ...) as in training.

        Returns
        -------
        Z : ndarray or sparse array of shape (n_samples, n_latent_features)
            Latent features; for ``backbone=None`` a copy of the samples.
        """
        self._check_fitted()
        X = self._check_new(X)
        return X.copy() if self.module_.takes_features else self._features(X)

    def score(self, X, y=None, sample_weight=None):
        """Return the mean simplified silhouette over clusters; greater is better.

        A sample's distances are to the nearest prototype of its own cluster and
        to the nearest prototype of any other.

        It rewards neither collapse nor needless splitting, which minus the
        inertia (KMeans' score) does: that picks the largest ``n_clusters`` of
        any search. Values from different latent spaces are not comparable
        without care; the scorers of :mod:`sklearn_ddcl.metrics` compare in the
        space of the input.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, or an array of shape (n_samples, ...) as in training.
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
        self._check_fitted()
        prototypes, groups = self._codebook()
        Z = self._features(self._check_new(X))
        found = nearest_two(Z, prototypes, self.device, groups)
        refuse_overflow(found.first)
        weights = check_weights(sample_weight, Z)
        return silhouette_from_nearest(*found, sample_weight=weights)

    def _check_new(self, X, **options):
        options.update(accept_sparse="csr", dtype=[np.float64, np.float32], order="C")
        shape = getattr(self, "input_shape_", ())
        if len(shape) < 2:
            return validate_data(self, X, reset=False, **options)
        X = check_array(X, allow_nd=True, ensure_2d=False, estimator=self, **options)
        if X.shape[1:] != shape:
            raise ValueError(
                f"X must have the shape (n_samples, {', '.join(map(str, shape))}) that "
                f"{type(self).__name__} was fitted with. Got {X.shape} instead."
            )
        return X

    def _check_fitted(self):
        check_is_fitted(self)

    def _codebook(self):
        """Return the prototypes and the cluster of each, None where these are the same."""
        prototypes = getattr(self, "prototypes_", self.cluster_centers_)
        groups = getattr(self, "prototype_labels_", None)
        if groups is None or np.array_equal(groups, np.arange(len(prototypes))):
            return prototypes, None
        return prototypes, np.asarray(groups, dtype=np.int32)

    def _features(self, X):
        """Return the features of validated samples: themselves without a backbone."""
        if self.module_.takes_features:
            return X
        prototypes, _ = self._codebook()
        Z = encode_rows(self.module_.backbone, X, prototypes.dtype, self.device)
        if Z.shape[1] != prototypes.shape[1]:
            raise ValueError(
                f"The backbone of module_ must return as many features as prototypes_ have, "
                f"{prototypes.shape[1]}. Got {Z.shape[1]} instead."
            )
        return Z

    def _distances(self, X):
        prototypes, groups = self._codebook()
        Z = self._features(self._check_new(X))
        return refuse_overflow(distances(Z, prototypes, self.device, groups))

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


def check_training_input(estimator, X, n_clusters, allow_nd=False):
    """Validate samples for ``fit``.

    Parameters
    ----------
    estimator : estimator
        Receives ``n_features_in_``, ``feature_names_in_`` and ``input_shape_``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.
    n_clusters : int or None
        Number of clusters asked for; None, if the fit is to find it, takes at
        least 2 samples.
    allow_nd : bool, default=False
        Whether X may be an array of shape (n_samples, ...) with more axes.

    Returns
    -------
    X : ndarray or CSR array
        float32 or float64, rows contiguous; not copied where it is that already.

    Raises
    ------
    ValueError
        If X is no finite array of numbers of an allowed dimension or has fewer
        rows than clusters.
    """
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        order="C",
        allow_nd=allow_nd,
    )
    if 0 in X.shape:  # scikit-learn looks at two axes only
        raise ValueError(f"X must have at least one value in each sample, got shape {X.shape}.")
    least, told = (2, "2") if n_clusters is None else (n_clusters, f"n_clusters={n_clusters}")
    if X.shape[0] < least:
        raise ValueError(f"n_samples={X.shape[0]} should be >= {told}.")
    estimator.input_shape_ = X.shape[1:]
    return sparse.csr_array(X) if sparse.issparse(X) else X
