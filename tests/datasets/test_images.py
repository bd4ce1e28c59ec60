"""Images come from a folder, else from OpenML (which is not asked here)."""

import numpy as np
import pytest

from sklearn_ddcl.datasets import _images, fetch_image_set


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (7, 784), dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", X=X, y=np.arange(7))
    return tmp_path


def test_the_last_images_of_a_folder(folder, monkeypatch):
    with np.load(folder / "mnist.npz") as data:
        X = data["X"]
    last = fetch_image_set("mnist", n_last=3, data_home=folder)
    assert last.images.shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(last.images.reshape(3, -1), X[-3:])
    np.testing.assert_array_equal(last.target, [4, 5, 6])
    monkeypatch.setenv("SKLEARN_DDCL_DATA", str(folder))
    assert len(fetch_image_set("mnist").images) == 7
    assert len(fetch_image_set("mnist", n_last=None).target) == 7


def test_without_a_file_openml_is_asked(tmp_path, monkeypatch):
    rows = np.zeros((2, 3072))
    rows[1, :1024] = 200  # all red

    class Found:
        data, target = rows, np.array(["3", "1"], dtype=object)

    asked = []
    monkeypatch.setattr(
        _images, "fetch_openml", lambda name, **kwargs: asked.append(name) or Found
    )
    bunch = fetch_image_set("cifar10", data_home=tmp_path)
    assert asked == ["CIFAR_10"]
    assert bunch.images.shape == (2, 32, 32, 3)
    assert bunch.images.dtype == np.uint8
    assert (bunch.images[1] == [200, 0, 0]).all()
    np.testing.assert_array_equal(bunch.target, [3, 1])


def test_what_is_refused(folder):
    with pytest.raises(ValueError, match=r"name must be one of .*'mnist'.*, got 'svhn'"):
        fetch_image_set("svhn")
    for wrong in (0, -1, 1.5, "5"):
        with pytest.raises(ValueError, match="n_last must be None or a whole number >= 1, got"):
            fetch_image_set("mnist", n_last=wrong, data_home=folder)


def test_a_folder_may_begin_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert len(fetch_image_set("mnist", data_home="~").images) == 7


IMAGES = np.zeros((2, 28, 28, 1), np.uint8)


@pytest.mark.parametrize("X", [IMAGES, IMAGES[..., 0], IMAGES.reshape(2, -1), IMAGES + 255.0])
def test_images_may_be_flat_or_without_channels_or_whole_floats(tmp_path, X):
    np.savez(tmp_path / "mnist.npz", X=X, y=[0, 1])
    images = fetch_image_set("mnist", data_home=tmp_path).images
    np.testing.assert_array_equal(images.reshape(X.shape), X)
    assert images.shape == (2, 28, 28, 1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mnist", {"X": np.zeros((7, 100)), "y": np.arange(7)}, r"X of shape .*got \(7, 100\)"),
        ("cifar10_test", {"X": np.zeros((2, 3, 32, 32)), "y": [0, 1]}, "colours last"),
        ("mnist", {"X": IMAGES, "y": [[0], [1]]}, r"y of shape \(n_images,\), got .*\(2, 1\)"),
        ("mnist", {"X": IMAGES + 0.9, "y": [0, 1]}, "whole numbers from 0 to 255"),
        ("mnist", {"X": IMAGES + np.nan, "y": [0, 1]}, "whole numbers from 0 to 255"),
        ("mnist", {"X": IMAGES - 1.0, "y": [0, 1]}, "whole numbers from 0 to 255"),
        ("mnist", {"X": IMAGES + 256.0, "y": [0, 1]}, "whole numbers from 0 to 255"),
        ("mnist", {"images": IMAGES}, r"must hold X and y, got no \['X', 'y'\]"),
    ],
)
def test_what_a_file_must_hold(tmp_path, name, content, message):
    np.savez(tmp_path / f"{name}.npz", **content)
    with pytest.raises(ValueError, match=message):
        fetch_image_set(name.removesuffix("_test"), data_home=tmp_path)
