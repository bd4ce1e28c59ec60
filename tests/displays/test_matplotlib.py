"""The optional dependency and the colours."""

import sys

import matplotlib as mpl
import pytest

from sklearn_ddcl.displays._matplotlib import cluster_colors, import_pyplot


@pytest.mark.parametrize("n_clusters", [1, 6, 7, 40])
def test_colors_are_distinct_and_valid(n_clusters):
    colors = [mpl.colors.to_hex(color) for color in cluster_colors(n_clusters)]
    assert len(set(colors)) == n_clusters


def test_pyplot_is_returned():
    assert import_pyplot("Something").__name__ == "matplotlib.pyplot"


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Something needs matplotlib.*sklearn-ddcl\[plot\]"):
        import_pyplot("Something")
