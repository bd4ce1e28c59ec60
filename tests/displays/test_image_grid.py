"""Image shapes, the grid, and titles that do not meet."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from sklearn_ddcl.displays._image_grid import as_images, draw_image_grid, grid_shape


@pytest.mark.parametrize(
    ("image_shape", "expected"),
    [
        ((4, 9), (2, 4, 9)),
        ((4, 9, 1), (2, 4, 9)),
        ((1, 4, 9), (2, 4, 9)),
        ((4, 3, 3), (2, 4, 3, 3)),
        ((3, 6, 2), (2, 6, 2, 3)),
        ((3, 3, 4), (2, 3, 3, 4)),
    ],
)
def test_images_of_every_layout(image_shape, expected):
    images = as_images(np.arange(2.0 * np.prod(image_shape)).reshape(2, -1), image_shape)
    assert images.shape == expected
    assert images.min() == 0
    assert images.max() == 1


def test_channels_first_keeps_pixels_together():
    rows = np.zeros((1, 3 * 2 * 2))
    rows[0, [1, 5, 9]] = [1.0, 2.0, 4.0]  # pixel (0, 1) of the three channels
    images = as_images(rows, (3, 2, 2))
    np.testing.assert_allclose(images[0, 0, 1], [0.25, 0.5, 1.0])


def test_constant_images_stay_finite():
    np.testing.assert_array_equal(as_images(np.full((2, 4), 7.0), (2, 2)), np.zeros((2, 2, 2)))


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        ((5,), "image_shape must be .height, width."),
        ((0, 12), "image_shape must be .height, width."),
        ((4, 4), "holds 16 values, but the prototypes have 12"),
        ((2, 3, 2), "1, 3 or 4 channels"),
    ],
)
def test_shapes_that_are_no_images_are_refused(image_shape, message):
    with pytest.raises(ValueError, match=message):
        as_images(np.ones((2, 12)), image_shape)


@pytest.mark.parametrize("n_tiles", [1, 2, 3, 7, 10, 13, 30, 100])
def test_grids_hold_their_tiles_without_an_empty_row(n_tiles):
    n_rows, n_columns = grid_shape(n_tiles)
    assert n_rows * n_columns >= n_tiles > (n_rows - 1) * n_columns
    assert n_columns <= 10


def overlaps(figure):
    """Count pairs of visible texts, and of texts and tiles, that overlap."""
    figure.canvas.draw()
    tiles = [inset for ax in figure.axes for inset in ax.child_axes]
    texts = [tile.title.get_window_extent() for tile in tiles]
    boxes = texts + [tile.get_window_extent() for tile in tiles]
    return sum(
        first.overlaps(second)
        for number, first in enumerate(texts)
        for second in boxes[number + 1 :]
    )


@pytest.mark.parametrize("n_tiles", [1, 10, 23])
@pytest.mark.parametrize("size", [(8, 8), (4, 16), (28, 7)])
def test_titles_meet_neither_each_other_nor_the_images(n_tiles, size):
    titles = [f"cluster {j}\nn = 1000{j}\nclass Ankle bootsx" for j in range(n_tiles)]
    ax, axes = draw_image_grid(np.zeros((n_tiles, *size)), titles, None, "gray")
    assert overlaps(ax.figure) == 0
    drawn = [tile for tile in axes.ravel() if tile is not None]
    assert [tile.get_title() for tile in drawn] == titles
    bounds = ax.figure.bbox
    assert all(tile.title.get_window_extent().y1 <= bounds.y1 for tile in drawn)


def test_small_axes_get_the_numbers_only():
    _, axes = plt.subplots(1, 2, figsize=(5, 2.5))
    titles = [f"cluster {j}\nn = 100" for j in range(13)]
    ax, tiles = draw_image_grid(np.zeros((13, 4, 4)), titles, axes[0], "gray")
    assert ax is axes[0]
    assert tiles[0, 0].get_title() == "0"
    assert overlaps(ax.figure) == 0
