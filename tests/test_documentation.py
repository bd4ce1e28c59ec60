"""README, pages and settings: true, complete, without dead links, versions that agree."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from sklearn.base import BaseEstimator

import sklearn_ddcl
from sklearn_ddcl.options import JointTraining, NeighborContrast

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.rst"
FRAGMENTS = ROOT / "doc" / "whats_new" / "upcoming_changes"
PAGES = [README, ROOT / "CONTRIBUTING.rst", *sorted((ROOT / "doc").rglob("*.rst"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]

LINK = re.compile(r"`[^`<>]*<(?P<target>[^`<>]+)>`_")
DOCUMENT = re.compile(r":doc:`(?:[^`<>]*<)?(?P<target>[^`<>]+)>?`")


def read(path):
    return path.read_text(encoding="utf-8")


def settings():
    return tomllib.loads(read(ROOT / "pyproject.toml"))


def pins():
    """Read constraints.txt: canonical names to versions; every line must be a pin."""
    lines = [line.split("#")[0].strip() for line in read(ROOT / "constraints.txt").splitlines()]
    pairs = [line.split("==") for line in lines if line]
    assert all(len(pair) == 2 for pair in pairs), "constraints.txt must hold only name==version"
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def requirements():
    """List all requirements of pyproject.toml but the package itself."""
    project = settings()["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(text) for group in groups for text in group]
    return [item for item in found if canonicalize_name(item.name) != "sklearn-ddcl"]


def dead_links(text, folder):
    """List relative links and `:doc:` references that lead nowhere."""
    links = [match["target"] for match in LINK.finditer(text)]
    dead = [
        target
        for target in links
        if not re.match(r"[a-z]+:", target) and not (folder / target.split("#")[0]).exists()
    ]
    documents = [match["target"] for match in DOCUMENT.finditer(text)]
    return dead + [name for name in documents if not (folder / f"{name}.rst").exists()]


def toctree(text):
    """List the entries of all toctrees of a page."""
    blocks = re.findall(r"^\.\. toctree::\n((?:[ \t]+.*\n|\n)*)", text + "\n", re.M)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def documented_names(text):
    """Map modules to the names in their autosummary tables."""
    names, module = {}, None
    for line in text.splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
            names[module] = []
        elif module and re.fullmatch(r" {3}\w+", line):
            names[module].append(line.strip())
    return names


def public_packages():
    """List public modules with names of their own, but not those that their parent lists."""
    found = {}
    modules = pkgutil.iter_modules([str(ROOT / "sklearn_ddcl")], prefix="sklearn_ddcl.")
    for info in modules:
        if info.name.split(".")[-1].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        if names := getattr(module, "__all__", []):
            found[info.name] = list(names)
    return found


INTERNAL = {"sklearn_ddcl.engine", "sklearn_ddcl.utils", "sklearn_ddcl.cluster"}


def test_the_two_commands_stand_at_the_top_of_the_readme():
    top = read(README).split("What it is")[0]
    assert top.index("make demo") < top.index("make test")
    assert len(top.splitlines()) < 15


def test_the_commands_exist_and_list_themselves():
    help_text = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = set(re.findall(r"^make ([a-z-]+)", help_text, re.M))
    phony = re.search(r"^\.PHONY: (.*)$", read(ROOT / "Makefile"), re.M)[1].split()
    assert listed == set(phony)
    for page in PAGES:
        named = set(re.findall(r"``make ([a-z-]+)", read(page)))
        assert named <= listed, page


def test_ci_runs_the_targets():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    for target in ("test", "lint", "types", "doctest"):
        assert re.search(rf'^section ".*" {target}$', read(script), re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert dead_links(read(page), page.parent) == []


def test_the_contents_list_every_page_and_no_other():
    index = ROOT / "doc" / "index.rst"
    entries = toctree(read(index))
    pages = {
        str(page.relative_to(index.parent).with_suffix(""))
        for page in PAGES
        if index.parent in page.parents and FRAGMENTS not in page.parents and page != index
    }
    assert set(entries) == pages
    assert len(entries) == len(set(entries))


def test_every_estimator_is_in_readme_guide_and_api():
    estimators = [
        name
        for name in sklearn_ddcl.__all__
        if inspect.isclass(value := getattr(sklearn_ddcl, name))
        and issubclass(value, BaseEstimator)
    ]
    assert estimators
    for page in ("README.rst", "doc/getting_started.rst", "doc/user_guide.rst", "doc/api.rst"):
        for name in estimators:
            assert name in read(ROOT / page), f"{name} is missing in {page}"


@pytest.mark.parametrize("name", [name for name in public_packages() if name not in INTERNAL])
def test_the_api_page_lists_every_public_name(name):
    assert documented_names(read(ROOT / "doc" / "api.rst")).get(name) == public_packages()[name]


def test_every_estimator_parameter_is_in_the_migration_table():
    text = read(ROOT / "doc" / "migrating.rst")
    for name in inspect.signature(sklearn_ddcl.DDCLClustering).parameters:
        assert re.search(rf"``{name}[=`]", text), name


def test_every_key_of_history_is_explained():
    X = [[0.0], [1.0], [5.0]]
    given = sklearn_ddcl.DDCLClustering(2, backbone=None, random_state=0).fit(X)
    short = {"warm_up": NeighborContrast(n_steps=2), "training": JointTraining(epochs=2)}
    deep = sklearn_ddcl.DDCLClustering(2, random_state=0, **short).fit(X)
    edges = sklearn_ddcl.CompetitiveClustering(2, epochs=1, random_state=0).fit(X)
    turns = sklearn_ddcl.DeepClusterBaseline(2, epochs=1, random_state=0).fit(X)
    game = sklearn_ddcl.AdversarialDeepClustering(2, warm_up=None, epochs=1, random_state=0).fit(X)
    guide = read(ROOT / "doc" / "user_guide.rst")
    records = given.history_ + deep.history_ + turns.history_ + edges.history_ + game.history_
    for key in {key for record in records for key in record}:
        assert f"``{key}``" in guide, key


def test_code_blocks_are_doctests():
    for page in PAGES:
        text = read(page)
        assert ".. code" not in text, f"{page.name}: a code block that no test runs"
        for literal in re.findall(r"::\n\n((?:    .*\n|\n)+)", text):
            assert "import " not in literal or ">>>" in literal, page.name


@pytest.mark.parametrize("requirement", requirements(), ids=lambda item: item.name)
def test_every_requirement_is_pinned_within_its_range(requirement):
    version = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_torch_is_the_tested_version():
    assert str(pins()["torch"]) == "2.13.0"


def test_pre_commit_takes_its_tools_from_the_environment():
    text = read(ROOT / ".pre-commit-config.yaml")
    assert "rev:" not in text
    assert "additional_dependencies" not in text
    assert set(re.findall(r"language: (\w+)", text)) == {"system"}
    tools = {Path(entry).name for entry in re.findall(r"entry: (\S+)", text)}
    assert tools <= {item.name for item in requirements()}


def test_the_python_versions_agree():
    project, tools = settings()["project"], settings()["tool"]
    least = re.fullmatch(r">=(3\.\d+)", project["requires-python"])[1]
    assert tools["ruff"]["target-version"] == "py" + least.replace(".", "")
    assert tools["mypy"]["python_version"] == least
    assert f"Programming Language :: Python :: {least}" in project["classifiers"]
    for text in (read(README), read(ROOT / "CONTRIBUTING.rst"), read(ROOT / "Makefile")):
        assert f"Python >= {least}" in text


def test_the_readme_names_the_least_versions():
    text = read(README)
    for item in requirements():
        if item.name in ("scikit-learn", "torch"):
            shown = "PyTorch" if item.name == "torch" else item.name
            assert f"{shown} {item.specifier}".replace(">=", ">= ") in text


def test_the_citation_has_the_version_and_licence_of_the_package():
    text = read(ROOT / "CITATION.cff")
    assert f"version: {sklearn_ddcl.__version__}\n" in text
    assert f"license: {settings()['project']['license']}\n" in text
    assert "arXiv:2604.01740" in text
    assert "2604.01740" in read(README)


def test_changelog_fragments_have_a_known_type_and_a_text():
    types = {item["directory"] for item in settings()["tool"]["towncrier"]["type"]}
    fragments = [path for path in FRAGMENTS.iterdir() if not path.name.startswith(".")]
    for path in fragments:
        assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({'|'.join(types)})(\.\d+)?\.rst", path.name), path
        assert read(path).strip()


@pytest.mark.parametrize("name", ["benchmark", "learned-features", "streams"])
def test_the_benchmark_tables_have_their_place(name):
    text = read(README)
    start, end = f".. {name}-table-start\n", f".. {name}-table-end\n"
    assert text.count(start) == text.count(end) == 1
    assert text[text.index(start) + len(start) : text.index(end)].strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a <missing.rst>`_", ["missing.rst"]),
        ("`a <missing.rst#part>`_", ["missing.rst#part"]),
        (":doc:`missing` and :doc:`text <other>`", ["missing", "other"]),
        ("`a <https://example.org>`_ `b <README.rst#part>`_", []),
    ],
)
def test_a_planted_dead_link_is_caught(text, expected):
    assert dead_links(text, ROOT) == expected


def test_planted_pages_are_read():
    text = ".. toctree::\n   :maxdepth: 2\n\n   a\n   b/c\n\nText\n"
    assert toctree(text) == ["a", "b/c"]
    page = ".. currentmodule:: m.n\n\n.. autosummary::\n\n   one\n   two\n\nEnd\n"
    assert documented_names(page) == {"m.n": ["one", "two"]}
