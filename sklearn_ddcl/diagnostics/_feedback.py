"""Separation of the prototypes and concentration of the assignments over a fit."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.diagnostics._records import read_history


class SeparationConcentration(NamedTuple):
    """S, K and I of each record that has them, as `separation_concentration` returns them.

    Attributes
    ----------
    epochs : ndarray of shape (n_rows,)
        Numbers of the records.
    separation : ndarray of shape (n_rows,)
        S, mean squared distance between prototypes, squared units of the
        features.
    concentration : ndarray of shape (n_rows,)
        K, mean over samples of the sum of squared assignments, from 1 over the
        number of prototypes to 1.
    force : ndarray of shape (n_rows,)
        I = 1 - K, how much samples are shared.
    correlation : float
        Pearson's r between S and K; NaN if either is constant.
    """

    epochs: np.ndarray
    separation: np.ndarray
    concentration: np.ndarray
    force: np.ndarray
    correlation: float


def separation_concentration(history, *, phases=None):
    """Return separation, concentration and force over a fit, and how S and K go together.

    The paper takes correlations near -1 and near +1 alike as a sign of feedback
    between the two; while the temperature falls both rise, whatever else
    happens. So r tells in which direction S and K went together, and no more.

    Parameters
    ----------
    history : estimator instance or list of dict
        A fitted clusterer with ``history_``, a Pipeline that ends in one, or
        its records.
    phases : list of str, default=None
        Phases to look at; None takes all.

    Returns
    -------
    feedback : SeparationConcentration
        Columns over the records that have both.

    Raises
    ------
    ValueError
        If no record has them, or a phase is not in the records.

    References
    ----------
    DDCL paper, Theorem 2 and Section 7.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClustering
    >>> from sklearn_ddcl.diagnostics import separation_concentration
    >>> X = load_iris().data
    >>> ddcl = DDCLClustering(3, backbone=None, random_state=0).fit(X)
    >>> feedback = separation_concentration(ddcl, phases=["annealing"])
    >>> feedback.correlation > 0.5
    True
    """
    records = read_history(history)
    if phases is not None:
        single = isinstance(phases, str) or not hasattr(phases, "__iter__")
        listed = [phases] if single else phases
        records = _only(records, list(listed))
    epochs, (separation, concentration) = records.rows("separation", "concentration")
    return SeparationConcentration(
        epochs,
        separation,
        concentration,
        1 - concentration,
        _pearson(separation, concentration),
    )


def _only(records, phases):
    """Return the records of some phases."""
    wrong = [name for name in phases if name not in records.phase_names]
    if wrong or not phases:
        raise ValueError(f"phases must be some of {records.phase_names}, got {phases}.")
    rows = np.isin(records.phases, [records.phase_names.index(name) for name in phases])
    columns = {name: column[rows] for name, column in records.columns.items()}
    return records._replace(
        epochs=records.epochs[rows], phases=records.phases[rows], columns=columns
    )


def _pearson(first, second):
    """Return Pearson's correlation as a float; NaN for constants."""
    with np.errstate(over="ignore"):
        constant = np.ptp(first) == 0 or np.ptp(second) == 0
    if constant or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("nan")
    a, b = ((column - column.mean()) / np.abs(column).max() for column in (first, second))
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length > 0 else float("nan")
