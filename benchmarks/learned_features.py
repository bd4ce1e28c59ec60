"""DDCLClustering with learned features beside KMeans, Ward, spectral clustering and UMAP.

Run by ``make bench``; alone: ``python benchmarks/run.py --only learned [--sets NAME ...]
[--methods NAME ...] [--seeds 0 1 2]``.

All methods know the number of classes, and nothing else of the labels; these are read by the
scores alone. The methods take turns in one process: for each seed, each method once. UMAP is
measured where ``umap-learn`` is installed. The four rows of the ablation share one warm-up a seed,
and their seconds include it.
"""

import functools
import importlib
import importlib.metadata
import importlib.util
import time
import warnings

import learned_aims
import numpy as np
import torch
from reports import (
    circumstances,
    column,
    describe,
    describe_later,
    names,
    scores,
    simple_table,
)
from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.exceptions import ConvergenceWarning

from sklearn_ddcl import AdversarialDeepClustering, DDCLClustering, OnlineDeepClustering
from sklearn_ddcl.options import NeighborContrast

SETS = ("digits", "optdigits", "penbased", "satimage", "mnist10k")
SEEDS = (0, 1, 2)
PER_CLUSTER = 20  # the estimator's default on sets of these sizes


class Run:
    """One set and seed, and the warm-up that the rows of the ablation share.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Samples.
    k : int
        Number of clusters.
    seed : int
        Seed of all methods.
    """

    def __init__(self, X, k, seed):
        self.X, self.k, self.seed = X, k, seed

    @functools.cached_property
    def warm(self):
        """The fitted warm-up, and its seconds."""
        return timed(lambda: NeighborContrast().fit(self.X, n_clusters=self.k, seed=self.seed))

    @functools.cached_property
    def joint(self):
        """The estimator, fitted from the warm-up, and the seconds of its fit."""
        model = DDCLClustering(self.k, warm_up=self.warm[0], random_state=self.seed)
        return timed(lambda: model.fit(self.X))

    def warm_features(self):
        """Return features of the warm-up's backbone."""
        with torch.no_grad():
            return self.warm[0].backbone_(torch.from_numpy(self.X)).numpy()


def timed(call):
    """Return the result of a call, and its seconds."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def k_means(run):
    """KMeans on the samples."""
    return timed(lambda: KMeans(run.k, n_init=10, random_state=run.seed).fit_predict(run.X))


def ward(run):
    """Ward's linkage on the samples."""
    return timed(lambda: AgglomerativeClustering(run.k).fit_predict(run.X))


def spectral(run):
    """Spectral clustering on a graph of nearest neighbours."""
    model = SpectralClustering(run.k, affinity="nearest_neighbors", random_state=run.seed)
    return timed(lambda: model.fit_predict(run.X))


def umap_k_means(run):
    """KMeans on ten components of UMAP."""
    threads = torch.get_num_threads()
    umap = importlib.import_module("umap")

    def fit():
        reducer = umap.UMAP(
            n_components=10, n_neighbors=20, min_dist=0.0, random_state=run.seed, n_jobs=1
        )
        Z = reducer.fit_transform(run.X)
        return KMeans(run.k, n_init=10, random_state=run.seed).fit_predict(Z)

    try:
        return timed(fit)
    finally:  # numba sets OpenMP's number of threads for the whole process
        torch.set_num_threads(threads)


def ddcl(run):
    """DDCLClustering as it comes."""
    return timed(lambda: DDCLClustering(run.k, random_state=run.seed).fit_predict(run.X))


def online(run):
    """OnlineDeepClustering as it comes."""
    return timed(lambda: OnlineDeepClustering(run.k, random_state=run.seed).fit_predict(run.X))


def adversarial(run):
    """AdversarialDeepClustering as it comes."""
    model = AdversarialDeepClustering(run.k, random_state=run.seed)
    return timed(lambda: model.fit_predict(run.X))


def warm_k_means(run):
    """KMeans on the features of the warm-up."""
    before = run.warm[1]
    model = KMeans(run.k, n_init=10, random_state=run.seed)
    labels, after = timed(lambda: model.fit_predict(run.warm_features()))
    return labels, before + after


def warm_joined(run):
    """Prototypes on the features of the warm-up, joined into clusters: no joint phase."""
    before = run.warm[1]
    model = DDCLClustering(
        run.k, backbone=None, prototypes_per_cluster=PER_CLUSTER, random_state=run.seed
    )
    labels, after = timed(lambda: model.fit_predict(run.warm_features()))
    return labels, before + after


def joint_k_means(run):
    """KMeans on the features after the joint phase."""
    model, seconds = run.joint
    k_means = KMeans(run.k, n_init=10, random_state=run.seed)
    labels, after = timed(lambda: k_means.fit_predict(model.encode(run.X)))
    return labels, run.warm[1] + seconds + after


def joint_joined(run):
    """Features and prototypes trained together, prototypes joined: the estimator in full."""
    model, seconds = run.joint
    return model.labels_, run.warm[1] + seconds


# One word each for the command line; then the row's name, and whether seeds make a difference.
METHODS = {
    "kmeans": ("KMeans(n_init=10)", k_means, True),
    "ward": ("Ward", ward, False),
    "spectral": ("SpectralClustering", spectral, False),
    "umap": ("UMAP + KMeans", umap_k_means, True),
    "ddcl": ("DDCLClustering", ddcl, True),
    "online": ("OnlineDeepClustering", online, True),
    "adversarial": ("AdversarialDeepClustering", adversarial, True),
    "warm-kmeans": ("warm start, KMeans", warm_k_means, True),
    "warm-joined": ("warm start, joined", warm_joined, True),
    "joint-kmeans": ("joint phase, KMeans", joint_k_means, True),
    "joint-joined": ("joint phase, joined", joint_joined, True),
}


