"""Directive ``evidence``: a section for each table in ``doc/evidence/``."""

import ast
import csv
import re
from pathlib import Path

from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).resolve().parents[1] / "evidence"
SCRIPTS = FOLDER.parents[1] / "examples" / "paper"
HEADER = ("Claim", "Paper", "Ours", "Holds?")


class Evidence(SphinxDirective):
    """A summary, then all tables, one section each: the blocks of the DDCL paper first."""

    def run(self):
        paths = sorted(FOLDER.glob("*.csv"), key=reading_order)
        text = summary(paths)
        for path in paths:
            self.env.note_dependency(str(path))
            text += section(path)
        return self.parse_text_to_nodes(StringList(text), allow_section_headings=True)


def reading_order(path):
    """Return a key that sorts the blocks of the DDCL paper and its theorems first."""
    return not path.stem.startswith("ddcl"), path.stem != "theory", path.stem


def read(path):
    """Return the circumstances and the rows of one table."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line[2:].split(": ", 1) for line in lines if line.startswith("# ")]
    rows = csv.DictReader(line for line in lines if not line.startswith("# "))
    return dict(head), list(rows)


def summary(paths):
    """Return a table of the sections, with how many claims of the paper hold."""
    cells = [("Section", "Claims that hold", "Seconds")]
    for path in paths:
        about, rows = read(path)
        cells.append((f"`{about['title']}`_", count(rows), about["seconds"]))
    return table(cells, "60 22 18")


def count(rows):
    """Return how many of the paper's claims hold."""
    printed = [row["holds"] == "holds" for row in rows if row["of"] == "paper"]
    return f"{sum(printed)} of {len(printed)}"


def section(path):
    """Return one section as lines of reStructuredText."""
    about, rows = read(path)
    threads = f"{about['threads']} thread" + "s" * (about["threads"] != "1")
    lines = [about["title"], "-" * len(about["title"]), ""]
    lines += [
        f"{about['source']}. **{count(rows)} claims hold.** Measured by "
        f"``examples/paper/{path.stem}.py`` with seeds {about['seeds']} on {about['date']} at "
        f"commit {about['commit']}, in {about['seconds']} s ({threads}, torch "
        f"{about['torch']}).",
        "",
        *protocol(path.stem),
        "",
    ]
    lines += claims([row for row in rows if row["of"] == "paper"])
    own = [row for row in rows if row["of"] != "paper"]
    if own:
        lines += ["Beyond the paper:", "", *claims(own)]
    if path.with_suffix(".png").exists():
        lines += [f".. image:: evidence/{path.stem}.png", f"   :alt: {about['title']}", ""]
    return lines


def protocol(name):
    """Return what the script says of its set-up, after its title."""
    told = ast.get_docstring(ast.parse((SCRIPTS / f"{name}.py").read_text(encoding="utf-8")))
    return told.split("\n\n", 1)[1].splitlines()


def claims(rows):
    """Return a table of claims."""
    cells = [HEADER] + [
        (row["claim"], row["paper"], row["ours"], " ".join(filter(None, verdict(row))))
        for row in rows
    ]
    return table(cells, "32 14 28 26")


def table(cells, widths):
    """Return a list-table whose first row is its header."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in cells:
        lines += [
            f"   {'* - ' if not position else '  - '}{plain(cell)}"
            for position, cell in enumerate(row)
        ]
    return [*lines, ""]


def plain(cell):
    """Return a cell that is no list, although it may begin as one: "(1) V grows"."""
    return re.sub(r"^(?=\(?\w{1,4}[.)] |[-+*] )", r"\\", cell)


def verdict(row):
    """Return the words of the last column."""
    return f"**{row['holds']}**.", row["why"]


def setup(app):
    """Register the directive."""
    app.add_directive("evidence", Evidence)
    return {"parallel_read_safe": True}
