"""Gradient-based competitive learning: Fig. 3, 4 and 5 of the theory paper, and its Theorem 1.

Shapes: n = 500, 30 prototypes, 400 epochs. "paper" begins at random weights, counts the graph as
the authors' code does, and has the rates that the paper found by grid search, translated: a
prototype's coordinates move by 0.008 a step (vanilla), and by 0.0008 x 500 weights x E|x| = 0.32
(dual), which is about 0.09 and 3.5 times the distance of a sample to its prototype.

Many features: MADELON-style clusters with 100 informative features, k = n / 10. What the paper
calls accuracy is the purity of the prototypes' Voronoi sets. Noise of moons and circles, and the
number of informative features, are not printed. Samples go up to 3,000, as 10,000 take minutes.
"""

import numpy as np
from _pictures import BLUE, GREEN, MARKERS, ORANGE, RED, name_axes, new_figure
from _rows import clearly_higher, compare
from evidence import Block, Claim, main, mean_and_deviation
from sklearn.cluster import KMeans
from sklearn.datasets import make_circles, make_moons
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import CompetitiveClustering
from sklearn_ddcl.datasets import make_archimedean_spiral, make_madelon_clusters

N, K, EARLY = 500, 30, 20
SHAPES = {
    "spiral": lambda seed: make_archimedean_spiral(N, noise=0.02, random_state=seed),
    "moons": lambda seed: make_moons(N, noise=0.05, random_state=seed),
    "circles": lambda seed: make_circles(N, noise=0.05, factor=0.5, random_state=seed),
}
COUNTED = {"init": "random", "topology": "literal", "min_edge_share": 0.0}
VCL, DCL, FAST, OURS = (
    "vanilla, paper",
    "dual, paper",
    "vanilla, the dual's rate",
    "dual, defaults",
)
WAYS = {
    VCL: {**COUNTED, "layer": "vanilla", "learning_rate": 0.09},
    DCL: {**COUNTED, "layer": "dual", "learning_rate": 3.5},
    FAST: {**COUNTED, "layer": "vanilla", "learning_rate": 3.5},
    OURS: {},
}
# the deep layer's three matrices share the length of a step
LAYERS = {"vanilla": 0.3, "dual": 0.3, "deep dual": 0.9}
KMEANS = "k-means"
COLOURS = dict(zip((*LAYERS, KMEANS), (BLUE, RED, GREEN, ORANGE), strict=True))


def measure(seeds, epochs, sizes, wide_seeds):
    """Fit all shapes in all ways, then all layers to many features."""
    shapes = {
        (name, way): [shape(name, way, epochs, seed) for seed in seeds]
        for name in SHAPES
        for way in WAYS
    }
    wide = {}
    for n, d in sizes:
        chosen = seeds[:wide_seeds] if n <= 1_000 else seeds[:1]
        for seed in chosen:
            for layer, purity in many_features(n, d, epochs, seed).items():
                wide.setdefault((n, d, layer), []).append(purity)
    return {"shapes": shapes, "wide": wide, "theory": theory(epochs)}


def shape(name, way, epochs, seed):
    """Return the course and the end of one fit."""
    X, y = SHAPES[name](seed)
    X = StandardScaler().fit_transform(X)
    model = CompetitiveClustering(K, epochs=epochs, random_state=seed, **WAYS[way]).fit(X)
    keys = ("loss_quantization", "n_edges", "n_active")
    return {
        **{key: [record[key] for record in model.history_] for key in keys},
        "found": bool(adjusted_rand_score(y, model.labels_) == 1),
        "fit": (X, model.prototypes_, model.edges_) if seed == 0 else None,
    }


