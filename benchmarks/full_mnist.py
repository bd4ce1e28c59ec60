"""DDCLClustering on all 70,000 images of MNIST: ACC and seconds, on two threads.

Run by ``make bench``; alone: ``python benchmarks/full_mnist.py [--data FOLDER]
[--backbone mlp|cnn] [--warm-up neighbors|autoencoder|simclr] [--rows N] [--threads 2]``.
"""

import argparse
import time

import datasets
import numpy as np
import torch
from reports import circumstances, describe, holds, scores, simple_table

from sklearn_ddcl import DDCLClustering

SEEDS = (0, 1, 2)
BACKBONES = ("mlp", "cnn")
WARM_UPS = ("neighbors", "autoencoder", "simclr")


def run(folder=None, backbone="mlp", warm_up="neighbors", *, seeds=SEEDS, rows=None, threads=2):
    """Fit once for each seed.

    Parameters
    ----------
    folder : str or None
        See `datasets.load_file`.
    backbone, warm_up : str
        Parameters of the estimator.
    seeds : sequence of int
        Seeds.
    rows : int or None
        How many images, the first ones; None takes all.
    threads : int
        Threads of torch during the fits.

    Returns
    -------
    list of dict
        Scores, seconds of fit and of the parts of it, and the options of each run.
    """
    X, y = datasets.load_mnist(folder)
    X, y = X[:rows].astype(np.float32), y[:rows]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return [fit(X, y, backbone, warm_up, seed, threads) for seed in seeds]
    finally:
        torch.set_num_threads(before)


def fit(X, y, backbone, warm_up, seed, threads):
    """Fit with one seed, and return the figures."""
    model = DDCLClustering(10, backbone=backbone, warm_up=warm_up, random_state=seed)
    start = time.perf_counter()
    model.fit(X)
    seconds = time.perf_counter() - start
    last = {record["phase"]: record["seconds"] for record in model.history_}  # since its start
    warm = last.pop("pretext", 0.0)
    joint = max(last.values())
    row = {"rows": len(X), "backbone": backbone, "warm_up": warm_up, "seed": seed}
    row |= {"threads": threads, **scores(y, model.labels_), "agreement": model.agreement_}
    return row | {"seconds": seconds, "seconds_warm_up": warm, "seconds_joint": joint}


def table(runs, about):
    """Return the runs and the circumstances as RST."""
    header = ("rows", "backbone", "warm-up", "seed", "threads", "ACC", "NMI", "ARI", "seconds",
              "of these warm-up", "joint phase")  # fmt: skip
    body = [
        (row["rows"], row["backbone"], row["warm_up"], row["seed"], row["threads"],
         *(f"{row[key]:.3f}" for key in ("acc", "nmi", "ari")),
         *(f"{row[key]:.1f}" for key in ("seconds", "seconds_warm_up", "seconds_joint")))
        for row in runs
    ]  # fmt: skip
    acc = float(np.median([row["acc"] for row in runs]))
    seconds = max(row["seconds"] for row in runs)
    aims = [
        ("ACC, median", ">= 0.97", f"{acc:.3f}", holds(acc >= 0.97)),
        ("seconds, longest", "< 600", f"{seconds:.0f}", holds(seconds < 600)),
    ]
    shown = [
        simple_table(header, body),
        simple_table(("measure", "aim", "measured", "holds"), aims),
        f"MNIST. {describe(about)}",
    ]
    return "\n\n".join(shown)


def main():
    """Parse the command line, run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with mnist.npz; default: $SKLEARN_DDCL_DATA")
    parser.add_argument("--backbone", choices=BACKBONES, default="mlp")
    parser.add_argument("--warm-up", choices=WARM_UPS, default="neighbors")
    parser.add_argument("--rows", type=int, help="the first so many images; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    options = parser.parse_args()
    runs = run(
        options.data,
        options.backbone,
        options.warm_up,
        seeds=options.seeds,
        rows=options.rows,
        threads=options.threads,
    )
    print(table(runs, circumstances()))


if __name__ == "__main__":
    main()
