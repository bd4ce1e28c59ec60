"""Settings of the HTML pages: `make doc`."""

from sklearn_ddcl import __version__

project = "sklearn_ddcl"
author = "The sklearn-ddcl developers"
release = version = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build", "whats_new/upcoming_changes"]
autosummary_generate = False
numpydoc_show_class_members = False
html_theme = "alabaster"
html_theme_options = {"fixed_sidebar": True, "page_width": "1100px"}
# The first line of a docstring may cite; tables of first lines have no list of references.
suppress_warnings = ["ref.ref"]
