"""AdversarialDeepClustering by its three losses, beside the warm start that it begins from.

Alone: ``python benchmarks/run.py --only adversarial [--sets NAME ...] [--seeds 0 1 2]``.

All rows of a seed but the first share one warm-up, so that they differ by what comes after it:
k-means or joining at once, or a joint phase by each loss with its defaults (several components a
cluster, one for "kl"), with one component a cluster, and with Gaussians. Labels are read by the
scores alone.
"""

import warnings

import numpy as np
from learned_features import Run, k_means, timed, warm_joined, warm_k_means
from reports import column, describe, holds, names, scores, simple_table

from sklearn_ddcl import AdversarialDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning

SETS = ("digits", "mnist10k")
SEEDS = (0, 1, 2)
LOSSES = ("adversarial", "euclidean", "kl")


def joint(loss, **parameters):
    """Return a method: the estimator from the shared warm-up."""

    def fit(run):
        warm_up, before = run.warm
        model = AdversarialDeepClustering(
            run.k, loss=loss, warm_up=warm_up, random_state=run.seed, **parameters
        )
        labels, after = timed(lambda: model.fit_predict(run.X))
        return labels, before + after

    return fit


METHODS = {
    "KMeans(n_init=10)": k_means,
    "warm start, KMeans": warm_k_means,
    "warm start, joined": warm_joined,
    **{loss: joint(loss) for loss in LOSSES},
    **{f"{loss}, one prototype": joint(loss, prototypes_per_cluster=1) for loss in LOSSES[:2]},
    "adversarial, Gaussians": joint("adversarial", mixture="gaussian"),
}


def run(load, sets=SETS, seeds=SEEDS, report=print):
    """Measure all sets, the methods taking turns.

    Parameters
    ----------
    load : callable
        ``load(name) -> X, y, k``.
    sets : sequence of str
        Data sets with classes.
    seeds : sequence of int
        Seeds.
    report : callable
        Receives a line of text for each run.

    Returns
    -------
    list of dict
        Set, method, seed, scores and seconds of each run.
    """
    runs = []
    for name in sets:
        X, y, k = load(name)
        for seed in seeds:
            shared = Run(X, k, seed)
            for method, call in METHODS.items():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", CollapseWarning)
                    labels, seconds = call(shared)
                row = {"set": name, "method": method, "seed": seed, **scores(y, labels)}
                runs.append({**row, "n": len(X), "k": k, "seconds": seconds})
                report(
                    f"{name:10s} {method:26s} seed {seed}  ACC {row['acc']:.3f}  "
                    f"NMI {row['nmi']:.3f}  {seconds:.1f} s"
                )
    return runs


def tables(runs, about):
    """Return the figures, and what must hold, as RST."""
    sets, methods = names(runs, "set"), names(runs, "method")
    header = ("ACC, from - to / NMI, seconds", *sets)
    rows = [(method, *(cell(runs, name, method) for name in sets)) for method in methods]
    seeds = ", ".join(map(str, names(runs, "seed")))
    caption = (
        f"{describe(about)} Medians over seeds ({seeds}), with the lowest and the highest ACC; "
        "NMI with the arithmetic mean; seconds of a fit, the warm-up's included. All rows but the "
        "first share one warm-up a seed."
    )
    aimed = simple_table(("measure", "aim", "measured", "holds"), aims(runs))
    return f"{simple_table(header, rows)}\n\n{aimed}\n\n{caption}"


def cell(runs, name, method):
    """Return the figures of a method on a set."""
    acc, nmi, seconds = (
        column(runs, key, set=name, method=method) for key in ("acc", "nmi", "seconds")
    )
    return (
        f"{np.median(acc):.3f}, {acc.min():.3f} - {acc.max():.3f} / {np.median(nmi):.3f}, "
        f"{np.median(seconds):.1f} s"
    )


def aims(runs):
    """Return whether the adversarial loss, as it comes, is above what it begins from."""
    rows = []
    for name in names(runs, "set"):
        own = np.median(column(runs, "acc", set=name, method="adversarial"))
        for rival in list(METHODS)[:3]:
            other = np.median(column(runs, "acc", set=name, method=rival))
            told = (f"ACC of adversarial, {name}, beside {rival}", f"> {other:.3f}")
            rows.append((*told, f"{own:.3f}", holds(own > other)))
    return rows
