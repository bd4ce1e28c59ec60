"""IncrementalDDCL beside MiniBatchKMeans: one pass, batch by batch.

Run by ``make bench``; alone: ``python benchmarks/run.py --only streams [--sets NAME ...]
[--no-growth]``.

All methods see the same batches in the same order, and are scored on all samples of the set after
the pass. Times are of one thread, the two methods in turns, medians of three passes. The literal
method of the paper's block 6 keeps no summary and takes one gradient step a batch.
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from reports import column, describe, names, scores, simple_table
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA

from sklearn_ddcl import DDCLClustering, IncrementalDDCL
from sklearn_ddcl.datasets import make_drifting_stream
from sklearn_ddcl.options import ExponentialTemperature, SoftmaxAssignment

SETS = ("digits", "digits, 20 components", "optdigits", "penbased", "satimage")
ORDERS = (0, 1, 2, 3, 4)
BATCH = 50
TIMED = ((50, 20, 400), (50, 64, 400), (1024, 16, 400), (1024, 64, 400))  # batch, features, number
ROWS = (1_000_000, 3_000_000, 10_000_000)  # of 64 float32 features: 2.5 GB in the end
DECAYS = (0.0, 0.0005, 0.001, 0.002)
LAST = 2_000

# In a process of its own, so that its memory is that of the fit alone.
PROGRAM = """
import json, sys, threading, time
import numpy as np, psutil
from sklearn_ddcl import IncrementalDDCL
path, n = sys.argv[1], int(sys.argv[2])
X = np.memmap(path, dtype=np.float32, mode="r", shape=(n, 64))
IncrementalDDCL(10, random_state=0).fit(np.random.default_rng(0).normal(size=(5_000, 64)))
process, peak, done = psutil.Process(), 0, threading.Event()
def watch():
    global peak
    while not done.is_set():
        peak = max(peak, process.memory_info().rss)
        done.wait(0.01)
before = process.memory_info().rss
watcher = threading.Thread(target=watch); watcher.start()
start = time.perf_counter()
model = IncrementalDDCL(10, random_state=0)
for first in range(0, n, 1024):
    model.partial_fit(X[first:first + 1024])
seconds = time.perf_counter() - start
done.set(); watcher.join()
print(json.dumps({"n": n, "seconds": seconds, "megabytes": (peak - before) / 2**20}))
"""


def literal(k, seed):
    """Return block 6 as the paper has it."""
    return IncrementalDDCL(
        k,
        assignment=SoftmaxAssignment(dual_learning_rate=0.5),
        temperature=ExponentialTemperature(initial=2.0, minimum=0.3, decay=30.0, relative=False),
        summary_size=0,
        standardize=True,
        random_state=seed,
    )


METHODS = {
    "MiniBatchKMeans": lambda k, seed: MiniBatchKMeans(k, random_state=seed),
    "IncrementalDDCL": lambda k, seed: IncrementalDDCL(k, random_state=seed),
    "widrow_hoff": lambda k, seed: IncrementalDDCL(k, assignment="widrow_hoff", random_state=seed),
    "block 6": literal,
}


def batches(X, seed, size):
    """Yield the samples in random order; the last batch takes what is left."""
    order = np.random.default_rng(seed).permutation(len(X))
    cuts = np.arange(size, len(X) - size + 1, size)
    yield from (np.ascontiguousarray(X[rows]) for rows in np.split(order, cuts))


def accuracy(load, sets, orders=ORDERS, report=print):
    """Return the scores of one pass for each set, order and method, and of batch DDCL."""
    runs = []
    for name in sets:
        X, y, k = load(name.partition(",")[0])
        X = X.astype(np.float64)
        if "components" in name:
            X = PCA(20, random_state=0).fit_transform(X)
        for order in orders:
            for method, make in METHODS.items():
                model = make(k, order)
                for batch in batches(X, order, BATCH):
                    model.partial_fit(batch)
                row = {"set": name, "method": method, "order": order}
                if hasattr(model, "history_"):
                    separations = [record["separation"] for record in model.history_]
                    row["separation"] = [separations[0], min(separations), separations[-1]]
                runs.append({**row, **scores(y, model.predict(X))})
            whole = DDCLClustering(k, backbone=None, random_state=order).fit(X)
            runs.append(
                {"set": name, "method": "DDCL, batch", "order": order, **scores(y, whole.labels_)}
            )
        found = {m: column(runs, "acc", set=name, method=m).mean() for m in names(runs, "method")}
        report(f"{name:24s} " + "  ".join(f"{m} {v:.3f}" for m, v in found.items()))
    return runs


def passes(size, width, number, seed=0):
    """Return batches of ten Gaussian classes."""
    rng = np.random.default_rng(seed)
    centres = 2.0 * rng.normal(size=(10, width))
    return [
        centres[rng.integers(10, size=size)] + rng.normal(size=(size, width))
        for _ in range(number)
    ]


def timed(make, stream):
    """Return the milliseconds of each call of a pass."""
    model, times = make(), []
    for batch in stream:
        start = time.perf_counter()
        model.partial_fit(batch)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def timings(cases=TIMED, repeats=3, report=print):
    """Return milliseconds a call of both methods, in turns, on one thread.

    The median call, and the mean over the pass: the first calls and every few of the later ones,
    when rows are merged and prototypes are moved, take longer.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    figures = []
    try:
        for size, width, number in cases:
            stream = passes(size, width, number)
            pairs = np.array(
                [
                    [
                        timed(lambda: MiniBatchKMeans(10, random_state=0), stream),
                        timed(lambda: IncrementalDDCL(10, random_state=0), stream),
                    ]
                    for _ in range(repeats)
                ]
            )  # (repeats, 2, calls)
            row = {"batch": size, "width": width, "calls": number}
            for name, summary in (("median", np.median), ("mean", np.mean)):
                theirs, ours = summary(pairs, axis=2).T
                row |= {
                    f"theirs_{name}": float(np.median(theirs)),
                    f"ours_{name}": float(np.median(ours)),
                    f"ratio_{name}": float(np.median(ours / theirs)),
                }
            figures.append(row)
            report(
                f"B = {size}, d = {width}: {row['theirs_median']:.3f} ms, ours "
                f"{row['ours_median']:.3f} ms, {row['ratio_median']:.2f}; mean over the pass "
                f"{row['ratio_mean']:.2f}"
            )
    finally:
        torch.set_num_threads(threads)
    return figures


