"""What the pictures of the papers' claims share."""

from matplotlib import pyplot

# Okabe and Ito's palette: apart for all common forms of colour blindness.
BLUE, RED, GREEN, PINK, SKY, ORANGE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
)
MARKERS = "os^Dv<"


def new_figure(height=6.4):
    """Return an empty figure as wide as the page."""
    return pyplot.figure(figsize=(8.8, height), layout="constrained")


def panels(n_rows, n_columns, height=6.4):
    """Return a figure and its Axes."""
    figure = new_figure(height)
    axes = figure.subplots(n_rows, n_columns)
    for ax in axes.ravel():
        ax.tick_params(labelsize=8)
    return figure, axes


def name_axes(ax, title, x, y):
    """Write title and labels."""
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)


def mark(ax, x, text, height=0.98, **options):
    """Draw a vertical line with its name beside it."""
    ax.axvline(x, color="0.45", linewidth=1, linestyle=options.pop("linestyle", ":"))
    place = {"ha": "left", "va": "top", "fontsize": 7.5, "color": "0.3", **options}
    ax.annotate(text, (x, height), (3, 0), ax.get_xaxis_transform(), "offset points", **place)
