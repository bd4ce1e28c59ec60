"""Images with classes, from a folder or from OpenML."""

import os
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

FOLDER = "SKLEARN_DDCL_DATA"
# name -> name of the file, name at OpenML, (height, width, channels)
_SETS = {
    "mnist": ("mnist", "mnist_784", (28, 28, 1)),
    "cifar10": ("cifar10_test", "CIFAR_10", (32, 32, 3)),
}


def fetch_image_set(name, *, n_last=10_000, data_home=None):
    """Return the last images of a set that is used to judge deep clustering.

    Parameters
    ----------
    name : {"mnist", "cifar10"}
        Handwritten digits, or photographs of ten kinds of things.
    n_last : int or None, default=10000
        Number of images, counted from the end: those that the sets keep for
        tests. None returns all there are.
    data_home : str or path-like, default=None
        Folder with ``mnist.npz`` or ``cifar10_test.npz``, which hold ``X``,
        whole numbers from 0 to 255 with colours last, and ``y``; the default
        is the environment variable ``SKLEARN_DDCL_DATA``. Without such a file
        the set is asked of OpenML, which needs a network once: scikit-learn
        keeps what it gets in its own data folder.

    Returns
    -------
    bunch : Bunch
        ``images``, uint8 of shape (n_images, height, width, channels), and
        ``target``, int64 of shape (n_images,), from 0 to 9.

    Raises
    ------
    ValueError
        If the name is not known, `n_last` is no positive whole number, or a
        file does not hold such images and classes.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import fetch_image_set
    >>> digits = fetch_image_set("mnist")  # doctest: +SKIP
    >>> digits.images.shape, digits.target.shape  # doctest: +SKIP
    ((10000, 28, 28, 1), (10000,))
    """
    if not isinstance(name, str) or name not in _SETS:
        raise ValueError(f"name must be one of {sorted(_SETS)}, got {name!r}.")
    if n_last is not None and not (isinstance(n_last, Integral) and n_last >= 1):
        raise ValueError(f"n_last must be None or a whole number >= 1, got {n_last!r}.")
    file, remote, shape = _SETS[name]
    folder = data_home if data_home is not None else os.environ.get(FOLDER)
    path = Path(folder or ".").expanduser() / f"{file}.npz"
    if folder and path.exists():
        images, target = _read(path, shape)
    else:
        images, target = _fetch(remote, shape)
    rows = slice(None) if n_last is None else slice(-n_last, None)
    return Bunch(images=images[rows], target=target[rows])


def _read(path, shape):
    """Return images and classes of a file."""
    with np.load(path, allow_pickle=False) as data:
        if missing := {"X", "y"} - set(data.files):
            raise ValueError(f"{path} must hold X and y, got no {sorted(missing)}.")
        images, target = data["X"], data["y"]
    n = len(images) if images.ndim else 0
    shapes = {(n, *shape), (n, int(np.prod(shape)))}
    if shape[2] == 1:
        shapes.add((n, *shape[:2]))
    if images.shape not in shapes or target.shape != (n,):
        raise ValueError(
            f"{path} must hold X of shape (n_images, {', '.join(map(str, shape))}), colours last, "
            f"and y of shape (n_images,), got {images.shape} and {target.shape}."
        )
    with np.errstate(invalid="ignore"):  # NaN, infinite: unequal below
        pixels = images.astype(np.uint8)
    if not np.array_equal(pixels, images):
        raise ValueError(f"{path} must hold whole numbers from 0 to 255 in X, got others.")
    return pixels.reshape(-1, *shape), target.astype(np.int64)


def _fetch(remote, shape):
    """Return images and classes from OpenML, whose rows have one colour after the other."""
    bunch = fetch_openml(remote, version=1, as_frame=False, parser="liac-arff")
    images = np.asarray(bunch.data).reshape(-1, shape[2], *shape[:2]).transpose(0, 2, 3, 1)
    return images.astype(np.uint8), np.asarray(bunch.target).astype(np.int64)
