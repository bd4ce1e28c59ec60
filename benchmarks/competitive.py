"""What the competitive layers cost: seconds of a fit in mini-batches, by the number of rows.

Run by ``make bench``; alone: ``python benchmarks/run.py --only competitive``. What holds of the
paper's figures is in ``examples/paper/competitive.py``.
"""

import time

import numpy as np
from reports import describe, simple_table

from sklearn_ddcl import CompetitiveClustering

ROWS, WIDTH, MANY = (125_000, 250_000, 500_000, 1_000_000), 32, 256


def run(rows=ROWS, report=print):
    """Fit to more and more rows.

    Parameters
    ----------
    rows : sequence of int
        Numbers of rows.
    report : callable
        Receives a line of text for each.

    Returns
    -------
    list of dict
        Rows, seconds and components of each.
    """
    figures = []
    for n in rows:
        figures.append(grow(n))
        report(f"n = {n:,}: {figures[-1]['seconds']:.1f} s")
    return figures


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


def tables(figures, about):
    """Return the table as text."""
    rows = [(f"{row['n']:,}", f"{row['seconds']:.1f}", row["components"]) for row in figures]
    return (
        f"d = {WIDTH}, {MANY} prototypes, 50 clusters, mini-batches, 5 epochs. {describe(about)}"
        "\n\n" + simple_table(("samples", "seconds", "components found"), rows)
    )