def memory(rows=ROWS, report=print):
    """Return seconds and megabytes of passes over a file, each in a fresh process."""
    rng = np.random.default_rng(0)
    centres = 2.0 * rng.normal(size=(10, 64)).astype(np.float32)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.dat"
        data = np.memmap(path, dtype=np.float32, mode="w+", shape=(max(rows), 64))
        for start in range(0, len(data), 100_000):
            part = data[start : start + 100_000]
            part[:] = centres[rng.integers(10, size=len(part))]
            part += rng.standard_normal(size=part.shape, dtype=np.float32)
        data.flush()
        del data
        for n in rows:
            out = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(path), str(n)],
                check=True,
                capture_output=True,
                text=True,
            )
            figures.append(json.loads(out.stdout.splitlines()[-1]))
            row = figures[-1]
            report(f"n = {n:>10,}: {row['seconds']:.1f} s, {row['megabytes']:.0f} MB")
    return figures


def drift(decays=DECAYS, orders=ORDERS, report=print):
    """Return ACC on the last samples of streams that move, and of KMeans on those alone."""
    runs = []
    for seed in orders:
        X, y = make_drifting_stream(20_000, random_state=seed)
        X_last, y_last = X[-LAST:], y[-LAST:]
        k = len(np.unique(y_last))
        alone = KMeans(k, n_init=10, random_state=seed).fit_predict(X_last)
        runs.append({"method": "KMeans, last samples", "seed": seed, **scores(y_last, alone)})
        models = {"MiniBatchKMeans": MiniBatchKMeans(k, random_state=seed)} | {
            f"decay={decay:g}": IncrementalDDCL(k, decay=decay, random_state=seed)
            for decay in decays
        }
        for name, model in models.items():
            for start in range(0, len(X), BATCH):
                model.partial_fit(X[start : start + BATCH])
            runs.append({"method": name, "seed": seed, **scores(y_last, model.predict(X_last))})
    for name in names(runs, "method"):
        values = column(runs, "acc", method=name)
        report(f"{name:22s} ACC {values.mean():.3f} (least {values.min():.3f})")
    return runs


def run(load, sets=SETS, *, growth=True):
    """Run all four parts, and return their figures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return {
            "accuracy": accuracy(load, sets),
            "timings": timings(),
            "drift": drift(),
            "memory": memory() if growth else [],
        }


def tables(record, about):
    """Return the tables as RST."""
    return "\n\n".join(
        [
            _accuracy_table(record["accuracy"]),
            _timing_table(record["timings"]),
            _drift_table(record["drift"]),
            *([_memory_table(record["memory"])] if record["memory"] else []),
            describe(about),
        ]
    )


def _accuracy_table(runs):
    methods = names(runs, "method")
    rows = []
    for name in names(runs, "set"):
        found = {m: column(runs, "acc", set=name, method=m) for m in methods}
        ratio = found["IncrementalDDCL"].mean() / found["DDCL, batch"].mean()
        cells = (f"{found[m].mean():.3f} ± {found[m].std():.3f}" for m in methods)
        rows.append((name, *cells, f"{ratio:.2f}"))
    return (
        f"ACC after one pass in batches of {BATCH}, mean and deviation over "
        f"{len(names(runs, 'order'))} orders\n\n"
        + simple_table(("set", *methods, "ours / batch"), rows)
    )


def _timing_table(figures):
    rows = [
        (row["batch"], row["width"], row["calls"],
         *(f"{row[key]:.2f}" for key in ("theirs_median", "ours_median", "ratio_median",
                                         "theirs_mean", "ours_mean", "ratio_mean")))
        for row in figures
    ]  # fmt: skip
    header = ("batch", "features", "calls", "MiniBatchKMeans", "IncrementalDDCL", "ratio",
              "mean: theirs", "ours", "ratio")  # fmt: skip
    return (
        "Milliseconds of the median call of ``partial_fit``, and of the mean call of a pass "
        "(k = 10, one thread)\n\n" + simple_table(header, rows)
    )


def _drift_table(runs):
    rows = [
        (name, f"{column(runs, 'acc', method=name).mean():.3f}",
         f"{column(runs, 'acc', method=name).min():.3f}")
        for name in names(runs, "method")
    ]  # fmt: skip
    return (
        f"ACC on the last {LAST:,} samples of a stream that drifts, in batches of {BATCH}\n\n"
        + simple_table(("method", "mean", "least"), rows)
    )


def _memory_table(figures):
    rows = [
        (f"{row['n']:,}", f"{row['seconds']:.1f}", f"{row['seconds'] / row['n'] * 1e6:.2f}",
         f"{row['megabytes']:.0f}")
        for row in figures
    ]  # fmt: skip
    header = ("rows", "seconds", "seconds a million", "MB")
    return "A memory-mapped file of 64 float32 features, batches of 1,024\n\n" + simple_table(
        header, rows
    )
