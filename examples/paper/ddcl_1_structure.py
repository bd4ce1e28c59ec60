"""DDCL 1: the decomposition, and who collapses, on four data sets in the plane (Section 7.1).

The paper does not say how its data were made. Standardised moons with ``random_state=42`` give its
ACC, NMI and ARI to all digits, and its two values of V, so these are the data. First prototypes
are random samples. Assignments are constants to the gradient, as in Eq. 29 and 30; the full
gradient is measured beside it.
"""

import numpy as np
import torch
from _descent import descend, near_the_mean, nearest, pearson, random_samples, violations
from _pictures import BLUE, GREEN, MARKERS, ORANGE, PINK, RED, mark, name_axes, new_figure
from evidence import Block, Claim, main, mean_and_deviation
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.datasets import make_archimedean_spiral
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import critical_temperature
from sklearn_ddcl.options import ConstantTemperature

DATA = {
    "moons": lambda: make_moons(300, noise=0.1, random_state=42),
    "circles": lambda: make_circles(300, noise=0.05, factor=0.5, random_state=42),
    "spiral": lambda: make_archimedean_spiral(300, n_arms=2, noise=0.02, random_state=42),
    "blobs": lambda: make_blobs(400, centers=4, random_state=42),
}
STARTS = {"samples": random_samples, "mean": near_the_mean}
# A run has collapsed if S is below this share of the mean squared distance of two samples.
COLLAPSED = 0.01
# An oscillation shows at least this many turns of I, each after a move of at least so much.
TURNS, TURN = 3, 1e-3
NEUTRAL = "Stop-gradient on L_OLS separates prototypes at every T, at the rate 2e/T"


def measure(seeds, absolute, relative, epochs):
    """Train for each data set, temperature, loss, gradient and start."""
    rows, broken, critical = [], [], {}
    for name, make in DATA.items():
        X, y = make()
        z = torch.from_numpy(StandardScaler().fit_transform(X))
        critical[name] = critical_temperature(z)
        for temperature in (*absolute, *(share * critical[name] for share in relative)):
            for way in ways(name, temperature in absolute):
                row, counts = train(z, y, seeds, epochs, temperature, way)
                place = {"data": name, "t": temperature, "share": temperature / critical[name]}
                rows.append({**place, **way, **row})
                broken.append(counts)
    columns = list(zip(*broken, strict=True))
    return {
        "rows": rows,
        "critical": critical,
        "absolute": absolute,
        "identity": sum(columns[0]),
        "sign": sum(columns[1]),
        "epochs": sum(columns[2]),
        "gap": max(columns[3]),
    }


def ways(name, in_paper):
    """Return what is trained at one temperature; near the mean for one comparison only."""
    begin = ["samples", "mean"] if name == "moons" and in_paper else ["samples"]
    return [
        {"loss": loss, "stop": stop, "start": start}
        for loss in ("quantization", "ols")
        for stop in (True, False)
        for start in begin
    ]


def train(z, y, seeds, epochs, temperature, way):
    """Train one run a seed; return figures, one a run, and counts of violations."""
    first = STARTS[way["start"]](z, int(y.max()) + 1, seeds)
    schedule = ConstantTemperature(temperature, relative=False)
    path = descend(z, first, way["loss"], schedule, epochs, way["stop"])
    terms, last = path.terms, path.prototypes[-1]
    spread = 2 * float(z.var(dim=0, correction=0).sum())
    return {
        "acc": np.array([clustering_accuracy_score(y, nearest(z, p)) for p in last]),
        "s": terms["separation"][-1].numpy(),
        "v": terms["variance"][-1].numpy(),
        "r": pearson(terms["separation"], terms["concentration"]).numpy(),
        "turns": np.array([turns(1 - column) for column in terms["concentration"].T.numpy()]),
        "collapsed": (terms["separation"][-1] < COLLAPSED * spread).numpy(),
    }, violations(terms)


def turns(values):
    """Count changes of direction, moves below `TURN` left out."""
    marks = [values[0]]
    for value in values:
        if abs(value - marks[-1]) >= TURN:
            marks.append(value)
    return int((np.diff(np.sign(np.diff(marks))) != 0).sum())


def pick(figures, key, **conditions):
    """Return a figure of all runs in rows that meet the conditions."""
    rows = (r for r in figures["rows"] if all(r[k] == v for k, v in conditions.items()))
    return np.concatenate([row[key] for row in rows])


def among(figures, temperatures, **conditions):
    """Return by temperature how many runs collapsed, in words, and the shares."""
    lost = [pick(figures, "collapsed", t=t, **conditions) for t in temperatures]
    words = ", ".join(f"{flags.sum()} of {len(flags)}" for flags in lost)
    return words, np.array([flags.mean() for flags in lost])


