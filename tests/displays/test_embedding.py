"""EmbeddingDisplay: from estimators, colours and names, bad input."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_moons
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering, DeepClusterBaseline
from sklearn_ddcl.displays import EmbeddingDisplay


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(200, noise=0.05, random_state=0)
    model = DDCLClustering(2, backbone=None, prototypes_per_cluster=8, random_state=0)
    return model.fit(X), X, y


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return DDCLClustering(10, backbone=None, random_state=0).fit(X), X, y


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def assert_one_color_a_group(display, groups):
    colors = display.points_.get_facecolor()
    pairs = {(group, tuple(color)) for group, color in zip(groups, colors, strict=True)}
    assert len(pairs) == len(set(groups)) == len({color for _, color in pairs})


def test_two_features_are_drawn_as_they_are(moons):
    model, X, _ = moons
    display = EmbeddingDisplay.from_estimator(model, X)
    assert isinstance(display, EmbeddingDisplay)
    np.testing.assert_array_equal(display.points_.get_offsets(), X)
    np.testing.assert_array_equal(display.prototypes_.get_offsets(), model.prototypes_)
    assert_one_color_a_group(display, model.labels_.tolist())
    assert legend(display.ax_) == ["prototype", "cluster 0", "cluster 1"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("feature 0", "feature 1")
    assert display.figure_ is display.ax_.figure


def test_more_features_are_drawn_on_their_principal_components(digits):
    model, X, _ = digits
    display = EmbeddingDisplay.from_estimator(model, X)
    pca = PCA(2, svd_solver="full").fit(X)
    for drawn, values in ((display.points_, X), (display.prototypes_, model.cluster_centers_)):
        expected = np.abs(pca.transform(values.astype(float)))
        np.testing.assert_allclose(np.abs(drawn.get_offsets()), expected, atol=1e-6)
    assert display.ax_.get_xlabel() == "principal component 1 (15% of the variance)"


def test_ten_clusters_are_numbered_beside_their_prototypes(digits):
    model, X, _ = digits
    display = EmbeddingDisplay.from_estimator(model, X)
    assert legend(display.ax_) == ["prototype", "a cluster"]
    assert sorted(int(text.get_text()) for text in display.ax_.texts) == list(range(10))
    display.figure_.canvas.draw()
    marks = display.ax_.transData.transform(display.prototypes_.get_offsets())
    boxes = [text.get_bbox_patch().get_window_extent() for text in display.ax_.texts]
    assert not any(box.contains(*mark) for box in boxes for mark in marks)
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_learned_features_are_those_of_encode(digits):
    X = digits[1][:200]
    model = DeepClusterBaseline(3, epochs=1, n_init=1, random_state=0).fit(X)
    display = EmbeddingDisplay.from_estimator(model, X)
    expected = PCA(2, svd_solver="full").fit_transform(model.encode(X).astype(float))
    np.testing.assert_allclose(np.abs(display.points_.get_offsets()), np.abs(expected), atol=1e-5)


def test_labels_of_any_kind_replace_the_clusters(moons):
    model, X, y = moons
    names = np.where(y == 1, "upper", "lower")
    display = EmbeddingDisplay.from_estimator(model, X, labels=names)
    assert_one_color_a_group(display, y.tolist())
    assert legend(display.ax_) == ["prototype", "label lower", "label upper"]


def test_a_pipeline_is_drawn_in_the_space_of_its_last_step(moons):
    pipeline = make_pipeline(StandardScaler(), KMeans(2, n_init=1, random_state=0)).fit(moons[1])
    display = EmbeddingDisplay.from_estimator(pipeline, moons[1])
    expected = StandardScaler().fit_transform(moons[1])
    np.testing.assert_allclose(display.points_.get_offsets(), expected)


def test_points_alone_are_grey_and_need_no_legend():
    display = EmbeddingDisplay(np.eye(2), axis_names=("a", "b"))
    assert not hasattr(display, "ax_")
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert (display.ax_, display.prototypes_, ax.get_legend()) == (ax, None, None)
    assert mpl.colors.to_hex(display.points_.get_facecolor()[0]) == "#808080"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")


def test_many_strings_are_written_cut_beside_each_other():
    names = [f"{letter} has a long name" for letter in "abcdefgh"]
    display = EmbeddingDisplay(np.c_[np.arange(8) // 2, np.arange(8)], labels=names).plot()
    written = [text.get_text() for text in display.ax_.texts]
    assert written
    assert all(len(text) == 12 and text.endswith("…") for text in written)


def test_the_callers_arrays_are_left_alone(moons):
    model, X, _ = moons
    frozen = X.copy()
    frozen.setflags(write=False)
    EmbeddingDisplay.from_estimator(model, frozen)
    np.testing.assert_array_equal(frozen, X)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": [[1.0, np.nan]] * 4}, "points must be finite"),
        ({"points": np.ones((0, 2))}, "points must be a non-empty matrix"),
        ({"points": np.ones((4, 3))}, "points must have 2 features to be drawn, got 3"),
        ({"prototypes": np.ones((2, 1))}, "prototypes must have 2 features to be drawn, got 1"),
        ({"prototypes": [[np.inf, 0.0]]}, "prototypes must be finite"),
        ({"labels": [0, 1]}, "labels must have one entry for each of 4 rows of points, got 2"),
        ({"labels": [0.5, 1, 1, 1]}, "labels must hold discrete labels, got the value 0.5"),
        ({"labels": [None, "a", "a", "b"]}, "labels must not have missing"),
        ({"labels": np.eye(4)}, r"labels must be one-dimensional, got an array of shape \(4, 4\)"),
    ],
)
def test_bad_arrays_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay(**{"points": np.ones((4, 2)), **changes}).plot()


def test_bad_estimators_and_samples_are_named(moons):
    with pytest.raises(ValueError, match="must be fitted and have prototypes_"):
        EmbeddingDisplay.from_estimator(KMeans(), np.ones((4, 2)))
    line = np.arange(9.0)[:, None]
    with pytest.raises(ValueError, match="at least 2 features to be drawn"):
        EmbeddingDisplay.from_estimator(KMeans(2, n_init=1).fit(line), line)
    with pytest.raises(ValueError, match="contains NaN"):
        EmbeddingDisplay.from_estimator(moons[0], np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="labels must have one entry for each of 200 rows"):
        EmbeddingDisplay.from_estimator(moons[0], moons[1], labels=[0])


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"EmbeddingDisplay.plot needs matplotlib"):
        EmbeddingDisplay(np.eye(2)).plot()
