"""The benchmarks' scripts run and make their tables, on few rows; what they measure is theirs."""

import importlib
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def folder_on_path(monkeypatch):
    """Let scripts import each other, as they do when run."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])


def load(name):
    X, y = make_blobs(120, centers=3, n_features=4, random_state=0)
    return X, y, 3


ABOUT = {
    **{"date": "2026-01-01", "commit": "0", "cores": 1, "threads": 1, "machine": "m"},
    **{"python": "3", "scikit-learn": "1", "torch": "2"},
}


def test_learned_features_fill_their_tables():
    learned = importlib.import_module("learned_features")
    methods = ["kmeans", "ward", "warm-kmeans", "warm-joined"]
    lines = []
    runs, notes = learned.run(load, ["digits"], methods, seeds=(0, 1), report=lines.append)
    assert len(runs) == len(lines) == 2 + 1 + 2 + 2  # Ward runs once
    assert notes == []
    assert all(0 <= row["acc"] <= 1 and row["seconds"] > 0 for row in runs)
    text = learned.tables(runs, notes, ABOUT)
    for method in methods:
        assert text.count(f"\n{learned.METHODS[method][0]} ") == 2
    assert "seeds (0, 1)" in text


def test_aims_of_learned_features_say_what_holds():
    aims = importlib.import_module("learned_aims")

    def rows(method, *figures):
        return [
            {"set": "digits", "method": method, "seed": i, "acc": acc, "seconds": seconds}
            for i, (acc, seconds) in enumerate(figures)
        ]

    runs = [
        *rows("Ward", (0.84, 0.1)),
        *rows("UMAP + KMeans", (0.88, 4.0), (0.90, 6.0)),
        *rows("DDCLClustering", (0.88, 3.0), (0.88, 5.0)),
        *rows("joint phase, joined", (0.95, 3.0), (0.90, 3.0)),
        *rows("warm start, KMeans", (0.90, 3.0), (0.92, 3.0)),
    ]
    lines = [re.split(r"\s{2,}", line) for line in aims.table(runs).splitlines()[3:-1]]
    found = {line[0]: line[1:] for line in lines}
    assert found["ACC, digits, UMAP + KMeans less 0.02"] == [">= 0.870", "0.880", "yes"]
    assert found["ACC at or above the best of the others"] == ["most", "0 of 1", "no"]
    told = "ACC of joint phase, joined - warm start, KMeans, digits"
    assert found[f"{told}, median"][-2:] == ["+0.015", "yes"]
    assert found[f"{told}, least"][-2:] == ["-0.020", "no"]
    assert found["seconds of a fit / UMAP + KMeans, digits"] == ["<= 1", "0.80", "yes"]
    assert aims.table(runs[:1]) == ""


def test_deep_peers_fill_their_tables(monkeypatch):
    script = importlib.import_module("deep_peers")

    class Peer:
        def __init__(self, n_clusters=None, random_state=None):
            self.n_clusters = n_clusters

        def fit(self, X):
            assert X.dtype == np.float32
            self.labels_ = np.arange(len(X)) % (self.n_clusters or 2)
            return self

    module = types.SimpleNamespace(**dict.fromkeys(script.PEERS, Peer))
    monkeypatch.setitem(sys.modules, "clustpy.deep", module)
    runs = script.run(load, ["digits"], ["DDCLClustering", "IDEC", "DDC", "VaDE"], report=str)
    assert [row["method"] for row in runs] == ["DDCLClustering", "IDEC", "DDC"]  # not in [0, 1]
    assert [row["clusters"] for row in runs] == [3, 3, 2]
    for row, acc, seconds in zip(runs, (0.7, 0.6, 0.75), (1.0, 4.0, 9.0), strict=True):
        row.update(acc=acc, seconds=seconds)
    text = script.tables(runs, {**ABOUT, "clustpy": "0"})
    found = [re.split(r"\s{2,}", line)[1:] for line in text.split("\n\n")[1].splitlines()[3:-1]]
    assert found == [
        [">= 0.730", "0.700", "no"],
        ["<= 0.2", "0.250", "no"],
        ["most", "0 of 1", "no"],
    ]
    monkeypatch.setattr(script, "installed", lambda: False)
    assert "clustpy was not installed" in importlib.import_module("run").peers(None, load)[1]


def test_all_of_mnist_fills_its_table():
    script = importlib.import_module("full_mnist")
    row = {"rows": 70_000, "backbone": "mlp", "warm_up": "neighbors", "threads": 2, **ROW}
    times = {"seconds": 599.0, "seconds_warm_up": 1.0, "seconds_joint": 1.0}
    runs = [{**row, **times, "seed": i, "acc": acc} for i, acc in enumerate((0.9, 0.97, 0.98))]
    last = script.table(runs, ABOUT).split("\n\n")[1].splitlines()[3:-1]
    assert [line.split()[-2:] for line in last] == [["0.970", "yes"], ["599", "yes"]]


def test_a_missing_umap_leaves_a_note(monkeypatch):
    learned = importlib.import_module("learned_features")
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setattr(learned.importlib.util, "find_spec", lambda name: None)
    methods, notes = learned.available(["umap", "ward"])
    assert methods == ["ward"]
    assert "umap-learn was not installed" in notes[0]


def test_tables_and_markers(tmp_path, monkeypatch):
    reports = importlib.import_module("reports")
    readme = tmp_path / "README.rst"
    readme.write_text("a\n.. x-table-start\n\nold\n\n.. x-table-end\nb\n")
    monkeypatch.setattr(reports, "README", readme)
    reports.insert("x", reports.simple_table(("one", "two"), [("1", 22)]))
    expected = "===  ===\none  two\n===  ===\n1    22\n===  ==="
    assert readme.read_text() == f"a\n.. x-table-start\n\n{expected}\n\n.. x-table-end\nb\n"
    with pytest.raises(ValueError, match="unpack"):
        reports.insert("y", "")


ROW = {"acc": 0.5, "nmi": 0.5, "ari": 0.5, "seconds": 1.0}


def test_runs_are_merged_with_the_stored_ones(tmp_path, monkeypatch):
    reports = importlib.import_module("reports")
    monkeypatch.setattr(reports, "HERE", tmp_path / "benchmarks")
    (tmp_path / "benchmarks").mkdir()

    def rows(method, seeds, acc, name="digits"):
        return [{**ROW, "set": name, "method": method, "seed": i, "acc": acc} for i in seeds]

    first = [*rows("KMeans(n_init=10)", (0,), 0.1), *rows("DDCLClustering", (0, 1), 0.2)]
    reports.store("x", {"about": ABOUT, "notes": ["n"], "runs": first})
    newer = {**ABOUT, "commit": "newer"}
    fresh = [*rows("DDCLClustering", (0,), 0.3), *rows("OnlineDeepClustering", (0,), 0.4)]
    found = reports.merge("x", {"about": newer, "notes": [], "runs": fresh})
    assert found["runs"] == [first[0], *fresh]
    assert found["later"] == [
        {"names": ["DDCLClustering", "OnlineDeepClustering"], "about": newer}
    ]
    assert (found["about"], found["notes"]) == (ABOUT, ["n"])
    reports.store("x", found)
    other = rows("OnlineDeepClustering", (0,), 0.5, "optdigits")
    again = reports.merge("x", {"about": ABOUT, "runs": other})
    assert len(again["runs"]) == 4  # the same method on another set is kept
    assert [note["names"] for note in again["later"]] == [
        ["DDCLClustering"],
        ["OnlineDeepClustering"],
    ]
    learned = importlib.import_module("learned_features")
    runs = learned.ordered(again["runs"][::-1])
    assert [row["acc"] for row in runs] == [0.1, 0.3, 0.4, 0.5]
    text = learned.tables(runs, found["notes"], found["about"], found["later"])
    assert "--" in next(line for line in text.splitlines() if line.startswith("DDCLClustering"))
    assert "*DDCLClustering, OnlineDeepClustering*: 2026-01-01, commit newer" in text


def test_runs_without_stored_ones_are_not_lost(tmp_path, monkeypatch):
    reports = importlib.import_module("reports")
    monkeypatch.setattr(reports, "HERE", tmp_path)
    record = {"about": ABOUT, "runs": [{"set": "digits", "method": "a"}]}
    assert reports.merge("x", record) == record


def test_adversarial_clustering_fills_its_tables():
    adversarial = importlib.import_module("adversarial")
    lines = []
    runs = adversarial.run(load, ["digits"], seeds=(0, 1), report=lines.append)
    assert len(runs) == len(lines) == 2 * len(adversarial.METHODS) == 18
    assert all(0 <= row["acc"] <= 1 and row["seconds"] > 0 for row in runs)
    text = adversarial.tables(runs, ABOUT)
    for method in adversarial.METHODS:
        assert f"\n{method} " in text
    assert text.count("ACC of adversarial, digits, beside ") == 3
    assert "seeds (0, 1)" in text


@pytest.mark.parametrize(("load", "told"), [(0.7, False), (1.2, True), (None, False)])
def test_a_busy_machine_is_told(load, told):
    reports = importlib.import_module("reports")
    assert (", load 1.2," in reports.describe({**ABOUT, "load": load})) is told
    assert {*ABOUT, "scikit-learn"} <= set(reports.circumstances())


def test_streams_fill_their_tables(monkeypatch):
    streams = importlib.import_module("streams")
    monkeypatch.setattr(streams, "BATCH", 20)
    lines = []
    record = {
        "accuracy": streams.accuracy(load, ["digits"], orders=(0, 1), report=lines.append),
        "timings": streams.timings([(20, 3, 5)], repeats=1, report=lines.append),
        "drift": streams.drift(decays=(0.0,), orders=(0,), report=lines.append),
        "memory": streams.memory(rows=(3_000,), report=lines.append),
    }
    assert len(lines) == 1 + 1 + 3 + 1
    methods = [*streams.METHODS, "DDCL, batch"]
    assert [row["method"] for row in record["accuracy"]] == methods * 2
    assert all(min(row["separation"]) > 0 for row in record["accuracy"] if "separation" in row)
    text = streams.tables(record, ABOUT)
    assert text.count("=====\n\n") >= 3
    assert "3,000" in text


def test_online_fills_its_tables():
    online = importlib.import_module("online")
    rng = np.random.default_rng(0)

    def load_images(name):
        return rng.normal(size=(60, 16, 16, 1)).astype(np.float32), np.arange(60) % 3

    lines = []
    runs = online.run(load_images, ["mnist10k"], seeds=(0, 1), epochs=1, report=lines.append)
    assert len(runs) == len(lines) == 2 * len(online.METHODS) == 18
    assert all(0 <= row["cvar"] <= 40 and row["seconds"] > 0 for row in runs)
    times = online.step_times(ks=(10,), repeats=2)
    joint = online.joint_runs(seeds=(0,), epochs=1)
    assert len(joint) == 4
    text = online.tables(runs, joint, times, ABOUT)
    for label, _ in online.METHODS.values():
        assert f"\n{label} " in text
    assert "step, k = 10" in text
    assert "seeds (0, 1)" in text
    few = [{**row, "set": "cifar10"} for row in runs if row["seed"] == 0]
    later = [{"names": ["cifar10"], "about": ABOUT}]
    text = online.tables(online.ordered([*few, *runs]), joint, times, ABOUT, later)
    assert "seeds (0, 1) and (0,)" in text
    assert text.index(online.SETS["mnist10k"]) < text.index(online.SETS["cifar10"])
    assert text.endswith(
        "*cifar10*: 2026-01-01, commit 0, 1 cores (m), 1 torch threads, Python 3, "
        "scikit-learn 1, torch 2."
    )


@pytest.mark.parametrize(("name", "stored"), [("mnist10k", "mnist"), ("cifar10", "cifar10_test")])
def test_images_come_from_a_file_with_channels_last(name, stored, tmp_path):
    datasets = importlib.import_module("datasets")
    shape = (28, 28) if name == "mnist10k" else (32, 32, 3)
    X = np.random.default_rng(0).integers(0, 256, size=(5, *shape), dtype=np.uint8)
    np.savez(tmp_path / f"{stored}.npz", X=X, y=np.arange(5))
    images, labels = datasets.load_images(name, tmp_path)
    assert images.shape == (5, *shape[:2], 1 if name == "mnist10k" else 3)
    assert abs(float(images.mean())) < 1e-5
    assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("methods", [("sklearn",), ("sklearn", "sklearn")])
def test_kmeans_methods_fill_their_table(methods):
    script = importlib.import_module("kmeans_methods")
    cases = [("digits", 60, 3, 1, None), ("apart", 60, 3, 1, 4.0)]
    found = script.run(cases, repeats=1, methods=methods, report=lambda line: None)
    text = script.table(found, ABOUT)
    assert text.count(" 60 ") == 2
    assert ("inertia ratio" in text) is (len(methods) == 2)


def test_the_engine_is_timed_beside_loops_by_hand(monkeypatch):
    script = importlib.import_module("engine_overhead")
    for name in ("EPOCHS", "TURNS", "REPEATS"):
        monkeypatch.setattr(script, name, 1)
    monkeypatch.setattr(script, "N", 300)
    figures = script.run(batch_sizes=(256,), report=lambda line: None)
    assert [name for name, _ in figures][-2:] == [
        "DeepCluster, n_init=20",
        "DeepCluster, n_init=1",
    ]
    assert all(min(row) > 0 for row in figures.values())
    text = script.table(figures, ABOUT)
    assert text.count("<= 1.15") == 3
    assert text.count(" 256 ") == len(figures)


def test_competitive_layers_fill_their_table():
    competitive = importlib.import_module("competitive")
    lines = []
    figures = competitive.run(rows=[2_000], report=lines.append)
    assert len(figures) == len(lines) == 1
    assert "2,000" in competitive.tables(figures, ABOUT)
