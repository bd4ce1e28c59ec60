"""The scripts of the papers' claims run at a tiny size; what is a theorem holds there too."""

import csv
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "examples" / "paper"
TABLES = ROOT / "doc" / "evidence"


def load(path):
    """Import a script as the scripts import each other: by its name, from its folder."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.syspath_prepend(str(ROOT / "doc" / "extensions"))
    names = ["evidence_tables", *(path.stem for path in SCRIPTS.glob("*.py"))]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in names:  # a benchmark may have the same name
        sys.modules.pop(name, None)


NAMES = [
    path.stem
    for path in sorted(SCRIPTS.glob("[!_]*.py"))
    if path.stem not in ("evidence", "run_all")
]


@pytest.mark.parametrize("name", NAMES)
def test_a_block_runs_at_a_tiny_size_and_its_theorems_hold(name):
    block = load(SCRIPTS / f"{name}.py").BLOCK
    assert block.name == name
    figures = block.measure(**block.sizes["tiny"])
    claims = block.claims(figures)
    assert claims
    assert [claim.claim for claim in claims if claim.theorem and not claim.holds] == []
    assert len({claim.claim for claim in claims}) == len(claims)
    if block.draw is not None:
        from matplotlib import pyplot

        figure = block.draw(figures)
        assert figure.axes
        pyplot.close(figure)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_in_the_documentation_is_of_this_script(name):
    block = load(SCRIPTS / f"{name}.py").BLOCK
    about, rows = load(ROOT / "doc" / "extensions" / "evidence_tables.py").read(
        TABLES / f"{name}.csv"
    )
    assert about["title"] == block.title
    assert about["seeds"].split() == [str(seed) for seed in block.sizes["full"]["seeds"]]
    assert {row["holds"] for row in rows} <= {"holds", "does not hold"}
    assert all(row["why"] for row in rows if row["holds"] != "holds"), "say why"
    assert (TABLES / f"{name}.png").exists() == (block.draw is not None)


def fake(evidence, theorem=True):
    claims = [
        evidence.Claim("sums of squares, are positive", "proved", "1.0", True, "", theorem),
        evidence.Claim("it wins", ".9", ".1", False, "other data"),
        evidence.Claim("ours wins", "", ".2", True, of="package"),
    ]
    sizes = {"full": {"seeds": (0, 1)}, "tiny": {"seeds": (0,)}}
    return evidence.Block(
        "fake", "A fake", "Nobody, Section 0", sizes, lambda seeds: seeds, lambda _: claims
    )


def test_a_block_prints_and_writes_what_the_page_reads(monkeypatch, tmp_path, capsys):
    evidence = load(SCRIPTS / "evidence.py")
    tables = load(ROOT / "doc" / "extensions" / "evidence_tables.py")
    monkeypatch.setattr(evidence, "FOLDER", tmp_path)
    evidence.main(fake(evidence), ["--tiny"])
    assert not list(tmp_path.iterdir())
    evidence.main(fake(evidence), [])
    printed = capsys.readouterr().out
    assert printed.count("paper .9 | ours .1 | does not hold\n    why: other data") == 2
    assert "1 of 2 of the paper's hold. Seeds 0 1" in printed
    about, rows = tables.read(tmp_path / "fake.csv")
    assert (about["seeds"], about["source"]) == ("0 1", "Nobody, Section 0")
    assert [list(row.values()) for row in rows] == [
        ["sums of squares, are positive", "proved", "1.0", "holds", "", "paper"],
        ["it wins", ".9", ".1", "does not hold", "other data", "paper"],
        ["ours wins", "", ".2", "holds", "", "package"],
    ]
    monkeypatch.setattr(tables, "SCRIPTS", tmp_path)
    (tmp_path / "fake.py").write_text('"""A fake.\n\nIt departs from the paper.\n"""\n')
    text = "\n".join(tables.section(tmp_path / "fake.csv"))
    assert "A fake\n------\n" in text
    assert "1 of 2 claims hold" in text
    assert "\nIt departs from the paper.\n" in text
    assert text.index("it wins") < text.index("Beyond the paper:") < text.index("ours wins")
    assert "1 of 2" in "\n".join(tables.summary([tmp_path / "fake.csv"]))
    assert re.search(r"- it wins\n +- \.9\n +- \.1\n +- \*\*does not hold\*\*\. other data", text)


@pytest.mark.parametrize("cell", ["(1) V grows", "1. one", "(i) it wins", "- 0.98", "* star"])
def test_no_cell_becomes_a_list(cell):
    tables = load(ROOT / "doc" / "extensions" / "evidence_tables.py")
    assert tables.plain(cell) == "\\" + cell
    assert tables.plain("**holds**. " + cell) == "**holds**. " + cell
    assert tables.plain("-0.98, .5") == "-0.98, .5"


def test_every_table_has_its_script():
    assert {path.stem for path in TABLES.glob("*.csv")} <= set(NAMES)
    for path in TABLES.glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            table = csv.reader(line for line in file if not line.startswith("# "))
            assert next(table) == ["claim", "paper", "ours", "holds", "why", "of"]


def test_an_unknown_block_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run_all.py", "nothing"])
    with pytest.raises(SystemExit):
        load(SCRIPTS / "run_all.py").main()
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


def test_the_blocks_of_the_ddcl_paper_come_first():
    tables = load(ROOT / "doc" / "extensions" / "evidence_tables.py")
    names = [path.stem for path in sorted(TABLES.glob("*.csv"), key=tables.reading_order)]
    assert names[0] == "ddcl_1_structure"
    assert names[6:8] == ["theory", "competitive"]
    assert all(tables.protocol(name) for name in names)
