"""Evidence for the competitive layers: shapes, many features, time.

Run by ``make bench``; alone: ``python benchmarks/run.py --only competitive``.

Shapes (Fig. 3 and 4 of "Gradient-based competitive learning: theory"): n = 500, 30 prototypes,
400 epochs, 10 seeds. Rows "paper's rates" begin at random weights and have the rates that the
paper found by grid search, translated: a prototype's coordinates move by 0.008 a step (vanilla),
and by 0.0008 x 500 weights x E|x| = 0.32 (dual), which is about 0.09 and 3.5 times the distance of
a sample to its prototype. The graph is counted, as in the authors' code.

Many features (Fig. 5): MADELON-style clusters with 100 informative features, k = n / 10; the score
is the purity of the prototypes' Voronoi sets, which the paper calls accuracy.
"""

import time

import numpy as np
from reports import column, describe, names, simple_table
from sklearn.cluster import KMeans
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import CompetitiveClustering
from sklearn_ddcl.datasets import make_archimedean_spiral, make_madelon_clusters

N, K, EPOCHS, EARLY = 500, 30, 400, 20
SHAPES = {
    "spiral": lambda seed: make_archimedean_spiral(N, noise=0.02, random_state=seed),
    "moons": lambda seed: make_moons(N, noise=0.05, random_state=seed),
    "noisy moons": lambda seed: make_moons(N, noise=0.1, random_state=seed),
    "circles": lambda seed: make_circles(N, noise=0.05, factor=0.5, random_state=seed),
}
PAPER = {"init": "random", "topology": "literal", "min_edge_share": 0.0}
WAYS = {
    "vanilla, paper's rates": {**PAPER, "layer": "vanilla", "learning_rate": 0.09},
    "dual, paper's rates": {**PAPER, "layer": "dual", "learning_rate": 3.5},
    "vanilla, the dual's rate": {**PAPER, "layer": "vanilla", "learning_rate": 3.5},
    "dual, no graph": {"topology_weight": 0.0},
    "dual, defaults": {},
    "vanilla, defaults": {"layer": "vanilla"},
    "deep dual, defaults": {"layer": "deep_dual"},
}
SIZES = (
    *((100, d) for d in (1_000, 2_000, 3_000, 5_000, 10_000)),
    *((n, 100) for n in (100, 1_000, 10_000)),
)
# the deep layer's three matrices share the length of a step
LAYERS = {"vanilla": 0.3, "dual": 0.3, "deep_dual": 0.9}
ROWS, WIDTH, MANY = (125_000, 250_000, 500_000, 1_000_000), 32, 256


def run(seeds=range(10), sizes=SIZES, rows=ROWS, report=print):
    """Run all three parts.

    Parameters
    ----------
    seeds : sequence of int
        Of data and fits; of many features every second one, of more than 1,000 samples there one.
    sizes : sequence of (int, int)
        Samples and features.
    rows : sequence of int
        Sizes of the growth in mini-batches.
    report : callable
        Receives a line of text for each group of fits.

    Returns
    -------
    dict
        Lists of figures: ``shapes``, ``wide``, ``growth``.
    """
    record = {"shapes": [], "wide": [], "growth": []}
    for name in SHAPES:
        for way in WAYS:
            record["shapes"] += [shape(name, way, seed) for seed in seeds]
            report(f"{name}, {way}: {record['shapes'][-1]['seconds']:.2f} s")
    for n, d in sizes:
        chosen = list(seeds)[::2] if n <= 1_000 else list(seeds)[:1]
        record["wide"] += [row for seed in chosen for row in wide(n, d, seed)]
        report(f"n = {n}, d = {d}: {record['wide'][-1]['seconds']:.1f} s")
    record["growth"] = [grow(n) for n in rows]
    return record


def shape(name, way, seed):
    """Return the figures of one fit to a shape."""
    X, y = SHAPES[name](seed)
    X = StandardScaler().fit_transform(X)
    model = CompetitiveClustering(K, epochs=EPOCHS, random_state=seed, **WAYS[way])
    start = time.perf_counter()
    model.fit(X)
    errors = [record["loss_quantization"] for record in model.history_]
    return {
        "data": name,
        "way": way,
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "early": errors[EARLY],
        "error": model.inertia_ / len(X),
        "prototypes": model.n_active_clusters_,
        "edges": len(model.edges_),
        "components": model.n_components_,
        "ari": adjusted_rand_score(y, model.labels_),
    }


