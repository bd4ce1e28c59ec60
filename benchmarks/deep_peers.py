"""DDCLClustering beside the deep clustering methods of ClustPy, all with their defaults.

Run by ``make bench`` where ClustPy is installed; alone: ``python benchmarks/run.py --only peers
[--sets NAME ...] [--methods NAME ...] [--seeds 0]``. Each fit of a peer takes minutes.

All methods but DDC, which finds its own, know the number of classes; labels are read by the scores
alone. VaDE takes values from 0 to 1 only, and is left out on other sets. N2D gets two dimensions
for its t-SNE: its default, the number of clusters, is more than scikit-learn's t-SNE takes.
"""

import importlib
import importlib.metadata
import importlib.util

import numpy as np
from learned_features import SETS, ddcl, timed
from reports import (
    circumstances,
    column,
    describe,
    describe_later,
    holds,
    names,
    scores,
    simple_table,
)

SEEDS = (0,)
OURS = "DDCLClustering"
PEERS = ("DEC", "IDEC", "DCN", "DKM", "VaDE", "N2D", "DDC")
METHODS = (OURS, *PEERS)
PARAMETERS = {"N2D": {"manifold_params": {"n_components": 2}}}
KEYS = ("acc", "nmi", "seconds")
SHARE = 0.2  # of IDEC's seconds
SLACK = 0.02  # of ACC, which no set may lack to the best of the peers


class Case:
    """What `learned_features` passes to its methods."""

    def __init__(self, X, k, seed):
        self.X, self.k, self.seed = X, k, seed


def installed():
    """Tell whether ClustPy can be imported."""
    return importlib.util.find_spec("clustpy") is not None


def about():
    """Return the circumstances, with the version of ClustPy."""
    return {**circumstances(), "clustpy": importlib.metadata.version("clustpy")}


def fit(method, case):
    """Return labels and seconds of one method."""
    if method == OURS:
        return ddcl(case)
    model = getattr(importlib.import_module("clustpy.deep"), method)
    known = {} if method == "DDC" else {"n_clusters": case.k}
    peer = model(random_state=case.seed, **known, **PARAMETERS.get(method, {}))
    return timed(lambda: peer.fit(case.X).labels_)


def takes(method, X):
    """Tell whether a method can be given these values."""
    return method != "VaDE" or (X.min() >= 0.0 and X.max() <= 1.0)


def run(load, sets=SETS, methods=METHODS, seeds=SEEDS, report=print):
    """Measure all sets, reporting each run as it is done.

    Parameters
    ----------
    load : callable
        ``load(name) -> X, y, k``.
    sets, methods : sequence of str
        Data sets with classes, and names of ``METHODS``.
    seeds : sequence of int
        Seeds.
    report : callable
        Receives a line of text for each run.

    Returns
    -------
    list of dict
        Set, method, seed, ACC, NMI, ARI, number of clusters and seconds of each run.
    """
    if OURS in methods:  # no fit is charged with imports
        fit(OURS, Case(np.random.default_rng(0).normal(size=(200, 8)), 3, 0))
    runs = []
    for name in sets:
        X, y, k = load(name)
        X = X.astype(np.float32)  # what the peers' networks take
        for seed in seeds:
            for method in (method for method in methods if takes(method, X)):
                labels, seconds = fit(method, Case(X, k, seed))
                row = {"set": name, "method": method, "seed": seed, **scores(y, labels)}
                runs.append({**row, "seconds": seconds})
                report(
                    f"{name:10s} {method:15s} seed {seed}  ACC {row['acc']:.3f}  "
                    f"NMI {row['nmi']:.3f}  ARI {row['ari']:.3f}  {seconds:.1f} s"
                )
    return runs


def ordered(runs):
    """Return runs in the order of sets, methods and seeds, however they were measured."""
    return sorted(
        runs, key=lambda row: (SETS.index(row["set"]), METHODS.index(row["method"]), row["seed"])
    )


def medians(runs, name):
    """Return the medians over seeds on a set, by method."""
    found = {}
    for method in METHODS:
        columns = [column(runs, key, set=name, method=method) for key in KEYS]
        if len(columns[0]):
            found[method] = dict(zip(KEYS, np.median(columns, axis=1), strict=True))
    return found


def aims(runs):
    """Return measures, aims and what was measured, where there are runs for them."""
    rows, above = [], []
    for name in names(runs, "set"):
        found = medians(runs, name)
        peers = [method for method in PEERS if method in found]
        if OURS not in found or not peers:
            continue
        best = max(peers, key=lambda method: found[method]["acc"])
        own, most = found[OURS]["acc"], found[best]["acc"]
        above.append(own >= most)
        told = f"{own:.3f}", holds(own >= most - SLACK)
        rows.append((f"ACC, {name}, {best} less {SLACK}", f">= {most - SLACK:.3f}", *told))
        if "IDEC" in found:
            share = found[OURS]["seconds"] / found["IDEC"]["seconds"]
            told = f"<= {SHARE}", f"{share:.3f}", holds(share <= SHARE)
            rows.append((f"seconds of a fit / IDEC, {name}", *told))
    told = f"{sum(above)} of {len(above)}", holds(sum(above) > len(above) / 2)
    return [*rows, ("ACC at or above the best of these", "most", *told)] if above else []


def tables(runs, about, later=()):
    """Return the tables and their caption as RST.

    Parameters
    ----------
    runs : list of dict
        As returned by `run`.
    about : dict
        As returned by `about`.
    later : sequence of dict
        Rows of other runs, as `reports.merge` notes them.

    Returns
    -------
    str
        Medians of ACC, NMI and seconds, and what should hold of them.
    """
    sets = names(runs, "set")
    found = {name: medians(runs, name) for name in sets}

    def cell(method, name):
        if method not in found[name]:
            return "--"
        return "{acc:.3f} / {nmi:.3f}, {seconds:.1f} s".format(**found[name][method])

    body = [(method, *(cell(method, name) for name in sets)) for method in names(runs, "method")]
    seeds = ", ".join(map(str, names(runs, "seed")))
    caption = (
        f"{describe(about)} ClustPy {about['clustpy']}. ACC / NMI (arithmetic) and seconds of a "
        f"fit, medians over seeds ({seeds}), in one process. All have their defaults and the true "
        "number of classes, but for DDC, which finds its own; N2D has a t-SNE in two dimensions. "
        "What shows *--* has not been run on that set."
    )
    shown = [simple_table(("ACC / NMI, seconds", *sets), body)]
    if rows := aims(runs):
        shown.append(simple_table(("measure", "aim", "measured", "holds"), rows))
    return "\n\n".join([*shown, " ".join([caption, *map(describe_later, later)])])
