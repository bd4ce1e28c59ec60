"""What the scripts of the papers' claims share: the table, and where it is written.

A script names a `Block` and ends with ``main(BLOCK)``. Run alone, it measures, prints
"paper | ours | holds?" and writes the table and the picture to ``doc/evidence/``, from which a
page of the documentation is made; with ``--tiny`` it only shows that it runs.
"""

import argparse
import csv
import datetime
import os
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

FOLDER = Path(__file__).resolve().parents[2] / "doc" / "evidence"
COLUMNS = ("claim", "paper", "ours", "holds", "why", "of")


class Claim(NamedTuple):
    """One claim of a paper and what was measured.

    Attributes
    ----------
    claim : str
        What the paper says, in words.
    paper : str
        Its figure, or "proved".
    ours : str
        What was measured.
    holds : bool
        Whether the measurement agrees.
    why : str
        Why it does not, or what was done differently.
    theorem : bool
        Whether it must hold at any size; the tests assert it.
    of : {"paper", "package"}
        Whose claim it is; the package's own are not counted.
    """

    claim: str
    paper: str
    ours: str
    holds: bool
    why: str = ""
    theorem: bool = False
    of: str = "paper"


class Block(NamedTuple):
    """A part of a paper that one script repeats.

    Attributes
    ----------
    name : str
        Name of the files.
    title : str
        Heading of its section.
    source : str
        Paper and section.
    sizes : dict of str to dict
        Keyword arguments of `measure` for ``"full"`` and ``"tiny"``; ``seeds``
        is among them.
    measure : callable
        Returns the figures.
    claims : callable
        Turns figures into a list of `Claim`.
    draw : callable or None
        Turns figures into a matplotlib Figure.
    """

    name: str
    title: str
    source: str
    sizes: dict[str, dict]
    measure: Callable
    claims: Callable
    draw: Callable | None = None


def main(block, arguments=None):
    """Run a block from the command line."""
    parser = argparse.ArgumentParser(description=block.title)
    parser.add_argument("--tiny", action="store_true", help="a test of seconds; writes nothing")
    options = parser.parse_args(arguments)
    start, size = time.perf_counter(), "tiny" if options.tiny else "full"
    figures = block.measure(**block.sizes[size])
    claims = block.claims(figures)
    about = circumstances(block, size, time.perf_counter() - start)
    print(as_text(block, claims, about))
    if not options.tiny:
        write(block, claims, about, figures)


def circumstances(block, size, seconds):
    """Return what the table was measured with."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(git, cwd=FOLDER, capture_output=True, text=True, check=False)
    return {
        "title": block.title,
        "source": block.source,
        "seeds": " ".join(map(str, block.sizes[size]["seeds"])),
        "date": datetime.date.today().isoformat(),
        "commit": done.stdout.strip() or "unknown",
        "seconds": f"{seconds:.0f}",
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }


def as_text(block, claims, about):
    """Return the table for a terminal."""
    lines = [f"{block.title} ({block.source})", ""]
    for claim in claims:
        lines += textwrap.wrap(claim.claim, 88, initial_indent="* ", subsequent_indent="  ")
        lines.append(f"    paper {claim.paper} | ours {claim.ours} | {verdict(claim)}")
        lines += textwrap.wrap(
            claim.why, 88, initial_indent="    why: ", subsequent_indent=" " * 9
        )
    printed = [claim.holds for claim in claims if claim.of == "paper"]
    end = (
        f"{sum(printed)} of {len(printed)} of the paper's hold. Seeds {about['seeds']}, "
        f"{about['seconds']} s."
    )
    return "\n".join([*lines, "", end])


def verdict(claim):
    """Return the last word on a claim."""
    return "holds" if claim.holds else "does not hold"


def write(block, claims, about, figures):
    """Write the table as CSV, and the picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{block.name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {key}: {value}\n" for key, value in about.items())
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((*claim[:3], verdict(claim), claim.why, claim.of) for claim in claims)
    print(f"Wrote {os.path.relpath(path)}.")
    if block.draw is not None:
        picture = path.with_suffix(".png")
        block.draw(figures).savefig(picture, dpi=100)
        print(f"Wrote {os.path.relpath(picture)}.")


def mean_and_deviation(values, digits=3):
    """Return mean and standard deviation as the papers print them."""
    values = torch.as_tensor(values, dtype=torch.float64)
    return f"{values.mean():.{digits}f} ± {values.std(correction=0):.{digits}f}"