def many_features(n, d, epochs, seed):
    """Return by layer the purity of the prototypes' sets."""
    X, y = make_madelon_clusters(n, d, n_informative=100, random_state=seed)
    X = StandardScaler().fit_transform(X)
    models = {
        layer: CompetitiveClustering(
            n // 10,
            layer=layer.replace(" ", "_"),
            learning_rate=rate,
            init="random",
            topology_weight=0,
            epochs=epochs,
            random_state=seed,
        )
        for layer, rate in LAYERS.items()
    }
    models[KMEANS] = KMeans(n // 10, n_init=1, random_state=seed)
    return {name: purity(y, model.fit(X)) for name, model in models.items()}


def purity(y, model):
    """Return the share of samples that are of their prototype's most frequent class."""
    winners = getattr(model, "prototype_labels_", model.labels_)
    return contingency_matrix(y, winners).max(axis=0).sum() / len(y)


def theory(epochs):
    """Return how far the layers are from what is proved of them."""
    X = PCA(whiten=True).fit_transform(SHAPES["moons"](0)[0])
    options = {"topology_weight": 0.0, "epochs": min(epochs, 20), "random_state": 0}
    base, dual = (
        CompetitiveClustering(K, layer=layer, **options).fit(X).prototypes_
        for layer in ("vanilla", "dual")
    )
    X, _ = make_madelon_clusters(40, 200, n_informative=20, random_state=0)
    options |= {"init": "random"}
    p = CompetitiveClustering(4, **options).fit(X).prototypes_
    rest = p - p @ np.linalg.pinv(X) @ X
    moved = [
        CompetitiveClustering(K, **{**COUNTED, **options, "topology_weight": weight})
        .fit(StandardScaler().fit_transform(SHAPES["moons"](0)[0]))
        .prototypes_
        for weight in (0.0, 0.01)
    ]
    return {
        "duality": float(np.abs(base - dual).max()) if base.shape == dual.shape else np.inf,
        "span": float(np.linalg.norm(rest) / np.linalg.norm(p)),
        "counted": bool(np.array_equal(*moved)),
    }


def claims(figures):
    """Compare with the theorems and with Fig. 3, 4 and 5."""
    return [
        *theorems(figures["theory"]),
        *figure_3(figures["shapes"]),
        *figure_4(figures["shapes"]),
        *figure_5(figures["wide"]),
    ]


def theorems(found):
    """Return Theorem 1, the span of the dual layer, and the graph's gradient."""
    return [
        Claim(
            "Theorem 1: on whitened samples both layers are the same",
            "proved",
            f"largest difference of a prototype's coordinate {found['duality']:.0e}",
            found["duality"] < 1e-3,
            theorem=True,
        ),
        Claim(
            "Dual prototypes are combinations of the samples (200 features, 40 samples)",
            "by construction",
            f"share outside of their span {found['span']:.0e}",
            found["span"] < 1e-4,
            theorem=True,
        ),
        compare(
            "The gradient of the graph's size, Eq. 21, moves prototypes",
            "stated",
            "the same prototypes with and without it" if found["counted"] else "it does",
            not found["counted"],
            "The adjacency matrix counts winners: it is piecewise constant, and has no gradient. "
            "The package's default is a smooth stand-in.",
        ),
    ]


def early(shapes, name, way):
    """Return the errors after some epochs."""
    return np.array([run["loss_quantization"] for run in shapes[name, way]])[:, EARLY - 1]


def last(shapes, name, way, key="loss_quantization"):
    """Return the last value of each run."""
    return np.array([run[key] for run in shapes[name, way]])[:, -1]


def cells(get, *ways):
    """Return a figure of some ways, for all shapes, as text."""
    return "; ".join(
        f"{name} {' and '.join(mean_and_deviation(get(name, way)) for way in ways)}"
        for name in SHAPES
    )


def figure_3(shapes):
    """Return speed, end, spread, and number of prototypes."""

    def _early(name, way):
        return early(shapes, name, way)

    def _last(name, way):
        return last(shapes, name, way)

    valid = {way: [last(shapes, name, way, "n_active").mean() for name in SHAPES] for way in WAYS}
    ends = [_last(name, DCL).mean() / _last(name, VCL).mean() for name in SHAPES]
    return [
        compare(
            f"The dual layer's error falls faster (Q after {EARLY} epochs, beyond the deviations)",
            "much faster, all sets",
            f"vanilla and dual: {cells(_early, VCL, DCL)}",
            all(clearly_higher(_early(name, VCL), _early(name, DCL)) for name in SHAPES),
            "The rates are not printed in a way that fixes the steps.",
        ),
        compare(
            "That is the layer's merit: it is faster than a vanilla layer with steps of the same "
            "length",
            "stated",
            f"vanilla and dual: {cells(_early, FAST, DCL)}",
            all(clearly_higher(_early(name, FAST), _early(name, DCL)) for name in SHAPES),
            "It is the rate: the features are nearly white, where Theorem 1 says that both "
            "layers are the same.",
        ),
        compare(
            "Both converge to similar minima (last Q within 20 %)",
            "similar",
            ", ".join(f"{name} {e - 1:+.0%}" for name, e in zip(SHAPES, ends, strict=True))
            + " (dual against vanilla)",
            all(0.8 < end < 1.25 for end in ends),
            "At its small rate the vanilla layer rests in poorer minima, above all on moons; with "
            "the dual's rate it does not.",
        ),
        compare(
            f"The dual layer's error varies less from run to run (after {EARLY} epochs)",
            "much lower variance",
            f"vanilla and dual: {cells(_early, VCL, DCL)}",
            all(_early(name, DCL).std() < _early(name, VCL).std() for name in SHAPES),
            "Not on all sets.",
        ),
        compare(
            "The dual layer ends with more valid prototypes",
            "slightly more",
            "dual "
            + ", ".join(f"{v:.1f}" for v in valid[DCL])
            + "; vanilla "
            + ", ".join(f"{v:.1f}" for v in valid[VCL]),
            all(d > v for d, v in zip(valid[DCL], valid[VCL], strict=True)),
            "They differ by less than one prototype, in either direction.",
        ),
    ]


def figure_4(shapes):
    """Return how often the components are the shapes."""
    found = {
        way: {name: sum(run["found"] for run in shapes[name, way]) for name in SHAPES}
        for way in WAYS
    }
    runs = len(shapes["moons", DCL])
    text = {
        way: ", ".join(f"{name} {count}" for name, count in counts.items())
        for way, counts in found.items()
    }
    return [
        compare(
            "Components of the graph are the clusters, for both layers (in most runs)",
            "good clustering with both",
            f"of {runs}: dual {text[DCL]}; vanilla {text[VCL]}; package's defaults {text[OURS]}",
            all(count > runs / 2 for way in (VCL, DCL) for count in found[way].values()),
            "A single sample between two clusters joins them, and random weights leave too few "
            "prototypes; k-means++ and a graph with a gradient mend both.",
        ),
        compare(
            "The dual layer represents the topology better, especially spiral and circles",
            "superior",
            f"of {runs}: dual {text[DCL]}; vanilla {text[VCL]}",
            all(found[DCL][name] > found[VCL][name] for name in ("spiral", "circles")),
            "Both are right on the spiral in all runs, and as often on moons; the dual layer is "
            "ahead on circles only.",
        ),
    ]


def figure_5(wide):
    """Return what many features, and many samples, do to each layer."""
    mean = {key: np.mean(values) for key, values in wide.items()}
    features = sorted({d for n, d, _ in wide if n == min(n for n, _, _ in wide) and d > 100})
    samples = sorted({n for n, d, _ in wide if d == 100})
    few = min(n for n, _, _ in wide)

    def _row(layer, ds):
        return ", ".join(f"{mean[few, d, layer]:.2f} ({d:,})" for d in ds)

    low = [d for d in features if d <= 3_000]
    dual, deep = ([d for d in features if d <= top] for top in (2_000, 3_000))
    return [
        compare(
            "With more features the vanilla layer fails first, then the dual, then the deep dual "
            "(mean purity, up to 3,000)",
            "order of the curves",
            "; ".join(f"{layer} {_row(layer, low)}" for layer in LAYERS),
            all(
                mean[few, d, "vanilla"] < mean[few, d, "dual"] < mean[few, d, "deep dual"]
                for d in low
            ),
            "Not at every size.",
        ),
        compare(
            "The dual layer is near 100 % until 2,000 features (purity above 0.95)",
            "near 1",
            _row("dual", dual),
            all(mean[few, d, "dual"] > 0.95 for d in dual),
            "Where it fails depends on how many features are informative, which is not printed.",
        ),
        compare(
            "The deep dual layer is near 100 % until 3,000 features (purity above 0.95)",
            "near 1",
            _row("deep dual", deep),
            all(mean[few, d, "deep dual"] > 0.95 for d in deep),
            "Where it fails depends on how many features are informative.",
        ),
        compare(
            "All struggle with more features (purity below 0.8 at the most)",
            "below 0.8",
            "; ".join(f"{layer} {_row(layer, features[-1:])}" for layer in LAYERS),
            all(mean[few, features[-1], layer] < 0.8 for layer in LAYERS),
            "The informative features are enough here.",
        ),
        compare(
            "The dual layers suffer less from many features than methods by distance (k-means, "
            "one start; all sizes)",
            "the aim",
            f"{KMEANS} {_row(KMEANS, features)}; dual {_row('dual', features)}",
            all(mean[few, d, "dual"] > mean[few, d, KMEANS] for d in features),
            "Random weights are most of what fails. k-means begins at samples, and means of "
            "samples are in their span as well.",
        ),
        compare(
            "100 features, more and more samples (here up to 3,000): dual and deep dual keep a "
            "perfect purity",
            "1.0 up to 10,000",
            "; ".join(
                f"{layer} " + ", ".join(f"{mean[n, 100, layer]:.2f} ({n:,})" for n in samples)
                for layer in LAYERS
            ),
            all(mean[n, 100, layer] > 0.99 for n in samples for layer in ("dual", "deep dual")),
            "Not at every size.",
        ),
    ]


COURSES = {
    "loss_quantization": ("error", "Q"),
    "n_edges": ("edges", "edges"),
    "n_active": ("valid prototypes", "prototypes"),
}
LINES = {VCL: (BLUE, "-"), FAST: (BLUE, ":"), DCL: (RED, "-")}


def draw(figures):
    """Draw Fig. 3 (courses), Fig. 4 (graphs of both layers) and Fig. 5 (purity)."""
    figure = new_figure(15.0)
    rows = [*COURSES, VCL, DCL]
    mosaic = [[f"{row}{number}" for number in range(len(SHAPES))] for row in rows]
    ratios = (1, 0.8, 0.8, 1.1, 1.1, 0.9, 0.9)
    axes = figure.subplot_mosaic([*mosaic, ["wide"] * 3, ["long"] * 3], height_ratios=ratios)
    shapes = figures["shapes"]
    for number, name in enumerate(SHAPES):
        for key, (title, label) in COURSES.items():
            ax = axes[f"{key}{number}"]
            courses(ax, {way: [run[key] for run in shapes[name, way]] for way in LINES})
            name_axes(ax, f"{name}: {title}", "epoch", label if number == 0 else "")
        errors = axes[f"loss_quantization{number}"]
        errors.set(yscale="log", ylim=(0.015, 0.4))
        errors.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
        errors.minorticks_off()
        for way in (VCL, DCL):
            graph(axes[f"{way}{number}"], *shapes[name, way][0]["fit"])
            name_axes(axes[f"{way}{number}"], f"{name}: {way}, run 1", "", "")
    axes["loss_quantization0"].legend(fontsize=7)
    purity_curves(axes["wide"], figures["wide"], 0)
    purity_curves(axes["long"], figures["wide"], 1)
    return figure


def courses(ax, runs):
    """Draw mean and range over epochs of each way's runs."""
    for way, (colour, style) in LINES.items():
        values = np.array(runs[way])
        x = np.arange(1, values.shape[1] + 1)
        ax.plot(x, values.mean(axis=0), color=colour, linestyle=style, label=way)
        if way != FAST:
            ax.fill_between(
                x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.12, lw=0
            )
    ax.set_xscale("log")


def graph(ax, X, prototypes, edges):
    """Draw samples, prototypes and edges."""
    ax.plot(*X.T, ".", color="0.75", markersize=1.5)
    for pair in edges:
        ax.plot(*prototypes[pair].T, color=BLUE, linewidth=1)
    ax.plot(*prototypes.T, "o", color=RED, markersize=3.5)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal")


def purity_curves(ax, wide, axis):
    """Draw purity over the number of features (axis 0), or of samples."""
    sizes = [key[:2] for key in wide]
    fixed = min(size[axis] for size in sizes)
    for (layer, colour), marker in zip(COLOURS.items(), MARKERS, strict=False):
        points = sorted((key[1 - axis], values) for key, values in wide.items()
                        if (key[axis], key[2]) == (fixed, layer))  # fmt: skip
        x, values = zip(*points, strict=True)
        y = [np.mean(each) for each in values]
        error = [np.std(each) / np.sqrt(len(each)) for each in values]
        ax.errorbar(x, y, error, marker=marker, color=colour, label=layer, capsize=3)
    ax.set_xscale("log")
    ax.legend(fontsize=8)
    known, varied = ("samples", "features") if axis == 0 else ("features", "samples")
    name_axes(ax, f"{fixed} {known}: purity, mean and standard error", varied, "purity")


BLOCK = Block(
    name="competitive",
    title="Gradient-based competitive learning",
    source="Gradient-based competitive learning: theory, Theorem 1 and Fig. 3 to 5",
    sizes={
        "full": {
            "seeds": tuple(range(10)),
            "epochs": 400,
            "sizes": (
                *((100, d) for d in (100, 1_000, 2_000, 3_000, 5_000, 10_000)),
                *((n, 100) for n in (1_000, 3_000)),
            ),
            "wide_seeds": 3,
        },
        "tiny": {
            "seeds": (0,),
            "epochs": 20,
            "sizes": ((40, 100), (40, 300)),
            "wide_seeds": 1,
        },
    },
    measure=measure,
    claims=claims,
    draw=draw,
)

if __name__ == "__main__":
    main(BLOCK)