def about():
    """Return the circumstances, with the version of UMAP."""
    found = importlib.util.find_spec("umap") is not None
    version = importlib.metadata.version("umap-learn") if found else None
    return {**circumstances(), "umap-learn": version}


def available(methods):
    """Return the methods that can be measured here, and notes on the others."""
    wanted = [name for name in METHODS if methods is None or name in methods]
    if "umap" not in wanted or importlib.util.find_spec("umap") is not None:
        return wanted, []
    return [name for name in wanted if name != "umap"], [
        "UMAP + KMeans is left out: umap-learn was not installed."
    ]


def run(load, sets=SETS, methods=None, seeds=SEEDS, report=print):
    """Measure all sets, reporting each run as it is done.

    Parameters
    ----------
    load : callable
        ``load(name) -> X, y, k``.
    sets : sequence of str
        Data sets with classes.
    methods : sequence of str or None
        Keys of ``METHODS``; None takes all.
    seeds : sequence of int
        Seeds; methods that don't depend on them, and spectral clustering, run with the first.
    report : callable
        Receives a line of text for each run.

    Returns
    -------
    runs : list of dict
        Set, method, seed, ACC, NMI, ARI, number of clusters and seconds of each run.
    notes : list of str
        What was left out.
    """
    methods, notes = available(methods)
    runs = []
    warnings.simplefilter("ignore", ConvergenceWarning)  # CollapseWarning among them
    compile_all(methods)
    for name in sets:
        X, y, k = load(name)
        for seed in seeds:
            shared = Run(X, k, seed)
            for method in methods:
                title, call, seeded = METHODS[method]
                if not seeded and seed != seeds[0]:
                    continue
                labels, seconds = call(shared)
                row = {"set": name, "method": title, "seed": seed, **scores(y, labels)}
                runs.append({**row, "n": len(X), "d": X.shape[1], "k": k, "seconds": seconds})
                report(
                    f"{name:10s} {title:20s} seed {seed}  ACC {row['acc']:.3f}  "
                    f"NMI {row['nmi']:.3f}  ARI {row['ari']:.3f}  {seconds:.1f} s"
                )
    return runs, notes


def compile_all(methods):
    """Run each method once on few rows, so that no fit is charged with imports and compilation."""
    X = np.random.default_rng(0).normal(size=(200, 8))
    shared = Run(X, 3, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in methods:
            METHODS[method][1](shared)


def ordered(runs):
    """Return runs in the order of sets, methods and seeds, however they were measured."""
    titles = [title for title, _, _ in METHODS.values()]
    return sorted(
        runs, key=lambda row: (SETS.index(row["set"]), titles.index(row["method"]), row["seed"])
    )


def tables(runs, notes, about, later=()):
    """Return both tables with their caption as RST.

    Parameters
    ----------
    runs : list of dict
        As returned by `run`.
    notes : list of str
        What was left out.
    about : dict
        As returned by `about`.
    later : sequence of dict
        Rows of other runs, as `reports.merge` notes them.

    Returns
    -------
    str
        Medians of the scores; range of ACC and median seconds; what should hold of them.
    """
    sets, methods = names(runs, "set"), names(runs, "method")

    def cells(render):
        return [
            (method, *(render({"set": name, "method": method}) for name in sets))
            for method in methods
        ]

    def medians(wanted):
        if not len(column(runs, "acc", **wanted)):
            return "--"
        return " / ".join(
            f"{np.median(column(runs, key, **wanted)):.3f}" for key in ("acc", "nmi", "ari")
        )

    def spread(wanted):
        acc, seconds = (column(runs, key, **wanted) for key in ("acc", "seconds"))
        if not len(acc):
            return "--"
        shown = f"{acc.min():.3f} - {acc.max():.3f}" if len(acc) > 1 else f"{acc[0]:.3f}"
        return f"{shown}, {np.median(seconds):.1f} s"

    seeds = ", ".join(map(str, names(runs, "seed")))
    version = about.get("umap-learn") if METHODS["umap"][0] in methods else None
    caption = (
        f"{describe(about)} {f'umap-learn {version}. ' if version else ''}"
        f"First table: ACC / NMI (arithmetic) / ARI, medians over seeds ({seeds}). Second table: "
        "lowest and highest ACC, and median seconds of a fit, of which the third says what should "
        "hold. The true number of classes is given "
        "to all; methods take turns in one process. Ward and spectral clustering run once. UMAP "
        "has 10 components, 20 neighbours and min_dist 0. The last four rows are the ablation: "
        "from one warm-up a seed, with and without the joint phase, clusters by ``KMeans`` or by "
        "joining prototypes; *joint phase, joined* is what ``DDCLClustering`` does."
    )
    missing = any(
        not len(column(runs, "acc", set=name, method=method))
        for name in sets
        for method in methods
    )
    blank = ["Rows of *--* have not been run on that set."] if missing else []
    caption = " ".join([caption, *notes, *map(describe_later, later), *blank])
    shown = [
        simple_table((title, *sets), cells(render))
        for title, render in (("ACC / NMI / ARI", medians), ("ACC from - to, seconds", spread))
    ]
    return "\n\n".join(filter(None, [*shown, learned_aims.table(runs), caption]))
