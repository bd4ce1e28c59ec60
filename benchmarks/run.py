"""Run the benchmarks and print their tables; with ``--write`` also store them.

Usage: ``python benchmarks/run.py [--only NAME ...] [--data FOLDER] [--sets NAME ...] [--write]``.
The names are given (with growth), learned, peers, mnist, overhead, streams, online, adversarial
and competitive; the default is all. ``--write`` stores the figures in ``benchmarks/results/`` and
all tables but that of competitive in the README. ``--merge`` runs the chosen sets and methods of
learned, peers or online alone, and keeps the other figures as they are stored.
"""

import argparse
import functools

import adversarial as adversarial_benchmark
import competitive as competitive_benchmark
import datasets
import deep_peers
import engine_overhead
import full_mnist
import given_features
import growth
import learned_features
import online as online_benchmark
import streams as stream_benchmark
from reports import circumstances, insert, merge, store


def given(options, load):
    """Run given features and growth; return the figures, the table and its marker."""
    figures = given_features.run(load, chosen(options.sets, datasets.LOADERS))
    scaling = None if options.no_growth else growth.run()
    about = circumstances()
    record = {"about": about, "given_features": figures, "growth": scaling}
    return record, given_features.tables(figures, scaling, about), "benchmark"


def learned(options, load):
    """Run learned features; return the figures, the table and its marker."""
    sets = chosen(options.sets, learned_features.SETS)
    methods = options.methods and chosen(options.methods, learned_features.METHODS)
    runs, notes = learned_features.run(
        load, sets, methods, options.seeds or learned_features.SEEDS
    )
    record = {"about": learned_features.about(), "notes": notes, "runs": runs}
    if options.merge:
        record = merge("learned_features", record)
    record["runs"] = learned_features.ordered(record["runs"])
    shown = (record["runs"], record["notes"], record["about"], record.get("later", ()))
    return record, learned_features.tables(*shown), "learned-features"


def peers(options, load):
    """Run the deep methods of ClustPy; return the figures and the tables, if it is installed."""
    if not deep_peers.installed():
        return None, "The deep peers are left out: clustpy was not installed.", None
    sets = chosen(options.sets, deep_peers.SETS)
    methods = chosen(options.methods, deep_peers.METHODS)
    runs = deep_peers.run(load, sets, methods, options.seeds or deep_peers.SEEDS)
    record = {"about": deep_peers.about(), "runs": runs}
    if options.merge:
        keys = ("set", "method") if options.methods else ("method", "set")
        record = merge("deep_peers", record, keys)
    record["runs"] = deep_peers.ordered(record["runs"])
    shown = (record["runs"], record["about"], record.get("later", ()))
    return record, deep_peers.tables(*shown), "deep-peers"


def mnist(options, load):
    """Run all of MNIST with the defaults; return the figures and the text."""
    runs = full_mnist.run(options.data, seeds=options.seeds or full_mnist.SEEDS)
    record = {"about": circumstances(), "runs": runs}
    return record, full_mnist.table(runs, record["about"]), "mnist"


def overhead(options, load):
    """Run the engine beside loops by hand; return the figures and the table."""
    figures = engine_overhead.run()
    keys = ("training", "batch", "engine", "by_hand", "ratio")
    rows = [dict(zip(keys, (*name, *row), strict=True)) for name, row in figures.items()]
    record = {"about": circumstances(), "runs": rows}
    return record, engine_overhead.table(figures, record["about"]), "overhead"


def streams(options, load):
    """Run streams; return the figures, the tables and their marker."""
    sets = chosen(options.sets, stream_benchmark.SETS)
    record = stream_benchmark.run(load, sets, growth=not options.no_growth)
    about = circumstances()
    return {"about": about, **record}, stream_benchmark.tables(record, about), "streams"


def online(options, load):
    """Run online deep clustering; return the figures and the tables."""
    sets = chosen(options.sets, online_benchmark.SETS)
    images = functools.partial(datasets.load_images, folder=options.data)
    methods = chosen(options.methods, online_benchmark.METHODS)
    seeds = options.seeds or online_benchmark.SEEDS
    runs = online_benchmark.run(images, sets, seeds, methods=methods)
    record = {"about": circumstances(), "runs": runs}
    if options.merge:
        keys = ("set", "method") if options.methods else ("method", "set")
        record = merge("online", record, keys)
        record["later"][-1]["names"] += ["DDCL's Lq", "times of a step"]
    record["times"] = online_benchmark.step_times()
    record["joint"] = online_benchmark.joint_runs()
    record["runs"] = online_benchmark.ordered(record["runs"])
    shown = (record[key] for key in ("runs", "joint", "times", "about"))
    return record, online_benchmark.tables(*shown, record.get("later", ())), "online"


def adversarial(options, load):
    """Run adversarial clustering beside its warm start; return the figures and the tables."""
    sets = chosen(options.sets, adversarial_benchmark.SETS)
    about = circumstances()
    runs = adversarial_benchmark.run(load, sets, options.seeds or adversarial_benchmark.SEEDS)
    record = {"about": about, "runs": runs}
    return record, adversarial_benchmark.tables(runs, about), "adversarial"


def competitive(options, load):
    """Time the competitive layers; return the figures and the table."""
    figures, about = competitive_benchmark.run(), circumstances()
    record = {"about": about, "growth": figures}
    return record, competitive_benchmark.tables(figures, about), None


PARTS = {
    "given": given,
    "learned": learned,
    "peers": peers,
    "mnist": mnist,
    "overhead": overhead,
    "streams": streams,
    "online": online,
    "adversarial": adversarial,
    "competitive": competitive,
}
FILES = {
    "given": "given_features",
    "learned": "learned_features",
    "peers": "deep_peers",
    "mnist": "full_mnist",
    "overhead": "engine_overhead",
    "streams": "streams",
    "online": "online",
    "adversarial": "adversarial",
    "competitive": "competitive",
}


METHODS = list(
    dict.fromkeys([*learned_features.METHODS, *deep_peers.METHODS, *online_benchmark.METHODS])
)
SETS = list(dict.fromkeys([*datasets.LOADERS, *online_benchmark.SETS]))


def chosen(wanted, offered):
    """Return the offered names that are wanted; None wants all."""
    return [name for name in offered if wanted is None or name in wanted]


def main():
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with .npz files; default: $SKLEARN_DDCL_DATA")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="which benchmarks")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="data sets")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, help="rows of learned, peers or online"
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        help="of learned, peers, mnist, online and adversarial; default: 0 for peers, 0 to 4 for "
        "online, else 0 to 2",
    )
    parser.add_argument("--no-growth", action="store_true", help="leave out 10^6 rows and more")
    parser.add_argument(
        "--merge", action="store_true", help="keep the stored figures of what is not run"
    )
    parser.add_argument("--write", action="store_true", help="write results and README.rst")
    options = parser.parse_args()
    load = functools.partial(datasets.load, folder=options.data)
    for name in chosen(options.only, PARTS):
        record, text, marker = PARTS[name](options, load)
        print(f"\n{text}\n", flush=True)
        if options.write and record is not None:
            store(FILES[name], record)
            if marker:
                insert(marker, text)


if __name__ == "__main__":
    main()
