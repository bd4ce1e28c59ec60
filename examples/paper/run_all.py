"""Run every block of the papers, two at a time with one thread each; print what holds.

Usage: ``python examples/paper/run_all.py [--tiny] [NAME ...]``
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = {"evidence", "run_all"}
AT_ONCE = 2
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def names():
    """Return the names of all scripts."""
    found = {path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_")}
    return sorted(found - SHARED)


def run(name, options):
    """Run one script; return its name, exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py"), *options],
        env={**os.environ, **ONE_THREAD, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    return name, done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    """Run the scripts that are asked for; exit with 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*names(), []], metavar="NAME")
    parser.add_argument("--tiny", action="store_true", help="tests of seconds; write nothing")
    options = parser.parse_args()
    start, failed = time.perf_counter(), []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        flags = ["--tiny"] if options.tiny else []
        jobs = [pool.submit(run, name, flags) for name in options.names or names()]
        for job in jobs:
            name, status, text = job.result()
            print(f"\n==== {name}\n\n{text}", flush=True)
            failed += [name] * bool(status)
    print(f"{len(jobs)} blocks in {(time.perf_counter() - start) / 60:.0f} min.")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
