"""Settings of the HTML pages: `make doc`. Nothing here needs a network."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.addnodes import pending_xref
from sphinx.ext import autosummary
from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

import sklearn_ddcl as package
from sklearn_ddcl import (
    __version__,
    datasets,
    diagnostics,
    displays,
    exceptions,
    metrics,
    model_selection,
    nn,
    options,
)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "extensions"))
LOGGER = logging.getLogger(__name__)
# Public names to the dotted name of their page; of two pages the first.
MODULES = (
    package,
    options,
    metrics,
    diagnostics,
    displays,
    model_selection,
    datasets,
    exceptions,
    nn,
)
NAMES = {
    name: f"{module.__name__}.{name}" for module in reversed(MODULES) for name in module.__all__
}
EXAMPLES = HERE / "_build" / "examples"

project = "sklearn_ddcl"
author = "The sklearn-ddcl developers"
project_copyright = author
release = version = __version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "evidence_tables",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "whats_new/upcoming_changes", "**/*.ipynb"]
templates_path = ["_templates"]
default_role = "py:obj"

# A page for each public name. What comes from torch, skorch or tuple is told there.
autosummary_generate = True
autosummary_ignore_module_all = False
# What two modules offer is told in one of them.
autosummary_context = {"options": sorted(set(options.__all__) & set(nn.__all__))}
autosummary.WELL_KNOWN_ABBREVIATIONS += ("Eq.", "Eqs.", "Fig.")
autodoc_default_options = {
    "members": True,
    "inherited-members": "Module,Generic,Protocol,tuple,Warning",
    "exclude-members": "set_extra_state,get_extra_state",
}
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

# Examples write their pictures beside themselves: the gallery runs copies of them.
shutil.rmtree(EXAMPLES, ignore_errors=True)
EXAMPLES.mkdir(parents=True)
for path in (HERE.parent / "examples").glob("*.*"):
    shutil.copy2(path, EXAMPLES)

sphinx_gallery_conf = {
    "examples_dirs": [str(EXAMPLES)],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__\.py|/paper/",
    "within_subsection_order": ExplicitOrder(
        [
            "plot_digits_demo.py",
            "plot_reading_a_fit.py",
            "plot_pipeline_search.py",
            "plot_competitive.py",
            "plot_drifting_stream.py",
            "plot_online_collapse.py",
            "plot_adversarial.py",
            "plot_deep_cluster.py",
            "*",
        ]
    ),
    "doc_module": ("sklearn_ddcl",),
    "reference_url": {"sklearn_ddcl": None},
    "backreferences_dir": "generated/backreferences",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "plot_gallery": True,
    "matplotlib_animations": False,
    "min_reported_time": 3600,
}

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = project
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Only the user guide has pages below it that a reader would choose from by their names.
WITHOUT_SIDEBAR = [
    "index",
    "getting_started",
    "api",
    "benchmarks",
    "migrating",
    "extending",
    "faq",
]
WITHOUT_SIDEBAR += ["evidence", "whats_new/**", "generated/**", "auto_examples/**"]
html_sidebars = {name: [] for name in WITHOUT_SIDEBAR}
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_show_sourcelink = False
html_copy_source = False


def hide_folder(app, name, source):
    """Show the names of files that an example wrote, and not where this machine keeps them."""
    source[0] = source[0].replace(f"{EXAMPLES}/", "")


def skip_requests(app, what, name, obj, skip, options):
    """Leave out scikit-learn's methods of metadata routing, which are the same everywhere."""
    routing = name == "get_metadata_routing" or (
        name.startswith("set_") and name.endswith("_request")
    )
    return True if routing else None


def adapt_docstring(app, what, name, obj, options, lines):
    """Keep `n_clusters_` in a shape from being a link, and name scikit-learn's pages only."""
    text = "\n".join(
        re.sub(r"(?<=\w)_(?=[,)])", r"\_", line) if " of shape (" in line else line
        for line in lines
    )
    text = re.sub(r":ref:`([^`<]*?)\s*<[^`>]*>`", r"\1", text)
    lines[:] = re.sub(r":ref:`[^`]*`", "the documentation of scikit-learn", text).split("\n")


def link_names(app, doctree):
    """Make links of the public names that stand as literals on the pages written by hand."""
    if app.env.docname.startswith(("generated/", "auto_examples/")):
        return
    for literal in list(doctree.findall(nodes.literal)):
        name = literal.astext()
        linked = isinstance(literal.parent, pending_xref | nodes.reference)
        if name in NAMES and name != "concentration" and not linked:  # a key of `history_`, too
            link = pending_xref("", refdomain="py", reftype="obj", reftarget=NAMES[name])
            link["refdoc"] = app.env.docname
            literal.replace_self(link)
            link += literal


def find_name(app, env, node, contents):
    """Resolve a public name that stands without its module."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or name not in NAMES:
        return None
    python, target = env.domains["py"], NAMES[name]
    found = (env, node["refdoc"], app.builder, "obj", target, node, contents)
    return python.resolve_xref(*found)


def write_math(writer, node):
    """Write a formula as MathML, which browsers draw without a script from elsewhere."""
    block = isinstance(node, nodes.math_block)
    tex = node.astext().replace(r"\arg", r"\mathrm{arg}\,")
    formula = convert(tex, display="block" if block else "inline")
    if "\\" in formula:
        LOGGER.warning("a command in the formula %r is not known", tex, location=node)
    writer.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def add_fragments(app, name, source):
    """Show on the page of changes those that are not yet released."""
    if name != "whats_new/changelog":
        return
    settings = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    parts = ["Coming changes", "=============="]
    for kind in settings["tool"]["towncrier"]["type"]:
        paths = sorted(
            (HERE / "whats_new" / "upcoming_changes").glob(f"*.{kind['directory']}*.rst")
        )
        texts = [path.read_text(encoding="utf-8").strip() for path in paths]
        entries = ["- " + text.replace("\n", "\n  ") for text in texts]
        parts += ["", kind["name"], "-" * len(kind["name"]), "", *entries]
    marker = ".. towncrier release notes start"
    source[0] = source[0].replace(marker, "\n".join(parts) + f"\n\n{marker}")


def setup(app):
    """Connect the functions above."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(write_math, None), block_renderers=(write_math, None)
    )
    app.connect("source-read", add_fragments)
    app.connect("autodoc-process-docstring", adapt_docstring, priority=400)
    app.connect("doctree-read", link_names)
    app.connect("missing-reference", find_name)
    app.connect("source-read", hide_folder)
    app.connect("autodoc-skip-member", skip_requests)