def claims(figures):
    """Compare with Section 7.1, Table 2, Fig. 2 and the list in Section 8.2."""
    return [
        *decomposition(figures),
        *collapse(figures),
        *feedback(figures),
        *accuracy(figures),
    ]


def decomposition(figures):
    """Theorem 1, and V over temperatures (points 1 and 2 of Section 8.2)."""
    moons = {"data": "moons", "loss": "quantization", "stop": True, "start": "samples"}
    ends = figures["absolute"][0], figures["absolute"][-1]
    v = [pick(figures, "v", t=t, **moons).mean() for t in figures["absolute"]]
    acc = [pick(figures, "acc", t=t, **moons).mean() for t in ends]
    hot = [r for r in figures["rows"] if r["loss"] == "quantization" and r["stop"]]
    falls = [name for name in DATA if not rising([r for r in hot if r["data"] == name])]
    tops = [peak([r for r in hot if r["data"] == name]) for name in DATA]
    peaks = f"{min(tops):.2g} to {max(tops):.2g}"
    count = f"{figures['epochs']:,} epochs"
    return [
        Claim(
            "Theorem 1: Lq = L_OLS + V at every epoch, all data sets and temperatures",
            "proved",
            f"largest gap {figures['gap']:.0e} of Lq; more than 1e-12 in {figures['identity']} of "
            f"{count}",
            figures["identity"] == 0,
            theorem=True,
        ),
        Claim(
            "V >= 0 at every epoch: zero violations in more than 10^5 epochs (Section 8.2, point "
            "1)",
            "0",
            f"{figures['sign']} of {count}, rounding below 1e-12 of Lq",
            figures["sign"] == 0,
            "The sign is that of Lq - L_OLS, as V itself is computed as a sum of squares.",
            theorem=True,
        ),
        Claim(
            f"V at the end of training grows with T, from T = {ends[0]} to {ends[1]} (moons; "
            "Section 8.2, point 2)",
            "0.010 to 0.206",
            " < ".join(f"{value:.3f}" for value in v),
            bool((np.diff(v) > 0).all()),
        ),
        Claim(
            "Meanwhile ACC is unchanged (moons)",
            "0.847, 0.847",
            f"{acc[0]:.3f}, {acc[1]:.3f}",
            abs(acc[1] - acc[0]) < 0.005,
        ),
        Claim(
            "V at the end of training is monotone in T, at any T",
            "confirmed",
            f"not on {', '.join(falls)}" if falls else "on all four data sets",
            not falls,
            f"V peaks at {peaks} Tc and falls from there, to 0 where prototypes meet above Tc.",
        ),
    ]


def peak(rows):
    """Return the relative temperature at which mean V is largest."""
    rows = [r for r in rows if r["start"] == "samples"]
    return max(rows, key=lambda row: row["v"].mean())["share"]


def rising(rows):
    """Tell whether the mean V never falls from one temperature to the next."""
    rows = sorted((r for r in rows if r["start"] == "samples"), key=lambda row: row["t"])
    return bool((np.diff([row["v"].mean() for row in rows]) >= 0).all())


def collapse(figures):
    """Propositions 5 to 7, Fig. 2 and point 3 of Section 8.2."""
    paper, last = figures["absolute"], figures["absolute"][-1]
    lq = {"loss": "quantization", "start": "samples"}
    ols = {"loss": "ols", "data": "moons", "start": "samples"}
    lost, shares = among(figures, paper, stop=True, **lq)
    full, whole = among(figures, paper, stop=False, **lq)
    ols_words, ols_shares = among(figures, paper, stop=True, **ols)
    ols_full = among(figures, paper, stop=False, **ols)[0]
    s = [pick(figures, "s", t=t, stop=True, **ols).mean() for t in paper]
    near = pick(figures, "s", **{**ols, "start": "mean"}, t=last, stop=True)
    circles = pick(figures, "collapsed", data="circles", loss="ols", t=0.5, stop=True)
    blobs = pick(figures, "collapsed", data="blobs", loss="ols", t=0.5, stop=True)
    temperatures = ", ".join(map(str, paper))
    return [
        Claim(
            f"Lq never collapses at T = {temperatures} (all data sets; Section 8.2, point 3)",
            "0 % of runs",
            f"{lost}; full gradient {full}",
            not shares.any() and not whole.any(),
        ),
        any_temperature(figures),
        Claim(
            f"L_OLS at T = {last} sees S decay to zero on moons (text, Table 2)",
            "S -> 0",
            f"S = {s[-1]:.2f}; started near the mean {near.mean():.2f}",
            bool(ols_shares[-1] == 1),
            f"{NEUTRAL}; the caption of Fig. 2 says that it diverges.",
        ),
        Claim(
            f"The share of collapsed runs of L_OLS grows with T, to 100 % at T = {last} (moons)",
            "100 %",
            f"{ols_words}; full gradient {ols_full}",
            bool((np.diff(ols_shares) >= 0).all() and ols_shares[-1] == 1),
            "In our runs it is V, the part that L_OLS lacks, that draws together.",
        ),
        Claim(
            "L_OLS diverges at high T (caption of Fig. 2, moons): its S grows with T",
            "diverges",
            " < ".join(f"{value:.2f}" for value in s),
            bool((np.diff(s) > 0).all()),
            "The text of the section says the opposite.",
        ),
        Claim(
            "L_OLS collapses on circles at T = 0.5 (Table 2)",
            "S -> 0",
            f"{circles.sum()} of {len(circles)} runs",
            bool(circles.all()),
            f"{NEUTRAL}.",
        ),
        Claim(
            "L_OLS does not collapse on blobs at T = 0.5 (Table 2)",
            "S > 0",
            f"{blobs.sum()} of {len(blobs)} runs",
            not blobs.any(),
        ),
    ]


