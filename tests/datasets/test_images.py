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
    with pytest.raises(ValueError, match="n_last must be None or at least 1, got 0"):
        fetch_image_set("mnist", n_last=0, data_home=folder)
    np.savez(folder / "mnist.npz", X=np.zeros((7, 100)), y=np.arange(7))
    with pytest.raises(ValueError, match=r"mnist\.npz must hold X of shape .*got \(7, 100\)"):
        fetch_image_set("mnist", data_home=folder)
