"""Names among points: on their groups, apart from each other and from marks."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._names import legend_mark, short_name, write_names


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


def write(points, groups, names, ax, avoid=None):
    """Write names after the limits are final; return the texts by name."""
    ax.update_datalim(points)
    ax.autoscale_view()
    write_names(points, groups, [(name, "red") for name in names], ax, avoid)
    return {text.get_text(): text for text in ax.texts}


def boxes(ax):
    ax.figure.canvas.draw()
    return [text.get_bbox_patch().get_window_extent() for text in ax.texts]


def test_long_names_are_cut():
    assert short_name("twelve chars") == "twelve chars"
    assert short_name("thirteen char") == "thirteen ch…"
    assert short_name(-1) == "-1"


def test_a_name_stands_on_the_point_nearest_to_the_mean(ax):
    points = np.array([[0.0, 0], [1, 0], [2.2, 0], [9, 9]])
    texts = write(points, np.array([0, 0, 0, 1]), ["a", "b"], ax)
    assert texts["a"].get_position() == (1, 0)
    assert texts["b"].get_position() == (9, 9)


def test_a_group_without_points_has_no_name(ax):
    assert set(write(np.eye(2) * 9, np.array([0, 2]), ["a", "b", "c"], ax)) == {"a", "c"}


@pytest.mark.parametrize("names", [range(40), [f"a longer name {k}" for k in range(40)]])
def test_names_of_overlapping_groups_do_not_meet(names, ax):
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.arange(2000) % 40)
    points = rng.normal(size=(2000, 2)) + rng.normal(size=(40, 2))[groups]
    write(points, groups, list(names), ax)
    drawn = boxes(ax)
    assert len(drawn) > 8
    assert not any(a.overlaps(b) for k, a in enumerate(drawn) for b in drawn[:k])


def test_large_groups_come_first_where_there_is_room_for_one(ax):
    points = np.array([[0.0, 0], [0, 0], [0, 0], [9, 9]])
    assert set(write(points, np.array([1, 0, 0, 2]), ["small", "large", "far"], ax)) == {
        "small", "far"
    }  # fmt: skip


def test_marks_are_not_covered_where_there_is_another_place(ax):
    points = np.random.default_rng(0).normal(size=(300, 2))
    marks = points.mean(axis=0, keepdims=True)
    text = write(points, np.zeros(300, dtype=int), ["a"], ax, marks)["a"]
    (box,) = boxes(ax)
    assert not box.contains(*ax.transData.transform(marks[0]))
    assert tuple(text.get_position()) in {tuple(point) for point in points}


def test_marks_everywhere_do_not_take_the_name_away(ax):
    points = np.random.default_rng(0).normal(size=(50, 2))
    assert set(write(points, np.zeros(50, dtype=int), ["a"], ax, points)) == {"a"}


def test_a_mark_of_the_legend_has_no_line():
    mark = legend_mark("sample", "red", 4, marker="D")
    assert (mark.get_label(), mark.get_linestyle(), mark.get_marker()) == ("sample", "None", "D")


def test_a_group_without_a_name_is_refused(ax):
    with pytest.raises(IndexError):
        write_names(np.eye(2), np.array([0, 1]), [("a", "red")], ax)


def test_a_mark_of_no_shape_is_refused():
    with pytest.raises(ValueError, match="marker"):
        legend_mark("sample", "red", 4, marker="no shape")
