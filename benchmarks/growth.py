"""Growth of time and memory with the number of rows (d = 64, k = 100)."""

import json
import subprocess
import sys

import numpy as np

ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000)

# In a process of its own, so that the peak of one size does not hide that of the next.
PROGRAM = """
import json, resource, sys, threading, time
import numpy as np, psutil
from sklearn_ddcl import DDCLClustering
n, d, k = int(sys.argv[1]), 64, 100
rng = np.random.default_rng(0)
centres = rng.normal(scale=2.0, size=(k, d))
X = np.empty((n, d))
for start in range(0, n, 10_000):
    rows = slice(start, min(start + 10_000, n))
    X[rows] = centres[rng.integers(k, size=rows.stop - rows.start)]
    X[rows] += rng.normal(size=(rows.stop - rows.start, d))
DDCLClustering(k, backbone=None, random_state=1).fit(X[:2_000])
process, peak, done = psutil.Process(), 0, threading.Event()
def watch():
    global peak
    while not done.is_set():
        peak = max(peak, process.memory_info().rss)
        done.wait(0.005)
before = process.memory_info().rss
watcher = threading.Thread(target=watch); watcher.start()
times, passes = [], []
for seed in range(3):
    start = time.perf_counter()
    model = DDCLClustering(k, backbone=None, random_state=seed).fit(X)
    times.append(time.perf_counter() - start); passes.append(model.n_iter_)
done.set(); watcher.join()
print(json.dumps({"n": n, "seconds": float(np.median(times)), "passes": int(np.median(passes)),
                  "megabytes": (peak - before) / 2**20}))
"""


def run(rows=ROWS, report=print):
    """Fit once per size and seed, each size in a fresh process.

    Parameters
    ----------
    rows : sequence of int
        Sizes.
    report : callable
        Receives a line of text for each.

    Returns
    -------
    dict
        The sizes' figures, the slope of log time over log rows (from 10^5 rows on, where
        the search's bounded sample no longer hides the passes over all rows, and over
        all sizes), and the largest memory beside X.
    """
    figures = []
    for n in rows:
        out = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(n)], check=True, capture_output=True, text=True
        )
        figures.append(json.loads(out.stdout.splitlines()[-1]))
        row = figures[-1]
        report(f"n = {n:>9,}: {row['seconds']:.2f} s, {row['megabytes']:.0f} MB beside X")
    logs = np.log([[row["n"], row["seconds"]] for row in figures])
    large = logs[np.array(rows) >= 100_000]
    return {
        "sizes": figures,
        "slope": float(np.polyfit(*logs.T, 1)[0]),
        "slope_large": float(np.polyfit(*large.T, 1)[0]) if len(large) > 1 else None,
        "megabytes": max(row["megabytes"] for row in figures),
    }
