"""k-means of DeepClusterBaseline's epochs by scikit-learn and by faiss.

Usage: ``python benchmarks/kmeans_methods.py``. Features as the baseline has them: whitened and on
the unit sphere, float32. Both sides take turns with the same number of starts; "apart" are 64
features of separated clusters, "mixed" of clusters that overlap.
"""

import importlib.util
import time

import numpy as np
import torch
from reports import circumstances, describe, simple_table
from sklearn.datasets import load_digits

from sklearn_ddcl.engine import fit_whitening, resolve_kmeans

WIDTH = 32
# name, rows, clusters, starts, separation
CASES = (
    ("digits", 1_797, 10, 20, None),
    ("apart", 70_000, 10, 20, 4.0),
    ("mixed", 70_000, 10, 20, 0.5),
    ("apart", 20_000, 100, 5, 4.0),
    ("mixed", 20_000, 100, 5, 0.5),
    ("apart", 70_000, 100, 5, 4.0),
    ("mixed", 70_000, 100, 5, 0.5),
    ("mixed", 70_000, 300, 2, 0.5),
)


def features(n, k, separation):
    """Return whitened features of norm 1."""
    if separation is None:
        x, _ = load_digits(return_X_y=True)
        x = x[:n] / 16
    else:
        generator = np.random.default_rng(0)
        means = separation * generator.normal(size=(k, 64))
        x = generator.normal(size=(n, 64)) + means[generator.integers(k, size=n)]
    z = torch.from_numpy(x)
    return fit_whitening(z, None, WIDTH)(z).float().numpy()


def run(cases=CASES, repeats=3, methods=("sklearn", "faiss"), report=print):
    """Time each method on each case.

    Parameters
    ----------
    cases : sequence of tuple
        Name, rows, clusters, starts and separation.
    repeats : int
        Turns.
    methods : sequence of str
        Names of `resolve_kmeans`; the first is what others are compared with.
    report : callable
        Receives a line of text for each case.

    Returns
    -------
    list of tuple
        Case, and for each method seconds (median) and inertia.
    """
    found = []
    for name, n, k, starts, separation in cases:
        z = features(n, k, separation)
        seconds, inertia = {method: [] for method in methods}, {}
        for _ in range(repeats):
            for method in methods:
                start = time.perf_counter()
                inertia[method] = resolve_kmeans(method)(z, None, k, starts, 0).inertia
                seconds[method].append(time.perf_counter() - start)
        figures = [(float(np.median(seconds[method])), inertia[method]) for method in methods]
        found.append(((name, n, k, starts), figures))
        report(f"{found[-1]}")
    return found


def table(found, about):
    """Return the table and the circumstances as RST; one row a case."""
    rows = []
    for (name, n, k, starts), (first, *others) in found:
        cells = [f"{first[0]:.2f}"]
        for seconds, inertia in others:
            cells += [f"{seconds:.2f}", f"{seconds / first[0]:.2f}", f"{inertia / first[1]:.4f}"]
        rows.append((name, f"{n:,}", k, starts, *cells))
    header = ("features", "rows", "clusters", "starts", "sklearn, s")
    if rows and len(rows[0]) > len(header):
        header += ("faiss, s", "ratio", "inertia ratio")
    return f"{simple_table(header, rows)}\n\nMedians. {describe(about)}"


if __name__ == "__main__":
    installed = importlib.util.find_spec("faiss") is not None
    print(table(run(methods=("sklearn", "faiss") if installed else ("sklearn",)), circumstances()))
    if not installed:
        print("faiss is not installed: pip install 'sklearn-ddcl[faiss]'.")
