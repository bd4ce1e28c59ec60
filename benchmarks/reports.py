"""What the benchmarks share: scores, circumstances, tables, and where they are written."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

import numpy as np
import sklearn
import torch

from sklearn_ddcl.metrics import (
    adjusted_rand_score,
    clustering_accuracy_score,
    normalized_mutual_info_score,
)

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.rst"


def circumstances():
    """Return date, commit, machine and versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
    ).stdout.strip()
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit or "unknown",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
    }


def describe(about):
    """Return the circumstances as a sentence."""
    cores, load = about["cores"], about.get("load") or 0.0
    busy = f", load {load}" if load > cores else ""
    return (
        f"{about['date']}, commit {about['commit']}, {cores} cores ({about['machine']}){busy}, "
        f"{about['threads']} torch threads, Python {about['python']}, "
        f"scikit-learn {about['scikit-learn']}, torch {about['torch']}."
    )


def scores(y, labels, average_method="arithmetic"):
    """Return ACC, NMI, ARI and the number of clusters in use.

    The arithmetic mean of the entropies is scikit-learn's NMI, the geometric one the paper's.
    """
    return {
        "acc": clustering_accuracy_score(y, labels),
        "nmi": normalized_mutual_info_score(y, labels, average_method=average_method),
        "ari": adjusted_rand_score(y, labels),
        "clusters": len(np.unique(labels)),
    }


def column(runs, key, **wanted):
    """Return one figure of all runs that have the wanted values."""
    rows = [row for row in runs if all(row[name] == value for name, value in wanted.items())]
    return np.array([row[key] for row in rows], dtype=float)


def names(runs, key):
    """Return the values of a key in the order in which they come."""
    return list(dict.fromkeys(row[key] for row in runs))


def holds(fact):
    """Return yes or no."""
    return "yes" if fact else "no"


def simple_table(header, rows):
    """Return a simple RST table."""
    rows = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = "  ".join("=" * width for width in widths)

    def line(row):
        return "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()

    return "\n".join([rule, line(header), rule, *map(line, rows), rule])


def merge(name, record, keys=("set", "method")):
    """Add runs to the stored ones, in the place of those of the same set and method.

    Parameters
    ----------
    name : str
        File in ``benchmarks/results``, without suffix.
    record : dict
        New figures, with ``about`` and ``runs``.
    keys : sequence of str
        Keys by which runs are the same, the last of which names them.

    Returns
    -------
    dict
        The stored record with the new runs at the end, and under ``later`` which
        they are and how they were measured; the new one where none is stored.
    """
    stored = HERE / "results" / f"{name}.json"
    if not stored.exists():
        return record
    old = json.loads(stored.read_text())
    fresh = {tuple(row[key] for key in keys) for row in record["runs"]}
    kept = [row for row in old["runs"] if tuple(row[key] for key in keys) not in fresh]
    told = names(record["runs"], keys[-1])
    notes = [
        {**note, "names": [one for one in note["names"] if one not in told]}
        for note in old.get("later", [])
    ]
    notes = [note for note in notes if note["names"]]
    new = {"names": told, "about": record["about"]}
    return {**old, "runs": kept + record["runs"], "later": [*notes, new]}


def describe_later(note):
    """Return what was measured at another time, and how, as a sentence."""
    return f"*{', '.join(note['names'])}*: {describe(note['about'])}"


def store(name, record):
    """Write figures to ``benchmarks/results/<name>.json``."""
    (HERE / "results").mkdir(exist_ok=True)
    path = HERE / "results" / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"Wrote {path.relative_to(HERE.parent)}.")


def insert(marker, text):
    """Put text between README.rst's markers ``<marker>-table-start`` and ``-end``."""
    start, end = f".. {marker}-table-start", f".. {marker}-table-end"
    readme = README.read_text()
    head, rest = readme.split(start)
    tail = rest.split(end)[1]
    README.write_text(f"{head}{start}\n\n{text}\n\n{end}{tail}")
    print(f"Wrote the {marker} table of {README.name}.")
