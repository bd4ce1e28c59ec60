"""Artists of a partition: bars, cells, counts, frames, names."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._contingency import count_partition
from sklearn_ddcl.displays._partition_plot import draw_sizes, draw_table, make_partition_axes

Y = np.repeat(["cat", "dog"], 6)
LABELS = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2])


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


def boxes(texts, ax):
    ax.figure.canvas.draw()
    return [text.get_window_extent() for text in texts if text is not None and text.get_text()]


def meet(drawn):
    return any(a.overlaps(b) for k, a in enumerate(drawn) for b in drawn[:k])


def random_partition(k, c, n=20_000):
    return count_partition(*np.random.default_rng(0).integers([[k], [c]], size=(2, n)))


def test_bars_are_as_high_as_clusters_are_large(ax):
    bars = draw_sizes(count_partition(LABELS, Y), ax)
    assert [bar.get_height() for bar in bars] == [5, 5, 2]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "0", "2"]
    assert [text.get_text() for text in ax.texts] == ["5", "5", "2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("cluster", "samples")
    assert ax.get_ylim()[0] == 0


def test_cells_hold_their_counts_and_matched_ones_are_framed(ax):
    image, texts, frames = draw_table(count_partition(LABELS, Y), ax)
    np.testing.assert_array_equal(image.get_array(), [[5, 1, 0], [0, 4, 2]])
    written = [[text and text.get_text() for text in row] for row in texts]
    assert written == [["5", "1", None], [None, "4", "2"]]
    assert [texts[0, 1].get_position(), texts[1, 2].get_position()] == [(1, 0), (2, 1)]
    centres = [tuple(frame.get_center()) for frame in frames]
    assert np.allclose(centres, [(0, 0), (1, 1)])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cat", "dog"]
    assert ax.get_title() == "ACC = 0.750 (framed: matched clusters)"


def test_counts_stand_out_from_their_cells(ax):
    image, texts, _ = draw_table(random_partition(8, 8, 100), ax)
    for (row, column), text in np.ndenumerate(texts):
        if text is not None:
            cell = np.array(image.cmap(image.norm(image.get_array()[row, column]))[:3])
            shade = np.array(mpl.colors.to_rgb(text.get_color()))
            assert abs(cell.mean() - shade.mean()) > 0.35


@pytest.mark.parametrize(("k", "c"), [(1, 1), (2, 3), (10, 10), (30, 10), (30, 30)])
def test_in_a_figure_made_here_all_counts_are_readable(k, c):
    contingency = random_partition(k, c)
    axes = make_partition_axes(contingency)
    draw_sizes(contingency, axes[0])
    _, texts, _ = draw_table(contingency, axes[1])
    assert all(text is not None and text.get_fontsize() >= 5 for text in texts.ravel())
    assert not meet(boxes(texts.ravel(), axes[1]))
    for ax in axes:
        assert not meet(boxes(ax.get_xticklabels(), ax))
        assert not meet(boxes(ax.get_yticklabels(), ax))
    assert not meet(boxes(axes[0].texts, axes[0]))
    assert not meet([ax.get_tightbbox() for ax in axes])


def test_where_there_is_no_room_names_are_thinned_and_counts_left_out(ax):
    contingency = random_partition(400, 200)
    _, texts, _ = draw_table(contingency, ax)
    assert all(text is None for text in texts.ravel())
    names = ax.get_xticklabels()
    assert 2 < len(names) < 100
    assert not meet(boxes(names, ax))
    assert not meet(boxes(ax.get_yticklabels(), ax))
    assert [text.get_text() for text in names[:1]] == [str(contingency.clusters[0])]


def test_bars_without_room_have_no_numbers(ax):
    bars = draw_sizes(random_partition(500, 1), ax)
    assert (len(bars), len(ax.texts)) == (500, 0)


def test_long_names_are_cut_and_upright(ax):
    labels = [f"cluster with a name {k % 9}" for k in range(90)]
    draw_sizes(count_partition(labels), ax)
    texts = ax.get_xticklabels()
    assert {text.get_text() for text in texts} == {"cluster wit…"}
    ax.figure.canvas.draw()
    assert {text.get_rotation() for text in texts} == {90}
    assert not meet(boxes(texts, ax))


def test_without_classes_there_is_one_axes():
    assert make_partition_axes(count_partition(LABELS)).shape == (1,)
    assert make_partition_axes(count_partition(LABELS, Y)).shape == (2,)


def test_figures_stay_within_a_screen():
    width, height = make_partition_axes(random_partition(3000, 500))[0].figure.get_size_inches()
    assert (width, height) == (16, 12)


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"PartitionDisplay.plot needs matplotlib"):
        make_partition_axes(count_partition(LABELS))
