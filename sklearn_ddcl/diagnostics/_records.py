"""The records of a fit as columns of numbers over epochs."""

from numbers import Real
from typing import NamedTuple

import numpy as np

from sklearn_ddcl.utils import estimator_history


class History(NamedTuple):
    """Records of a fit as columns, as `read_history` returns them.

    Attributes
    ----------
    epochs : ndarray of shape (n_records,)
        Numbers of the records, strictly increasing.
    phases : ndarray of shape (n_records,), dtype int
        Position in `phase_names` of each record's phase.
    phase_names : list of str
        In the order of their first appearance.
    columns : dict of str to ndarray of shape (n_records,)
        The values of each key that has a finite one; NaN where a record has
        none.
    """

    epochs: np.ndarray
    phases: np.ndarray
    phase_names: list[str]
    columns: dict[str, np.ndarray]

    def where(self, *keys):
        """Tell which records have a finite value for each of some keys.

        Parameters
        ----------
        *keys : str
            Names of columns.

        Returns
        -------
        mask : ndarray of shape (n_records,), dtype bool
            The records.
        """
        return np.isfinite([self.columns[key] for key in keys]).all(axis=0)

    def rows(self, *keys):
        """Return the epochs and values of the records that have all of some keys.

        Parameters
        ----------
        *keys : str
            Names of columns.

        Returns
        -------
        epochs : ndarray of shape (n_rows,)
            Their epochs.
        values : list of ndarray of shape (n_rows,)
            One array a key.

        Raises
        ------
        ValueError
            If no record has them all.
        """
        known = all(key in self.columns for key in keys)
        rows = self.where(*keys) if known else np.zeros(len(self.epochs), bool)
        if not rows.any():
            present = [name for name, column in self.columns.items() if np.isfinite(column).any()]
            raise ValueError(
                f"history must have records with {', '.join(keys)}, got records with "
                f"{', '.join(present) or 'no numbers'}."
            )
        return self.epochs[rows], [self.columns[key][rows] for key in keys]


def read_history(history):
    """Turn the records of a fit into columns.

    Parameters
    ----------
    history : estimator instance or list of dict
        A fitted clusterer with ``history_``, a Pipeline that ends in one, or
        such records themselves. Keys may be missing from records; infinite
        values count as missing. Without ``epoch``, or where it does not
        increase, the records are numbered from 1.

    Returns
    -------
    history : History
        The columns.

    Raises
    ------
    ValueError
        If an estimator has no ``history_``, if there is no record, or one that
        is no dict, or a value that is no number.

    Examples
    --------
    >>> from sklearn_ddcl.diagnostics import read_history
    >>> history = read_history([{"phase": "pretext"}, {"phase": "joint", "loss": 2.0}])
    >>> history.phase_names, history.columns["loss"].tolist()
    (['pretext', 'joint'], [nan, 2.0])
    """
    records = estimator_history(history) if hasattr(history, "fit") else history
    records = _check_records(records)
    names = dict.fromkeys(key for record in records for key in record if key != "phase")
    table = {name: _column(records, name) for name in names}
    numbers = np.arange(1.0, len(records) + 1)
    epochs = table.pop("epoch", numbers)
    if not (np.diff(epochs, prepend=-np.inf) > 0).all():
        epochs = numbers
    given = [str(record.get("phase", "")) for record in records]
    phases = list(dict.fromkeys(given))
    columns = {name: column for name, column in table.items() if np.isfinite(column).any()}
    return History(epochs, np.array([phases.index(name) for name in given]), phases, columns)


def _check_records(records):
    """Return the records as a list of at least one dict."""
    if isinstance(records, dict) or not hasattr(records, "__iter__"):
        raise ValueError(f"history must be a list of records, got {type(records).__name__}.")
    records = list(records)
    if not records:
        raise ValueError(
            "history must have at least one record, got none: a fit that trains nothing, as that "
            "of joined prototypes on given features, leaves none."
        )
    wrong = [number for number, record in enumerate(records) if not isinstance(record, dict)]
    if wrong:
        kind = type(records[wrong[0]]).__name__
        raise ValueError(f"history[{wrong[0]}] must be a record (dict), got {kind}.")
    return records


def _column(records, name):
    """Return one value a record, NaN where there is no finite one."""
    column = np.full(len(records), np.nan)
    for number, record in enumerate(records):
        value = record.get(name)
        if value is None:
            continue
        if not isinstance(value, Real | np.bool_):
            raise ValueError(f"history[{number}][{name!r}] must be a number, got {value!r}.")
        column[number] = value
    column[~np.isfinite(column)] = np.nan
    return column
