"""The marginal assignment: how many samples each cluster receives, in all."""

import numpy as np

from sklearn_ddcl.metrics._validation import check_assignments, encode_labels

_KINDS = ("hard", "soft")


def marginal_sizes(assignments, kind, name="assignments"):
    """Return the number of samples of each cluster.

    Parameters
    ----------
    assignments : array-like of shape (n_samples, n_clusters) or (n_samples,)
        Soft assignments with rows that sum to 1, or labels.
    kind : {"hard", "soft"}
        Whether each row goes to its largest entry as a whole, the first of
        equals, or in parts.
    name : str, default="assignments"
        Name of the argument, for the message.

    Returns
    -------
    sizes : ndarray of shape (n_clusters,)
        Numbers that sum to n_samples; of labels, only clusters in use.

    Raises
    ------
    ValueError
        If `kind` is not allowed, rows are no probabilities, or labels come with
        ``kind="soft"``.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}.")
    if np.ndim(assignments) != 1:
        soft = check_assignments(assignments)
        if kind == "soft":
            return soft.sum(axis=0)
        return np.bincount(soft.argmax(axis=1), minlength=soft.shape[1])
    if kind == "soft":
        raise ValueError(
            "kind='soft' needs assignments of shape (n_samples, n_clusters), "
            f"got labels of shape {np.shape(assignments)}."
        )
    return np.bincount(encode_labels(assignments, name)[1])