def any_temperature(figures):
    """Collapse is an unstable saddle of Lq, whatever T: it is, below a critical one."""
    words = []
    for stop, bound in ((True, 1.0), (False, 2.0)):
        rows = [r for r in figures["rows"] if r["loss"] == "quantization" and r["stop"] == stop]
        for side in ("below", "above"):
            flags = [r["collapsed"] for r in rows if (r["share"] > bound) == (side == "above")]
            done = np.concatenate(flags or [np.zeros(0, dtype=bool)])
            words.append(f"{side} {bound:g} Tc {done.sum()} of {len(done)}")
    lost = pick(figures, "collapsed", loss="quantization")
    return Claim(
        "Collapse is an unstable saddle of Lq at any T: no run collapses (Proposition 6)",
        "0",
        f"stop-gradient: {', '.join(words[:2])}; full gradient: {', '.join(words[2:])}",
        not lost.any(),
        "Only below the critical temperature Tc = 2 x leading eigenvalue of the covariance "
        "(twice that for the full gradient), as all T of Section 7.1 are. A little above it, a "
        "run may need more epochs.",
    )


def feedback(figures):
    """Theorem 2 and point 4 of Section 8.2."""
    runs = {"loss": "quantization", "stop": True, "t": 0.5}
    r = {name: pick(figures, "r", data=name, start="samples", **runs) for name in DATA}
    mean = pick(figures, "r", data="moons", start="mean", **runs)
    count = pick(figures, "turns", loss="quantization", stop=True, data="moons")
    swings = int((count >= TURNS).sum())
    why = (
        "The sign follows from where the prototypes start: random samples may lie further apart "
        "than the trained ones or nearer, near the mean S and K rise together."
    )
    rows = [
        Claim(
            f"S and K correlate negatively ({name}, T = 0.5; Table 2, Section 8.2, point 4)",
            paper,
            f"mean r = {r[name].mean():.2f}, from {r[name].min():.2f} to {r[name].max():.2f}"
            + (f"; starting near the mean {mean.mean():.2f}" if name == "moons" else ""),
            bool(r[name].mean() < 0),
            why,
        )
        for name, paper in (("moons", "-0.67"), ("circles", "< 0"), ("blobs", "< 0"))
    ]
    spiral = Claim(
        "I = 1 - K shows damped oscillations (moons), as Theorem 3's spirals would",
        "seen",
        f"{swings} of {len(count)} runs turn {TURNS} times or more",
        swings > len(count) / 2,
        "Stop-gradient is the gradient of a free energy, which falls: a gradient flow has real "
        "eigenvalues and no spirals.",
    )
    return [*rows, spiral]


def accuracy(figures):
    """Accuracies of Table 2, and the best temperature."""
    lq = {"loss": "quantization", "stop": True, "start": "samples"}
    by_t = [pick(figures, "acc", t=t, data="moons", **lq) for t in figures["absolute"]]
    means = [values.mean() for values in by_t]
    inner, outer = means[1:-1], (means[0], means[-1])
    circles, spiral, blobs = (
        pick(figures, "acc", t=0.5, data=name, **lq) for name in ("circles", "spiral", "blobs")
    )
    return [
        Claim(
            "ACC of Lq on moons at each T",
            "0.847 ± 0.000",
            "; ".join(mean_and_deviation(values) for values in by_t),
            max(abs(mean - 0.847) for mean in means) < 0.005,
        ),
        Claim(
            "An optimal T between 0.3 and 0.5 exists (moons)",
            "ACC stable across all T",
            f"{max(inner):.3f} there, {max(outer):.3f} at the ends",
            max(inner) > max(outer),
            "ACC does not depend on T here, in the paper's own table neither.",
        ),
        Claim(
            "ACC of Lq on circles at T = 0.5",
            "> 0.85",
            mean_and_deviation(circles),
            circles.mean() > 0.85,
            "Two prototypes part the plane by a line, and no line parts two rings; on the spiral "
            f"ACC is {spiral.mean():.2f}.",
        ),
        Claim(
            "ACC of Lq on blobs at T = 0.5",
            "> 0.95",
            mean_and_deviation(blobs),
            blobs.mean() > 0.95,
            "Some starts have two samples of one blob, and a cluster is split.",
        ),
    ]