def wide(n, d, seed):
    """Yield the figures of each layer, and of k-means, on many features."""
    X, y = make_madelon_clusters(n, d, n_informative=100, random_state=seed)
    X = StandardScaler().fit_transform(X)
    k = n // 10
    models = {
        layer: CompetitiveClustering(
            k, layer=layer, learning_rate=rate, random_state=seed, init="random", topology_weight=0
        )
        for layer, rate in LAYERS.items()
    }
    models["dual, k-means++"] = CompetitiveClustering(k, random_state=seed, topology_weight=0)
    models["KMeans, one start"] = KMeans(k, n_init=1, random_state=seed)
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(X)
        seconds = time.perf_counter() - start
        winners = getattr(model, "prototype_labels_", model.labels_)
        purity = contingency_matrix(y, winners).max(axis=0).sum() / n
        yield {"n": n, "d": d, "way": name, "seed": seed, "purity": purity, "seconds": seconds}


def grow(n):
    """Return the seconds of a fit in mini-batches (d = 32, k = 256, 5 epochs; median of 3)."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(50, WIDTH))
    X = centres[rng.integers(50, size=n)] + rng.normal(size=(n, WIDTH))
    X = X.astype(np.float32)
    times, components = [], []
    for seed in range(3):
        start = time.perf_counter()
        model = CompetitiveClustering(MANY, epochs=5, random_state=seed).fit(X)
        times.append(time.perf_counter() - start)
        components.append(model.n_components_)
    return {"n": n, "seconds": float(np.median(times)), "components": components}


def tables(record, about):
    """Return the three tables as text."""
    parts = [f"Measured {describe(about)}"]
    shapes, wide_runs = record["shapes"], record["wide"]
    header = (
        "shape",
        "layer",
        f"Q, epoch {EARLY}",
        "Q, end",
        "prototypes",
        "edges",
        "ARI = 1",
        "seconds",
    )
    rows = []
    for name in names(shapes, "data"):
        for way in names(shapes, "way"):

            def pick(key, name=name, way=way):
                return column(shapes, key, data=name, way=way)

            rows.append(
                (
                    name,
                    way,
                    spread(pick("early")),
                    spread(pick("error")),
                    f"{pick('prototypes').mean():.1f}",
                    f"{pick('edges').mean():.1f}",
                    f"{(pick('ari') == 1).sum()} of {len(pick('ari'))}",
                    f"{np.median(pick('seconds')):.2f}",
                )
            )
    parts.append(
        f"n = {N}, {K} prototypes, {EPOCHS} epochs: quantisation error Q (mean and standard "
        "deviation over seeds), valid prototypes, edges, fits whose components are the shapes, "
        "and the median time of a fit.\n\n" + simple_table(header, rows)
    )
    rows = []
    for n, d in dict.fromkeys((row["n"], row["d"]) for row in wide_runs):
        for_size = [row for row in wide_runs if (row["n"], row["d"]) == (n, d)]
        ways = names(for_size, "way")
        purities = [f"{column(for_size, 'purity', way=way).mean():.3f}" for way in ways]
        rows.append((f"{n:,}", f"{d:,}", *purities))
    parts.append(
        "MADELON-style clusters, 100 informative features, n / 10 prototypes: mean purity.\n\n"
        + simple_table(("samples", "features", *names(wide_runs, "way")), rows)
    )
    if record["growth"]:
        rows = [
            (f"{row['n']:,}", f"{row['seconds']:.1f}", row["components"])
            for row in record["growth"]
        ]
        parts.append(
            f"d = {WIDTH}, {MANY} prototypes, 50 clusters, mini-batches, 5 epochs.\n\n"
            + simple_table(("samples", "seconds", "components found"), rows)
        )
    return "\n\n".join(parts)


def spread(values):
    """Return mean and standard deviation as text."""
    return f"{values.mean():.4f} +- {values.std():.4f}"
