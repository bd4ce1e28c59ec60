import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_ddcl.engine import nearest
from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._inference import nearest_sets
from sklearn_ddcl.engine._labelling import label_rows, merge_coinciding

layouts = pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def brute(x, p, w):
    d = ((x[:, None].astype(float) - p[None].astype(float)) ** 2).sum(2)
    return d.argmin(1), float(w @ d.min(1))


@layouts
@dtypes
@pytest.mark.parametrize("weighted", [False, True])
def test_labels_and_inertia_equal_brute_force(layout, dtype, weighted, monkeypatch):
    monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 64)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(dtype)
    w = rng.random(300).astype(dtype) if weighted else None
    found = label_rows(layout(x), w, x[:6].copy(), "cpu")
    labels, inertia = brute(x, found.prototypes, np.ones(300) if w is None else w)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.labels.dtype == np.int32
    assert found.inertia == pytest.approx(inertia, rel=1e-5 if dtype == np.float32 else 1e-12)


@layouts
def test_labels_are_those_of_predict_also_at_ties(layout):
    x = np.random.default_rng(1).integers(0, 3, size=(500, 2)).astype(float)
    p = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [1.5, 1.5]])
    found = label_rows(layout(x), None, p, "cpu")
    np.testing.assert_array_equal(found.labels, nearest(layout(x), found.prototypes, "cpu"))


def test_numbers_fall_with_weight():
    x = np.repeat([[0.0], [5.0], [9.0]], [2, 7, 4], axis=0)
    found = label_rows(x, None, np.array([[0.0], [5.0], [9.0]]), "cpu")
    np.testing.assert_array_equal(found.prototypes.ravel(), [5, 9, 0])
    np.testing.assert_array_equal(np.bincount(found.labels), [7, 4, 2])
    weight = np.where(x.ravel() == 0, 100.0, 1.0)
    assert label_rows(x, weight, found.prototypes, "cpu").prototypes[0, 0] == 0


def test_prototypes_without_weighted_rows_are_dropped():
    x = np.array([[0.0], [1.0], [9.0]])
    p = np.array([[0.5], [9.0], [50.0]])
    found = label_rows(x, np.array([1.0, 1.0, 0.0]), p, "cpu")
    np.testing.assert_array_equal(found.prototypes, [[0.5]])
    np.testing.assert_array_equal(found.labels, [0, 0, 0])
    assert found.inertia == 0.5


@layouts
@dtypes
def test_rows_on_their_prototypes_have_no_inertia(layout, dtype):
    x = np.repeat(np.random.default_rng(9).normal(size=(4, 3)), 5, axis=0).astype(dtype)
    assert label_rows(layout(x), None, x[::5].copy(), "cpu").inertia == 0.0


@pytest.mark.parametrize("tiny", [1e-3, 1e-6])
def test_tiny_inertias_keep_their_digits(tiny):
    rng = np.random.default_rng(10)
    centres = np.array([[0.0, 0.0], [1.0, 1e3]])
    x = centres[np.arange(40) % 2] + tiny * rng.normal(size=(40, 2))
    found = nearest_sets(x, centres, None, "cpu")
    assert found.inertia == pytest.approx(brute(x, centres, np.ones(40))[1], rel=1e-6)


@dtypes
@pytest.mark.parametrize("seed", range(20))
def test_prototypes_apart_by_rounding_are_merged(dtype, seed):
    rng = np.random.default_rng(seed)
    p = rng.normal(size=(5, 3)).astype(dtype)
    twice = np.concatenate([p, np.nextafter(p, dtype(9))])
    assert len(merge_coinciding(twice)) == 5
    assert len(merge_coinciding(p)) == 5


@dtypes
def test_equal_prototypes_are_one(dtype):
    assert merge_coinciding(np.full((4, 2), 3, dtype=dtype)).shape == (1, 2)


def test_close_but_distinct_prototypes_stay():
    p = np.array([[0.0], [1e-9], [1.0]])
    assert len(merge_coinciding(p)) == 3


@pytest.mark.parametrize("constant", [1e6, 1e7, 1.7e9])
def test_a_large_column_merges_nothing(constant):
    p = np.array([[constant, 0, 0], [constant, 1, 0], [constant, 0, 1]], dtype=np.float32)
    assert len(merge_coinciding(p)) == 3
