"""First and second nearest prototype of each sample, in blocks of rows."""

import numpy as np
from scipy import sparse

# 2 million float64 numbers, 16 MB: large enough for BLAS, small enough for any machine.
_BLOCK_ELEMENTS = 2**21


def nearest_two(X, prototypes):
    """Find the two nearest prototypes of each sample.

    Winners come from the expanded square (one matrix product a block); the
    distance to the first is then taken from the difference itself, so that it
    loses no digits when samples lie close to their prototype. The origin is
    moved to the prototypes' mean first, for data far from zero. No array of
    n_samples x n_prototypes entries, nor of three dimensions, is formed.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Finite samples; blocks are made dense.
    prototypes : ndarray of shape (n_prototypes, n_features), dtype float64
        Finite prototypes.

    Returns
    -------
    winners : ndarray of shape (n_samples, min(2, n_prototypes)), dtype intp
        Nearest first; of equals the lower number.
    squared : ndarray of shape (n_samples,), dtype float64
        Squared Euclidean distance to the first.
    """
    n_samples, n_features = X.shape
    n_prototypes = len(prototypes)
    centre = prototypes.mean(axis=0)
    shifted = prototypes - centre
    norms = np.einsum("kd,kd->k", shifted, shifted)
    winners = np.empty((n_samples, min(2, n_prototypes)), dtype=np.intp)
    squared = np.empty(n_samples)
    step = max(1, _BLOCK_ELEMENTS // (n_features + n_prototypes))
    for start in range(0, n_samples, step):
        rows = slice(start, start + step)
        block = X[rows].toarray() if sparse.issparse(X) else X[rows]
        block = block - centre
        # The sample's own square is the same for every prototype and decides nothing.
        scores = norms - 2.0 * (block @ shifted.T)
        first = scores.argmin(axis=1)
        winners[rows, 0] = first
        difference = block - shifted[first]
        squared[rows] = np.einsum("nd,nd->n", difference, difference)
        if n_prototypes > 1:
            scores[np.arange(len(first)), first] = np.inf
            winners[rows, 1] = scores.argmin(axis=1)
    return winners, squared
