"""PrototypeDisplay: artists, titles, conventions of displays, and bad input."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_moons
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.displays import PrototypeDisplay
from sklearn_ddcl.metrics import hungarian_match


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return KMeans(10, n_init=1, random_state=0).fit(X), X, y


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(100, random_state=0)
    return KMeans(4, n_init=1, random_state=0).fit(X), X, y


def test_images_show_the_centres_with_number_size_and_class(digits):
    model, X, y = digits
    display = PrototypeDisplay.from_estimator(model, X, y, image_shape=(8, 8))
    assert isinstance(display, PrototypeDisplay)
    match, sizes = hungarian_match(y, model.labels_), np.bincount(model.labels_)
    assert display.axes_.shape == (2, 5)
    assert display.figure_ is display.ax_.figure
    centres = model.cluster_centers_
    scaled = (centres - centres.min()) / (centres.max() - centres.min())
    for number, tile in enumerate(display.axes_.ravel()):
        expected = f"cluster {number}\nn = {sizes[number]}\nclass {match[number]}"
        assert tile.get_title() == expected
        np.testing.assert_allclose(tile.images[0].get_array(), scaled[number].reshape(8, 8))


def test_titles_tell_only_what_is_known(digits):
    model, X, _ = digits
    bare = PrototypeDisplay.from_estimator(model, image_shape=(8, 8))
    assert bare.axes_[0, 0].get_title() == "cluster 0"
    counted = PrototypeDisplay.from_estimator(model, X, image_shape=(8, 8))
    assert counted.axes_[0, 0].get_title().startswith("cluster 0\nn = ")


def test_clusters_beyond_the_classes_have_no_class_and_long_names_are_cut():
    display = PrototypeDisplay.from_prototypes(
        np.eye(4)[:3], labels=[0, 0, 1, 2], y=["supercalifragilistic"] * 4, image_shape=(2, 2)
    )
    titles = [tile.get_title().split("\n")[-1] for tile in display.axes_.ravel()]
    assert titles == ["class supercalifr…", "no class", "no class"]


def test_nearest_shows_real_samples(digits):
    model, X, _ = digits
    display = PrototypeDisplay.from_estimator(model, X, image_shape=(8, 8), show="nearest")
    rows = {tuple(row) for row in X}
    assert all(tuple(row) in rows for row in display.prototypes)


def test_points_over_samples(moons):
    model, X, y = moons
    display = PrototypeDisplay.from_estimator(model, X, y)
    assert display.axes_.tolist() == [display.ax_]
    drawn = np.array([line.get_xydata()[0] for line in display.ax_.lines])
    np.testing.assert_allclose(drawn, model.cluster_centers_)
    assert sum(len(part.get_offsets()) for part in display.ax_.collections) == len(X)


def test_a_pipeline_is_drawn_in_the_input_space(moons):
    _, X, _ = moons
    pipeline = make_pipeline(StandardScaler(), KMeans(2, n_init=1, random_state=0)).fit(X)
    display = PrototypeDisplay.from_estimator(pipeline, X)
    labels = pipeline.predict(X)
    means = [X[labels == j].mean(axis=0) for j in range(2)]
    np.testing.assert_allclose(display.prototypes, means)


def test_plot_can_be_repeated_on_given_axes(moons):
    model, X, _ = moons
    display = PrototypeDisplay(model.cluster_centers_, X=X)
    assert not hasattr(display, "ax_")
    _, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.plot().ax_ is not ax


def test_numbers_only_on_a_grid_of_a_users_axes(digits):
    figure, axes = plt.subplots(1, 2)
    display = PrototypeDisplay.from_estimator(digits[0], image_shape=(8, 8), ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure


def test_the_callers_arrays_are_left_alone():
    prototypes = np.eye(4)
    prototypes.setflags(write=False)
    PrototypeDisplay.from_prototypes(prototypes, image_shape=(2, 2))
    np.testing.assert_array_equal(prototypes, np.eye(4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prototypes": [[1.0, np.nan]]}, "prototypes must be finite"),
        ({"prototypes": [1.0, 2.0]}, r"prototypes must be a non-empty matrix, got shape \(2,\)"),
        ({"prototypes": np.ones((0, 2))}, "prototypes must be a non-empty matrix"),
        ({"prototypes": np.ones((2, 3))}, "3 features are no points in the plane"),
        ({"prototypes": np.ones((2, 2)), "X": np.ones((4, 3))}, "X must have 2 features"),
        ({"prototypes": np.ones((2, 2)), "labels": [0, 2]}, "row numbers of prototypes, from 0"),
        ({"prototypes": np.ones((2, 2)), "labels": ["a", "b"]}, "array of integers"),
        (
            {"prototypes": np.ones((2, 2)), "X": np.ones((4, 2)), "labels": [0]},
            "one entry for each of 4 rows of X, got 1",
        ),
        ({"prototypes": np.ones((2, 2)), "y": [0, 1]}, "labels must be given with y"),
    ],
)
def test_bad_prototypes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PrototypeDisplay.from_prototypes(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"show": "mean"}, "show must be one of .* got 'mean'"),
        ({"show": "nearest"}, "X must be given with y or with show='nearest'"),
        ({"y": [0, 1]}, "X must be given with y"),
    ],
)
def test_bad_options_are_refused(arguments, message, moons):
    with pytest.raises(ValueError, match=message):
        PrototypeDisplay.from_estimator(moons[0], **arguments)


def test_an_unfitted_estimator_is_refused():
    with pytest.raises(ValueError, match="must be fitted and have cluster_centers_, got KMeans"):
        PrototypeDisplay.from_estimator(KMeans())
