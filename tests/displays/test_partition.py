"""PartitionDisplay: from estimators and labels, Axes of one's own, bad input."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays import PartitionDisplay
from sklearn_ddcl.metrics import clustering_accuracy_score, hungarian_match


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return DDCLClustering(10, backbone=None, random_state=0).fit(X), X, y


def test_a_clusterer_against_classes(digits):
    model, X, y = digits
    display = PartitionDisplay.from_estimator(model, X, y=y)
    assert isinstance(display, PartitionDisplay)
    match = hungarian_match(y, model.labels_)
    assert [match[cluster] for cluster in display.clusters_] == list(range(10))
    renamed = np.array([match[cluster] for cluster in model.labels_])
    expected = confusion_matrix(y, renamed)
    np.testing.assert_array_equal(display.image_.get_array(), expected)
    written = [[int(text.get_text()) if text else 0 for text in row] for row in display.texts_]
    np.testing.assert_array_equal(written, expected)
    accuracy = clustering_accuracy_score(y, model.labels_)
    assert display.axes_[1].get_title().startswith(f"ACC = {accuracy:.3f}")
    assert len(display.frames_) == 10
    sizes = np.bincount(model.labels_)[display.clusters_]
    assert [bar.get_height() for bar in display.bars_] == sizes.tolist()


def test_without_classes_there_are_only_bars(digits):
    display = PartitionDisplay.from_estimator(digits[0], digits[1])
    assert display.axes_.shape == (1,)
    assert (display.image_, display.texts_, display.frames_) == (None, None, None)
    assert display.clusters_ == list(range(10))
    assert display.figure_ is display.axes_[0].figure


def test_labels_of_any_kind_and_noise():
    y = ["x", "x", "y", "y"]
    display = PartitionDisplay.from_predictions([-1, -1, 4, 4], y=y)
    assert display.clusters_ == [-1, 4]
    assert PartitionDisplay.from_predictions(y).clusters_ == ["x", "y"]


def test_plot_can_be_repeated_on_given_axes():
    display = PartitionDisplay([0, 0, 1], y=[1, 1, 0])
    assert not hasattr(display, "axes_")
    _, axes = plt.subplots(1, 2)
    assert display.plot(axes) is display
    assert list(display.axes_) == list(axes)
    assert display.plot().axes_[0] is not axes[0]
    assert list(PartitionDisplay([0, 1]).plot(axes[0]).axes_) == [axes[0]]


def test_names_of_bars_and_columns_are_the_same(digits):
    model, X, y = digits
    bars, table = PartitionDisplay.from_estimator(model, X, y=y).axes_
    assert [text.get_text() for text in bars.get_xticklabels()] == [
        text.get_text() for text in table.get_xticklabels()
    ]
    np.testing.assert_allclose(bars.get_xlim(), table.get_xlim())


def test_the_number_of_axes_is_checked():
    ax = plt.figure().add_subplot()
    with pytest.raises(ValueError, match=r"each of the 2 panels \['sizes', 'table'\], got 1"):
        PartitionDisplay([0, 1], y=[0, 1]).plot(ax)
    with pytest.raises(ValueError, match=r"each of the 1 panels \['sizes'\], got 2"):
        PartitionDisplay([0, 1]).plot([ax, ax])


def test_an_estimator_without_predict_is_named(digits):
    X = digits[1]
    with pytest.raises(ValueError, match=r"have predict, got DBSCAN; use .*from_predictions"):
        PartitionDisplay.from_estimator(DBSCAN(eps=20).fit(X), X)
    with pytest.raises(ValueError, match="not fitted yet"):
        PartitionDisplay.from_estimator(KMeans(), X)


@pytest.mark.parametrize(
    ("labels", "y", "message"),
    [
        ([], None, "labels must hold at least 1 sample"),
        (0, None, "labels must be one-dimensional"),
        ([0.5], None, "labels must hold discrete labels"),
        ([0, 1], [0], "y must have one entry for each of 2 labels, got 1"),
        ([0, 1], [np.inf, 0], "y must not have missing or infinite"),
    ],
)
def test_bad_labels_are_named(labels, y, message):
    with pytest.raises(ValueError, match=message):
        PartitionDisplay.from_predictions(labels, y=y)


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"PartitionDisplay.plot needs matplotlib"):
        PartitionDisplay([0, 1]).plot()
