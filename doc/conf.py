"""Settings of the HTML pages: `make doc`."""

import sys
from pathlib import Path

from sklearn_ddcl import __version__

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "sklearn_ddcl"
author = "The sklearn-ddcl developers"
release = version = __version__
extensions = [
    "evidence_tables",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build", "whats_new/upcoming_changes"]
autosummary_generate = False
numpydoc_show_class_members = False
html_theme = "alabaster"
html_theme_options = {"fixed_sidebar": True, "page_width": "1100px"}
# The first line of a docstring may cite; tables of first lines have no list of references.
suppress_warnings = ["ref.ref"]
