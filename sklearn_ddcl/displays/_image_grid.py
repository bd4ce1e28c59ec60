"""A grid of small images with titles inside one Axes."""

import numpy as np

from sklearn_ddcl.displays._matplotlib import import_pyplot

_TILE_INCHES = 1.15
_TITLE_POINTS = 8.0
_SMALLEST_POINTS = 6.0
_LINE_SPACING = 1.35
# Mean width of a character over the font size, generous for the default sans serif.
_CHARACTER_WIDTH = 0.58


def as_images(prototypes, image_shape):
    """Reshape rows to images of values between 0 and 1.

    All images share one scale, so that they can be compared.

    Parameters
    ----------
    prototypes : ndarray of shape (n_prototypes, n_features)
        One flattened image a row.
    image_shape : tuple of int
        (height, width), (height, width, channels) or (channels, height, width)
        with 1, 3 or 4 channels.

    Returns
    -------
    images : ndarray of shape (n_prototypes, height, width[, 3 or 4])
        Ready for ``imshow``.

    Raises
    ------
    ValueError
        If `image_shape` does not describe an image of `n_features` values.
    """
    shape = tuple(int(side) for side in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(
            "image_shape must be (height, width), (height, width, channels) or "
            f"(channels, height, width), got {image_shape!r}."
        )
    if int(np.prod(shape)) != prototypes.shape[1]:
        raise ValueError(
            f"image_shape {shape} holds {int(np.prod(shape))} values, but the prototypes have "
            f"{prototypes.shape[1]}. If they live in a latent space, use show='nearest' with X."
        )
    images = prototypes.reshape((-1, *shape))
    if len(shape) == 3:
        if shape[-1] not in (1, 3, 4):
            images = np.moveaxis(images, 1, -1)
        if images.shape[-1] == 1:
            images = images[..., 0]
        elif images.shape[-1] not in (3, 4):
            raise ValueError(f"image_shape must have 1, 3 or 4 channels, got {image_shape!r}.")
    low, high = images.min(), images.max()
    return (images - low) / (high - low) if high > low else np.zeros_like(images)


def grid_shape(n_tiles):
    """Choose rows and columns for a grid that is a little wider than high.

    Parameters
    ----------
    n_tiles : int
        How many tiles it must hold.

    Returns
    -------
    n_rows, n_columns : tuple of int
        At most 10 columns.
    """
    n_columns = min(10, n_tiles, int(np.ceil(np.sqrt(2.2 * n_tiles))))
    n_rows = -(-n_tiles // n_columns)
    return n_rows, -(-n_tiles // n_rows)


def draw_image_grid(images, titles, ax, cmap):
    """Draw each image on its own inset of `ax`.

    Parameters
    ----------
    images : ndarray of shape (n_tiles, height, width[, 3 or 4])
        Values between 0 and 1.
    titles : list of str
        One title a tile, all of the same number of lines; the first line ends
        with the tile's number, which is all that is drawn where tiles are small.
    ax : matplotlib Axes or None
        Where to draw; None makes a figure in which the titles fit.
    cmap : str
        Colour map of images without channels.

    Returns
    -------
    ax : matplotlib Axes
        The outer Axes, its frame hidden.
    axes : ndarray of shape (n_rows, n_columns) of Axes
        The tiles, row by row; None where the grid has no tile.
    """
    n_rows, n_columns = grid_shape(len(images))
    if ax is None:
        ax = _make_axes(images.shape[1:3], (n_rows, n_columns), titles[0].count("\n") + 1)
    ax.set_axis_off()
    extent = ax.get_window_extent()
    tile = np.array([extent.width / n_columns, extent.height / n_rows]) / ax.figure.dpi * 72
    font_size = _fitting_font(titles, tile)
    if font_size < _SMALLEST_POINTS:
        titles = [title.split("\n")[0].split()[-1] for title in titles]
        font_size = _fitting_font(titles, tile)
    share = (titles[0].count("\n") + 1) * _LINE_SPACING * font_size / tile[1]
    axes = np.full((n_rows, n_columns), None, dtype=object)
    for number, (image, title) in enumerate(zip(images, titles, strict=True)):
        row, column = divmod(number, n_columns)
        bounds = ((column + 0.05) / n_columns, 1 - (row + 1) / n_rows)
        size = (0.9 / n_columns, (0.96 - share) / n_rows)
        inset = ax.inset_axes([*bounds, *size])
        inset.imshow(image, cmap=cmap, vmin=0, vmax=1)
        inset.set_title(title, fontsize=font_size, pad=2, linespacing=1.1)
        inset.set_xticks([])
        inset.set_yticks([])
        axes[row, column] = inset
    return ax, axes


def _fitting_font(titles, tile):
    """Return the font size at which titles fit a tile of (width, height) points."""
    lines = [title.split("\n") for title in titles]
    longest = max(len(line) for title in lines for line in title)
    by_height = 0.65 * tile[1] / (len(lines[0]) * _LINE_SPACING)
    return min(_TITLE_POINTS, by_height, tile[0] / (longest * _CHARACTER_WIDTH))


def _make_axes(image_size, grid, n_lines):
    """Make a figure with one Axes in which every tile has room for its title."""
    pyplot = import_pyplot("PrototypeDisplay.plot")
    ratio = min(max(image_size[0] / image_size[1], 0.25), 4.0)
    text = n_lines * _LINE_SPACING * _TITLE_POINTS / 72
    size = (grid[1] * _TILE_INCHES, grid[0] * (0.9 * ratio * _TILE_INCHES + text + 0.05))
    figure = pyplot.figure(figsize=size)
    return figure.add_axes((0.0, 0.02, 1.0, 0.96))
