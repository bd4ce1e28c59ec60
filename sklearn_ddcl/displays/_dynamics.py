"""Display of what happened during a fit."""

import numpy as np

from sklearn_ddcl.diagnostics import read_history
from sklearn_ddcl.displays._dynamics_plot import PANELS, panel_keys
from sklearn_ddcl.displays._matplotlib import import_pyplot, one_axes_each
from sklearn_ddcl.utils import estimator_history

_MOST_COLUMNS, _PANEL_INCHES = 3, (3.6, 3.0)


class TrainingDynamicsDisplay:
    """Losses, separation, concentration, temperature and prototypes during a fit.

    Each panel shows a part of the records in ``history_``. Phases of training
    are shaded in turn and numbered above a panel; their names stand below it.
    Use `from_estimator`, or give records of your own.

    ================== =====================================================
    Panel              Shows
    ================== =====================================================
    "loss"             Over epochs, :math:`L_q` and its parts
                       :math:`L_{OLS}` and V, or the cross-entropy
    "pretext"          The loss of the warm-up's task over epochs
    "correlation"      Separation S against concentration K, with Pearson's
                       r over all records drawn
    "phase_portrait"   The path of K and S, with its direction
    "temperature"      T over epochs
    "active"           Active prototypes, and edges between prototypes
    "change"           Agreement with the epoch before, and the share of
                       samples that changed their cluster
    ================== =====================================================

    Parameters
    ----------
    history : list of dict
        Records as in ``history_``; keys may be missing from some or all.
        Values that are NaN or infinite are not drawn.

    Attributes
    ----------
    panels_ : tuple of str
        Names of the panels drawn.
    axes_ : ndarray of Axes of shape (n_panels,)
        The Axes drawn on, in the order of `panels_`.
    artists_ : dict of str to dict
        What was drawn in each panel: curves by their keys, points by their
        phases, and "path", "start", "end" and "arrows" of the portrait.
    figure_ : matplotlib Figure
        The figure drawn on.

    See Also
    --------
    PrototypeDisplay : What the fit ended with.

    Examples
    --------
    >>> from sklearn_ddcl.displays import TrainingDynamicsDisplay
    >>> records = [{"epoch": 1, "temperature": 2.0}, {"epoch": 2, "temperature": 1.0}]
    >>> display = TrainingDynamicsDisplay(records).plot()
    >>> display.panels_
    ('temperature',)
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, panels=None, ax=None):
        """Draw the records of a fitted clusterer.

        Parameters
        ----------
        estimator : estimator instance
            Fitted, with ``history_``; or a Pipeline that ends in such a one.
        panels : list of str, default=None
            Names of panels; None draws all for which there are records.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each panel; None makes a figure.

        Returns
        -------
        display : TrainingDynamicsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no records, if there are none for a panel that
            was asked for, or if the number of Axes differs from that of panels.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn_ddcl import DDCLClustering
        >>> from sklearn_ddcl.displays import TrainingDynamicsDisplay
        >>> X = load_digits().data
        >>> ddcl = DDCLClustering(10, backbone=None, random_state=0).fit(X)
        >>> TrainingDynamicsDisplay.from_estimator(ddcl).panels_
        ('loss', 'correlation', 'phase_portrait', 'temperature', 'active')
        """
        return cls(estimator_history(estimator)).plot(ax, panels=panels)

    def plot(self, ax=None, *, panels=None):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each panel; None makes a figure.
        panels : list of str, default=None
            Names of panels; None draws all for which there are records.

        Returns
        -------
        display : TrainingDynamicsDisplay
            This object, with the attributes that end in an underscore.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the history is no list of records, if there are none for a panel
            that was asked for, or if the number of Axes differs.
        """
        history = read_history(self.history)
        found = {name: keys for name in PANELS if (keys := panel_keys(history, name))}
        self.panels_ = _choose_panels(panels, tuple(found))
        self.axes_ = _panel_axes(ax, self.panels_)
        self.artists_ = {}
        for name, axes in zip(self.panels_, self.axes_, strict=True):
            axes.tick_params(labelsize=8)
            self.artists_[name] = PANELS[name].draw(history, found[name], axes)
            title = PANELS[name].title or axes.get_title()
            axes.set_title(title, fontsize=10, pad=14)
        self.figure_ = self.axes_[0].figure
        return self


def _choose_panels(panels, available):
    """Return the names of the panels to draw, in the order asked for."""
    if not available:
        raise ValueError("history must have records for at least one panel, got none of them.")
    if panels is None:
        return available
    panels = (panels,) if isinstance(panels, str) else tuple(panels)
    wrong = [name for name in panels if name not in available]
    if wrong or not panels:
        raise ValueError(
            f"panels must be some of {list(available)}, for which there are records, "
            f"got {list(panels)}."
        )
    return panels


def _panel_axes(ax, panels):
    """Return one Axes a panel."""
    pyplot = import_pyplot("TrainingDynamicsDisplay.plot")
    n_panels = len(panels)
    if ax is not None:
        return one_axes_each(ax, panels)
    n_columns = min(_MOST_COLUMNS, n_panels)
    n_rows = -(-n_panels // n_columns)
    size = (n_columns * _PANEL_INCHES[0], n_rows * _PANEL_INCHES[1])
    figure = pyplot.figure(figsize=size, layout="constrained")
    return np.array([figure.add_subplot(n_rows, n_columns, k + 1) for k in range(n_panels)])
