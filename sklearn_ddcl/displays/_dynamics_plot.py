"""The panels of training: curves over epochs, and separation against concentration."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.displays._matplotlib import cluster_colors, drawn_gaps, place_legend

_TEXT = 8
_NUMBER_GAP = 8.0
_SHADE = "0.93"
_STYLES = ("-", "--", ":", "-.")
_MARKERS = "os^Dv<"
_MOST_MARKED, _MOST_ARROWS = 60, 8
# Share of a panel's height that a line of the legend takes above the curves.
_LEGEND_ROOM = 0.15
_LABELS = {
    "loss_quantization": "quantization $L_q$",
    "loss_ols": "OLS part $L_{OLS}$",
    "variance": "variance $V$",
    "loss_cross_entropy": "cross-entropy (nats)",
    "loss_pretext": "loss of the pretext task",
    "temperature": "temperature $T$",
    "n_active": "active prototypes",
    "n_edges": "edges",
    "nmi_previous": "NMI with the epoch before",
    "label_change": "share of samples that moved",
}
_KINETIC = ("concentration", "separation")


class Panel(NamedTuple):
    """What a panel shows.

    Attributes
    ----------
    title : str
        Its title.
    keys : tuple of str
        The keys that it draws.
    draw : callable
        Takes the history, the keys that are there and the Axes; returns its
        artists by name.
    needs_all : bool, default=False
        Whether all keys must be there; else one is enough.
    """

    title: str
    keys: tuple[str, ...]
    draw: object
    needs_all: bool = False


def draw_curves(history, keys, ax):
    """Draw values over epochs; phases beside each other, the one shaded, the next not.

    Parameters
    ----------
    history : History
        The records.
    keys : list of str
        Keys of the columns to draw.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    artists : dict of str to matplotlib Line2D
        One curve a key, with the epochs at which it is known.
    """
    colors = cluster_colors(len(_STYLES))
    artists = {}
    for key, color, style in zip(keys, colors, _STYLES, strict=False):
        known = history.where(key)
        options = {"color": color, "linestyle": style, "label": _LABELS[key]}
        options["marker"] = "." if known.sum() <= _MOST_MARKED else None
        values = history.epochs[known], history.columns[key][known]
        (artists[key],) = ax.plot(*values, linewidth=1.8, markersize=4, **options)
    ax.set_xlabel("epoch", fontsize=_TEXT)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(artists) == 1:
        ax.set_ylabel(_LABELS[next(iter(artists))], fontsize=_TEXT)
    else:
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom, top + _LEGEND_ROOM * len(artists) * (top - bottom))
        place_legend(ax, False)
    if len(history.phase_names) > 1:
        drawn = np.any([history.where(key) for key in keys], axis=0)
        _shade_phases(history, drawn, ax)
    return artists


def draw_counts(history, keys, ax):
    """Draw whole numbers over epochs, from 0 upwards.

    Parameters
    ----------
    history : History
        The records.
    keys : list of str
        Keys of the columns to draw.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    artists : dict of str to matplotlib Line2D
        One curve a key.
    """
    artists = draw_curves(history, keys, ax)
    ax.set_ylim(bottom=0)
    ax.yaxis.get_major_locator().set_params(integer=True)
    return artists


def _shade_phases(history, drawn, ax):
    """Shade every second phase; write above the Axes their numbers, and below their names."""
    starts = np.flatnonzero(np.diff(history.phases, prepend=-1))
    stops = np.append(starts[1:], len(history.phases))
    runs = [(start, stop) for start, stop in zip(starts, stops, strict=True)
            if drawn[start:stop].any()]  # fmt: skip
    middles = (history.epochs[1:] + history.epochs[:-1]) / 2
    borders = np.concatenate([[history.epochs[0] - 0.5], middles, [history.epochs[-1] + 0.5]])
    phases = [history.phases[start] for start, _ in runs]
    bands = np.array([[borders[start], borders[stop]] for start, stop in runs])
    for phase, band in zip(phases, bands, strict=True):
        if phase % 2:
            ax.axvspan(*band, color=_SHADE, linewidth=0, zorder=0)
    ax.set_xlim(bands.min(), bands.max())
    centres = bands.mean(axis=1)
    gaps = drawn_gaps(np.column_stack([centres, np.full(len(runs), ax.get_ylim()[0])]), ax)
    written = []
    for place, (phase, centre) in enumerate(zip(phases, centres, strict=True)):
        if (gaps[place, written] > _NUMBER_GAP).all():
            written.append(place)
            style = {"ha": "center", "va": "bottom", "fontsize": _TEXT - 1}
            ax.text(centre, 1.01, str(phase + 1), transform=ax.get_xaxis_transform(), **style)
    ax.set_xlabel(f"epoch\n{_phase_list(history, sorted(set(phases)))}", fontsize=_TEXT)


def _phase_list(history, phases):
    """Name phases by their numbers, at most three a line."""
    words = [f"{phase + 1} {history.phase_names[phase]}" for phase in phases]
    lines = [", ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    return "phases: " + ",\n".join(lines)


def draw_correlation(history, keys, ax):
    """Scatter separation against concentration, one point a record.

    Parameters
    ----------
    history : History
        The records.
    keys : tuple of str
        "concentration" and "separation".
    ax : matplotlib Axes
        Where to draw. Its title gets Pearson's r.

    Returns
    -------
    artists : dict of str to matplotlib PathCollection
        The points of each phase.
    """
    known = history.where(*keys)
    x, y = (history.columns[key] for key in keys)
    names, colors = history.phase_names, cluster_colors(len(history.phase_names))
    artists = {}
    for phase in np.unique(history.phases[known]):
        rows = known & (history.phases == phase)
        artists[names[phase]] = ax.scatter(
            x[rows], y[rows], s=22, color=colors[phase], marker=_MARKERS[phase % len(_MARKERS)],
            alpha=0.8, linewidths=0, label=names[phase],
        )  # fmt: skip
    _name_kinetic_axes(ax)
    if len(artists) > 1:
        place_legend(ax, False)
    r = pearson(x[known], y[known])
    text = "is not defined" if np.isnan(r) else f"= {r:.2f}"
    ax.set_title(f"S against K, Pearson's r {text}")
    return artists


def pearson(x, y):
    """Correlate two columns.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Finite values.

    Returns
    -------
    r : float
        From -1 to 1; NaN where one of them is constant.
    """
    if len(x) < 2 or not (np.ptp(x) > 0 and np.ptp(y) > 0):
        return np.nan
    centred = [(part - part.min()) / np.ptp(part) for part in (x, y)]
    return float(np.corrcoef(*centred)[0, 1])


def draw_portrait(history, keys, ax):
    """Draw the path of concentration and separation, with arrows in the direction of time.

    Parameters
    ----------
    history : History
        The records.
    keys : tuple of str
        "concentration" and "separation".
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    artists : dict
        "path", "start" and "end", a matplotlib Line2D each, and "arrows", a
        list of Annotation.
    """
    known = history.where(*keys)
    path = np.column_stack([history.columns[key][known] for key in keys])
    artists = {"path": ax.plot(*path.T, color="0.35", linewidth=1.2)[0]}
    colors = cluster_colors(2)
    for name, point, color, marker in zip(
        ("start", "end"), path[[0, -1]], colors, "os", strict=True
    ):
        (artists[name],) = ax.plot(
            *point,
            marker=marker,
            color=color,
            markersize=7,
            linestyle="none",
            label=name,
            zorder=3,
        )
    arrow = {
        "arrowstyle": "-|>",
        "color": "0.35",
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 11,
    }
    artists["arrows"] = [
        ax.annotate("", path[stop], path[stop - 1], arrowprops=arrow)
        for stop in _arrow_heads(path)
    ]
    _name_kinetic_axes(ax)
    place_legend(ax, False)
    return artists


def _arrow_heads(path):
    """Choose records to which arrows point, evenly along the path as it is drawn."""
    extent = np.ptp(path, axis=0)
    steps = np.diff(path, axis=0) / np.where(extent > 0, extent, 1.0)
    lengths = np.linalg.norm(steps, axis=1)
    travelled = np.cumsum(lengths)
    if not len(travelled) or travelled[-1] == 0:
        return np.empty(0, dtype=int)
    targets = (np.arange(_MOST_ARROWS) + 0.5) / _MOST_ARROWS * travelled[-1]
    return np.unique(np.searchsorted(travelled, targets)) + 1


def _name_kinetic_axes(ax):
    ax.set_xlabel("concentration $K$", fontsize=_TEXT)
    ax.set_ylabel("separation $S$", fontsize=_TEXT)


PANELS = {
    "loss": Panel(
        "Loss",
        ("loss_quantization", "loss_ols", "variance", "loss_cross_entropy"),
        draw_curves,
    ),
    "pretext": Panel("Pretext task (warm-up)", ("loss_pretext",), draw_curves),
    "correlation": Panel("", _KINETIC, draw_correlation, needs_all=True),
    "phase_portrait": Panel("Phase portrait", _KINETIC, draw_portrait, needs_all=True),
    "temperature": Panel("Temperature", ("temperature",), draw_curves),
    "active": Panel("Active prototypes", ("n_active", "n_edges"), draw_counts),
    "change": Panel("Change of the partition", ("nmi_previous", "label_change"), draw_curves),
}


def panel_keys(history, name):
    """Return the keys of a panel that a history has.

    Parameters
    ----------
    history : History
        The records.
    name : str
        A key of `PANELS`.

    Returns
    -------
    keys : list of str
        Empty where the panel cannot be drawn.
    """
    panel = PANELS[name]
    if panel.needs_all:
        drawn = set(panel.keys) <= set(history.columns) and history.where(*panel.keys).any()
        return list(panel.keys) if drawn else []
    return [key for key in panel.keys if key in history.columns]
