"""README, pages and settings: true, complete, without dead links, versions that agree."""

import ast
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
import sklearn_ddcl.options
from sklearn_ddcl.options import JointTraining, NeighborContrast

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.rst"
FRAGMENTS = ROOT / "doc" / "whats_new" / "upcoming_changes"
PAGES = [README, ROOT / "CONTRIBUTING.rst", *sorted((ROOT / "doc").rglob("*.rst"))]
GENERATED = {"_build", "_templates", "auto_examples", "generated"}  # by `make doc`
PAGES = [page for page in PAGES if not GENERATED & set(page.parts)]

LINK = re.compile(r"`[^`<>]*<(?P<target>[^`<>]+)>`_")
EXAMPLE = re.compile(r":ref:`(?:[^`<>]*<)?sphx_glr_auto_examples_(?P<name>[^`<>]+\.py)>?`")
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
    documents = [name for name in documents if name != "auto_examples/index"]
    dead += [name for name in documents if not (folder / f"{name}.rst").exists()]
    examples = [match["name"] for match in EXAMPLE.finditer(text)]
    return dead + [name for name in examples if not (ROOT / "examples" / name).exists()]


def toctree(text):
    """List the entries of all toctrees of a page."""
    blocks = re.findall(r"^\.\. toctree::\n((?:[ \t]+.*\n|\n)*)", text + "\n", re.M)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def listed_pages(folder, name="index"):
    """List what the toctrees list, from a page on and below it, relative to the folder."""
    found = []
    for entry in toctree(read(folder / f"{name}.rst")):
        entry = (Path(name).parent / entry).as_posix()
        found.append(entry)
        if (folder / f"{entry}.rst").exists() and not GENERATED & set(Path(entry).parts):
            found += listed_pages(folder, entry)
    return found


def guide():
    """Read all pages of the user guide as one text."""
    folder = ROOT / "doc"
    names = ["user_guide", *listed_pages(folder, "user_guide")]
    return "\n".join(read(folder / f"{name}.rst") for name in names)


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
    entries = listed_pages(index.parent)
    pages = {"auto_examples/index"} | {
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
        assert (ROOT / page) in PAGES
        for name in estimators:
            assert name in read(ROOT / page), f"{name} is missing in {page}"


@pytest.mark.parametrize("name", [name for name in public_packages() if name not in INTERNAL])
def test_the_api_page_lists_every_public_name(name):
    documented = documented_names(read(ROOT / "doc" / "api.rst")).get(name, [])
    assert sorted(documented) == public_packages()[name]


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
    batches = sklearn_ddcl.OnlineDeepClustering(1, epochs=1, random_state=0).fit(X)
    stream = sklearn_ddcl.IncrementalDDCL(2, random_state=0).fit(X)
    text = guide()
    for model in (given, deep, edges, turns, game, batches, stream):
        for key in {key for record in model.history_ for key in record}:
            assert f"``{key}``" in text, key


def test_the_guide_is_of_pages_that_can_be_read_at_a_time():
    folder = ROOT / "doc"
    for name in listed_pages(folder, "user_guide"):
        assert len(read(folder / f"{name}.rst").splitlines()) < 400, name
    for parameter in inspect.signature(sklearn_ddcl.DDCLClustering).parameters:
        assert f"``{parameter}" in guide(), parameter


def test_the_guide_names_every_option():
    for name in sklearn_ddcl.options.__all__:
        assert name in guide(), name


def test_extending_shows_code_that_is_there():
    text = read(ROOT / "doc" / "extending.rst")
    shown = re.findall(r"^\.\. literalinclude:: (\S+)\n {3}:pyobject: (\S+)$", text, re.M)
    assert len(shown) == text.count("literalinclude::") >= 8
    for path, name in shown:
        tree = ast.parse(read(ROOT / "doc" / path))
        for part in name.split("."):
            tree = next(node for node in tree.body if getattr(node, "name", None) == part)


def test_every_family_of_extending_has_an_example_that_runs():
    sections = re.split(r"^=+\n", read(ROOT / "doc" / "extending.rst"), flags=re.M)
    families = [section for section in sections if "literalinclude::" in section]
    assert len(families) == 5
    assert all(section.count(">>>") >= 4 for section in families)


def test_examples_are_shown_in_an_order_and_none_is_forgotten_there():
    text = read(ROOT / "doc" / "conf.py")
    for name in re.findall(r'"(plot_\w+\.py)"', text):
        assert (ROOT / "examples" / name).exists(), name


def test_what_the_documentation_needs_is_an_extra_of_its_own():
    extras = settings()["project"]["optional-dependencies"]
    assert not any("[doc]" in item or "sphinx" in item for item in extras["test"])
    assert "sklearn-ddcl[plot]" in extras["doc"]
    assert re.search(r"^doc: \$\(VENV\)/\.installed-doc ", read(ROOT / "Makefile"), re.M)


def test_what_make_doc_makes_is_ignored_cleaned_and_not_tested():
    ignored = read(ROOT / ".gitignore").split()
    cleaned = re.search(r"^clean:.*\n\t@rm -rf (.*)$", read(ROOT / "Makefile"), re.M)[1].split()
    for name in GENERATED - {"_templates"}:
        assert f"doc/{name}/" in ignored
        assert f"doc/{name}" in cleaned
        assert f'"{name}/*"' in read(ROOT / "doc" / "conftest.py")


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
        (":ref:`sphx_glr_auto_examples_plot_missing.py`", ["plot_missing.py"]),
        (":ref:`text <sphx_glr_auto_examples_plot_digits_demo.py>`", []),
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
