"""Data sets of the benchmarks: from a folder of .npz files, or from OpenML.

The folder is given by ``--data`` or by the environment variable SKLEARN_DDCL_DATA; files
``optdigits.npz``, ``penbased.npz``, ``satimage.npz``, ``mnist.npz`` and ``cifar10_test.npz`` hold
``X`` and ``y``.
Labels are used for scoring only.
"""

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import (
    fetch_openml,
    load_breast_cancer,
    load_digits,
    load_sample_image,
    make_blobs,
)
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl.datasets import fetch_image_set

OPENML = {
    "optdigits": "optdigits",
    "penbased": "pendigits",
    "satimage": "satimage",
}


def load_file(name, folder):
    """Return X and y of one set as float64 and integers.

    Parameters
    ----------
    name : str
        A key of ``OPENML``.
    folder : str or None
        Folder with .npz files; None reads the environment, then asks OpenML.

    Returns
    -------
    tuple of ndarray
        ``X`` of shape (n, d) and ``y`` of shape (n,).
    """
    X, y = read_file(name, folder) or fetch(name)
    return X.reshape(len(X), -1).astype(float), y


def read_file(name, folder):
    """Return what a file holds; None where there is no file."""
    folder = folder or os.environ.get("SKLEARN_DDCL_DATA")
    path = Path(folder or ".") / f"{name}.npz"
    if not folder or not path.exists():
        return None
    with np.load(path, allow_pickle=False) as data:
        return data["X"], data["y"]


def fetch(name):
    """Return what OpenML has."""
    bunch = fetch_openml(OPENML[name], as_frame=False, parser="liac-arff")
    return bunch.data, np.unique(bunch.target, return_inverse=True)[1]


def load_images(name, folder=None):
    """Return the last 10,000 images of a set, and their classes.

    Parameters
    ----------
    name : {"mnist10k", "cifar10"}
        The set.
    folder : str or None
        See `load_file`.

    Returns
    -------
    tuple of ndarray
        ``X`` float32 of shape (10000, height, width, channels), of mean 0 and
        deviation 1 over all pixels, and ``y`` of shape (10000,).
    """
    bunch = fetch_image_set({"mnist10k": "mnist"}.get(name, name), data_home=folder)
    X = bunch.images.astype(np.float32)
    return (X - X.mean()) / X.std(), bunch.target


def load_mnist(folder=None, n_last=None):
    """Return the digits of MNIST as rows.

    Parameters
    ----------
    folder : str or None
        See `load_file`.
    n_last : int or None
        How many, from the end; None returns all.

    Returns
    -------
    tuple of ndarray
        ``X`` float64 of shape (n, 784), from 0 to 1, and ``y`` of shape (n,).
    """
    bunch = fetch_image_set("mnist", n_last=n_last, data_home=folder)
    return bunch.images.reshape(len(bunch.images), -1) / 255, bunch.target


def load(name, folder=None):
    """Return X, y (or None) and the number of clusters of one benchmark.

    Parameters
    ----------
    name : str
        A key of ``LOADERS``.
    folder : str or None
        See `load_file`.

    Returns
    -------
    tuple
        ``X`` float64 of shape (n, d), ``y`` of shape (n,) or None, and k.
    """
    return LOADERS[name](folder)


def _digits(folder):
    X, y = load_digits(return_X_y=True)
    return X / 16, y, 10


def _optdigits(folder):
    X, y = load_file("optdigits", folder)
    return X / 16, y, 10


def _scaled(name, k):
    def loader(folder):
        X, y = load_file(name, folder)
        return StandardScaler().fit_transform(X), y, k

    return loader


def _mnist10k(folder):
    return *load_mnist(folder, 10_000), 10


def _colours(folder):
    pixels = load_sample_image("china.jpg").reshape(-1, 3) / 255
    return pixels[::8].copy(), None, 32


def _blobs(folder):
    X, y = make_blobs(10_000, n_features=16, centers=50, cluster_std=2.0, random_state=7)
    return X, y, 50


def _cancer(folder):
    # 8 clusters in 2 classes: a small set with outliers and many poor minima
    return StandardScaler().fit_transform(load_breast_cancer().data), None, 8


LOADERS = {
    "digits": _digits,
    "optdigits": _optdigits,
    "penbased": _scaled("penbased", 10),
    "satimage": _scaled("satimage", 6),
    "mnist10k": _mnist10k,
    "colours (k=32)": _colours,
    "blobs (k=50)": _blobs,
    "breast cancer (k=8)": _cancer,
}
