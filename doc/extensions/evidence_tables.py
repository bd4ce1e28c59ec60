"""Directive ``evidence``: a section for each table in ``doc/evidence/``."""

import csv
import re
from pathlib import Path

from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).resolve().parents[1] / "evidence"


class Evidence(SphinxDirective):
    """All tables, one section each, in the order of the files' names."""

    def run(self):
        text = []
        for path in sorted(FOLDER.glob("*.csv")):
            self.env.note_dependency(str(path))
            text += section(path)
        return self.parse_text_to_nodes(StringList(text), allow_section_headings=True)


def read(path):
    """Return the circumstances and the rows of one table."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line[2:].split(": ", 1) for line in lines if line.startswith("# ")]
    rows = csv.DictReader(line for line in lines if not line.startswith("# "))
    return dict(head), list(rows)


def section(path):
    """Return one section as lines of reStructuredText."""
    about, rows = read(path)
    held = sum(row["holds"] == "holds" for row in rows)
    lines = [about["title"], "-" * len(about["title"]), ""]
    lines += [
        f"{about['source']}. {held} of {len(rows)} claims hold. Measured by "
        f"``examples/paper/{path.stem}.py`` with seeds {about['seeds']} on {about['date']} at "
        f"commit {about['commit']}, in {about['seconds']} s ({about['threads']} thread(s), torch "
        f"{about['torch']}).",
        "",
    ]
    lines += [".. list-table::", "   :header-rows: 1", "   :widths: 32 14 28 26", ""]
    header = ("The paper claims", "Paper", "Ours", "Holds?")
    cells = [header] + [
        (row["claim"], row["paper"], row["ours"], " ".join(filter(None, verdict(row))))
        for row in rows
    ]
    for row in cells:
        lines += [
            f"   {'* - ' if not position else '  - '}{plain(cell)}"
            for position, cell in enumerate(row)
        ]
    lines.append("")
    if path.with_suffix(".png").exists():
        lines += [f".. image:: evidence/{path.stem}.png", f"   :alt: {about['title']}", ""]
    return lines


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
