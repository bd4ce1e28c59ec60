"""Run the benchmarks, print their tables, and write them into README.rst.

Usage: ``python benchmarks/run.py [--data FOLDER] [--only NAME ...] [--write]``.
``--write`` stores the figures in ``benchmarks/results/`` and the table in the README.
"""

import argparse
import datetime
import functools
import json
import os
import platform
import subprocess
from pathlib import Path

import datasets
import given_features
import growth
import numpy as np
import sklearn
import torch

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.rst"
START, END = ".. benchmark-table-start", ".. benchmark-table-end"


def circumstances():
    """Return date, commit, machine and versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
    ).stdout.strip()
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit or "unknown",
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
    }


def bars(figures, scaling):
    """Return (measure, bar, value, whether it holds) of each demand."""
    values = list(figures.values())

    def column(name):
        return np.array([row[name] for row in values])

    ratio, time, predict = column("inertia_ratio"), column("time_ratio"), column("predict_ratio")
    narrower = int((column("spread") < column("kmeans_spread")).sum())
    rows = [
        ("inertia / best of KMeans(n_init=10), worst set", "<= 1.005", f"{ratio.max():.4f}",
         ratio.max() <= 1.005),
        ("the same, median", "<= 1.000", f"{np.median(ratio):.5f}", np.median(ratio) <= 1.0),
        ("fit time / KMeans(n_init=10), median", "<= 0.7", f"{np.median(time):.2f}",
         np.median(time) <= 0.7),
        ("spread over seeds below KMeans(n_init=1)", "all sets", f"{narrower} of {len(values)}",
         narrower == len(values)),
        ("predict throughput / KMeans.predict, median (80 MB of rows)", ">= 1.0",
         f"{np.median(predict):.2f}", np.median(predict) >= 1.0),
        ("the same on the sets' own rows, 569 to 34,160", ">= 1.0",
         f"{np.median(column('predict_ratio_once')):.2f}",
         np.median(column("predict_ratio_once")) >= 1.0),
    ]  # fmt: skip
    if scaling:
        rows += [
            ("slope of log time over log rows, 10^4 to 10^6", "<= 1.05",
             f"{scaling['slope']:.2f}", scaling["slope"] <= 1.05),
            ("the same from 10^5 rows", "<= 1.05", f"{scaling['slope_large']:.2f}",
             scaling["slope_large"] <= 1.05),
            ("memory beside X, 10^6 rows", "< 100 MB", f"{scaling['megabytes']:.0f} MB",
             scaling["megabytes"] < 100),
        ]  # fmt: skip
    return rows


def as_rst(header, rows):
    """Return a simple RST table."""
    rows = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = "  ".join("=" * width for width in widths)

    def line(row):
        return "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()

    return "\n".join([rule, line(header), rule, *map(line, rows), rule])


def tables(figures, scaling, about):
    """Return both tables with their caption as RST."""
    header = ("data", "rows x features, k", "inertia (worst)", "KMeans'", "time", "seconds",
              "KMeans'", "spread", "KMeans'", "predict", "ACC", "KMeans'")  # fmt: skip
    body = []
    for name, row in figures.items():
        acc, their_acc = (
            "--" if np.isnan(row[key]) else f"{row[key]:.3f}" for key in ("acc", "kmeans_acc")
        )
        body.append(
            (name.split(" (")[0], f"{row['n']} x {row['d']}, {row['k']}",
             f"{row['inertia_ratio']:.4f} ({row['inertia_ratio_worst']:.4f})",
             f"{row['kmeans_inertia_ratio']:.4f}", f"{row['time_ratio']:.2f}",
             f"{row['seconds']:.3f}", f"{row['kmeans_seconds']:.3f}", f"{row['spread']:.0e}",
             f"{row['kmeans_spread']:.0e}", f"{row['predict_ratio']:.2f}", acc, their_acc)
        )  # fmt: skip
    verdicts = [(a, b, c, "yes" if ok else "no") for a, b, c, ok in bars(figures, scaling)]
    caption = (
        f"{about['date']}, commit {about['commit']}, {about['cores']} cores ({about['machine']}), "
        f"Python {about['python']}, scikit-learn {about['scikit-learn']}, torch {about['torch']}. "
        "Medians of seeds 0, 1, 2 (in brackets the worst of them), the two estimators side by "
        "side in one process; each column of KMeans' stands right of ours. *Inertia* is divided "
        "by the best of three ``KMeans(n_init=10)``; *time* is the median of the seeds' ratios to "
        "their fits; *spread* is the standard deviation of the inertia over ten seeds, beside "
        "that of ``KMeans(n_init=1)``, divided by the same best; *predict* is KMeans' time over "
        "ours on the rows repeated up to 80 MB. The slopes are low because the search runs on a "
        "bounded sample, so that only the finish grows with the rows."
    )
    return "\n\n".join([as_rst(header, body), as_rst(("measure", "aim", "measured", "holds"),
                        verdicts), caption])  # fmt: skip


def write(text, record):
    """Store the figures, and put the tables between the README's markers."""
    (HERE / "results").mkdir(exist_ok=True)
    path = HERE / "results" / "given_features.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    readme = README.read_text()
    head, rest = readme.split(START)
    tail = rest.split(END)[1]
    README.write_text(f"{head}{START}\n\n{text}\n\n{END}{tail}")
    print(f"Wrote {path.relative_to(HERE.parent)} and the table of README.rst.")


def main():
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with .npz files; default: $SKLEARN_DDCL_DATA")
    parser.add_argument("--only", nargs="+", choices=list(datasets.LOADERS), help="data sets")
    parser.add_argument("--no-growth", action="store_true", help="leave out the 10^6 rows")
    parser.add_argument("--write", action="store_true", help="write results and README.rst")
    options = parser.parse_args()
    load = functools.partial(datasets.load, folder=options.data)
    figures = given_features.run(load, options.only or list(datasets.LOADERS))
    scaling = None if options.no_growth else growth.run()
    about = circumstances()
    text = tables(figures, scaling, about)
    print(f"\n{text}\n")
    if options.write:
        write(text, {"about": about, "given_features": figures, "growth": scaling})


if __name__ == "__main__":
    main()