def draw(figures):
    """Draw S and collapse for each data set, and V and ACC, over relative temperature."""
    figure = new_figure(8.4)
    top, bottom = figure.subfigures(2, 1, height_ratios=(5, 3))
    grid = top.subplots(2, len(DATA), sharex=True, sharey="row")
    for column, name in enumerate(DATA):
        draw_losses(figures, grid[:, column], name)
    grid[0, 0].set_ylabel("$S(P)$ at the end", fontsize=9)
    grid[1, 0].set_ylabel("% of runs collapsed", fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    top.legend(handles, labels, fontsize=7.5, loc="outside lower center", ncols=4)
    draw_data(figures, bottom.subplots(1, 2))
    return figure


def curve(figures, key, **conditions):
    """Return relative temperatures and the means of a figure."""
    rows = (r for r in figures["rows"] if all(r[k] == v for k, v in conditions.items()))
    return np.array(sorted((row["share"], row[key].mean()) for row in rows)).T


def draw_losses(figures, axes, name):
    """Compare both losses and both gradients on one data set, as Fig. 2 does."""
    lines = [
        ("$L_q$, stop-gradient", BLUE, "-", "quantization", True),
        ("$L_q$, full gradient", BLUE, "--", "quantization", False),
        ("$L_{OLS}$, stop-gradient", RED, "-", "ols", True),
        ("$L_{OLS}$, full gradient", RED, "--", "ols", False),
    ]
    for (label, color, style, loss, stop), marker in zip(lines, MARKERS, strict=False):
        runs = {"data": name, "start": "samples", "loss": loss, "stop": stop}
        options = {"color": color, "linestyle": style, "marker": marker, "markersize": 3}
        axes[0].plot(*curve(figures, "s", **runs), label=label, **options)
        share, lost = curve(figures, "collapsed", **runs)
        axes[1].plot(share, 100 * lost, **options)
    axes[0].set_yscale("symlog", linthresh=0.1)
    axes[0].set_ylim(bottom=-0.01)
    name_axes(axes[0], name, "", "")
    name_axes(axes[1], "", "$T / T_c$", "")
    for ax in axes:
        ax.tick_params(labelsize=8)
        mark(ax, 1, "$T_c$", 0.55)
        mark(ax, 2, "$2 T_c$", 0.55)
    ticks = [t / figures["critical"][name] for t in figures["absolute"]]
    axes[1].plot(ticks, [0] * len(ticks), "|", color="0.3", markersize=9, label="paper's T")
    axes[1].legend(fontsize=7, loc="center left")


def draw_data(figures, axes):
    """Compare data sets, for Lq under stop-gradient."""
    for name, color, marker in zip(DATA, (BLUE, RED, GREEN, PINK, ORANGE), MARKERS, strict=False):
        runs = {"data": name, "start": "samples", "loss": "quantization", "stop": True}
        options = {"color": color, "marker": marker, "markersize": 4}
        axes[0].plot(*curve(figures, "v", **runs), label=name, **options)
        share, lost = curve(figures, "collapsed", **runs)
        acc = curve(figures, "acc", **runs)[1]
        axes[1].plot(share[lost < 0.5], acc[lost < 0.5], **options)
    axes[0].legend(fontsize=7.5)
    name_axes(axes[0], "Variance term of $L_q$, stop-gradient", "$T / T_c$", "V at the end")
    name_axes(axes[1], "Accuracy of $L_q$, stop-gradient, up to collapse", "$T / T_c$", "ACC")
    for ax in axes:
        mark(ax, 1, "$T_c$", 0.98)


BLOCK = Block(
    name="ddcl_1_structure",
    title="DDCL, block 1: the decomposition, and who collapses",
    source="Deep Dual Competitive Learning, Sections 7.1 and 8.2",
    sizes={
        "full": {
            "seeds": tuple(range(10)),
            "absolute": (0.1, 0.3, 0.5, 1.0),
            "relative": (0.05, 0.25, 0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 1.8, 2.2, 2.5),
            "epochs": 300,
        },
        "tiny": {
            "seeds": (0, 1),
            "absolute": (0.1, 0.5, 1.0),
            "relative": (0.5, 1.5),
            "epochs": 15,
        },
    },
    measure=measure,
    claims=claims,
    draw=draw,
)

if __name__ == "__main__":
    main(BLOCK)
