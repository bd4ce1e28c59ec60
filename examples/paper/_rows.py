"""Rows that several tables have: a method's scores beside the printed ones."""

import numpy as np
from evidence import Claim, mean_and_deviation

from sklearn_ddcl.metrics import (
    adjusted_rand_score,
    clustering_accuracy_score,
    normalized_mutual_info_score,
)

SCORES = (clustering_accuracy_score, normalized_mutual_info_score, adjusted_rand_score)


def judge(y, partitions):
    """Return accuracy, NMI and ARI, each with a value for every run."""
    return np.array([[score(y, labels) for score in SCORES] for labels in partitions]).T


def overlaps(printed, values):
    """Tell whether the paper's mean and deviation and ours have a common range."""
    mean, deviation = map(float, printed.split(" ± "))
    return bool(abs(np.mean(values) - mean) <= deviation + np.std(values))


def compare(claim, paper, ours, holds, why, of="paper"):
    """Return a claim, with the reason only if it does not hold."""
    return Claim(claim, paper, ours, bool(holds), "" if holds else why, of=of)


def method_row(name, table, printed, scores, why):
    """Compare a method's three scores with the printed ones."""
    return compare(
        f"{name}: ACC, NMI, ARI ({table})",
        ", ".join(printed),
        ", ".join(map(mean_and_deviation, scores)),
        all(overlaps(*pair) for pair in zip(printed, scores, strict=True)),
        why,
    )


def clearly_higher(a, b):
    """Tell whether one mean exceeds the other by more than both deviations together."""
    return bool(np.mean(a) - np.mean(b) > np.std(a) + np.std(b))
