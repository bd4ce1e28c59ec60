import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sklearn_ddcl.engine import JoinedPrototypes
from sklearn_ddcl.engine._grouping import group_rows


def draw(seed, n=40, m=8, k=3, dtype=float):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(m) % k)
    prototypes = rng.normal(size=(m, 2)).astype(dtype)
    joined = JoinedPrototypes(prototypes, labels, 1.0, {}, {})
    return rng.normal(size=(n, 2)).astype(dtype), joined, rng.integers(0, 3, n).astype(float)


@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_clusters_are_the_brute_force(seed, m, k, weighted):
    z, joined, weight = draw(seed, m=m, k=min(m, k))
    weight = weight if weighted else None
    share = np.ones(len(z)) if weight is None else weight
    found = group_rows(z, weight, joined, "cpu")
    squares = cdist(z, found.prototypes, "sqeuclidean")
    np.testing.assert_array_equal(found.labels, found.groups[squares.argmin(1)])
    assert found.inertia == pytest.approx(share @ squares.min(1))
    mass = np.bincount(found.labels, share)
    assert (mass > 0).all()
    assert (np.diff(mass) <= 0).all()
    assert set(found.groups) == set(range(len(found.centers)))
    for j, center in enumerate(found.centers):
        mine = found.labels == j
        np.testing.assert_allclose(center, np.average(z[mine], axis=0, weights=share[mine]))
    known = joined.prototypes.tolist()
    origin = [joined.labels[known.index(p.tolist())] for p in found.prototypes]
    pairs = set(zip(origin, found.groups.tolist(), strict=True))
    assert len(pairs) == len(found.centers), "clusters are those of the joined prototypes"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_are_those_of_the_features(dtype):
    z, joined, _ = draw(0, dtype=dtype)
    found = group_rows(z, None, joined, "cpu")
    assert found.prototypes.dtype == found.centers.dtype == dtype
    assert found.labels.dtype == found.groups.dtype == np.int32


def test_prototypes_without_rows_and_clusters_without_prototypes_are_dropped():
    joined = JoinedPrototypes(np.array([[0.0], [1.0], [99.0]]), np.array([0, 1, 2]), 1.0, {}, {})
    found = group_rows(np.array([[0.0], [1.0], [1.1]]), None, joined, "cpu")
    assert found.prototypes.tolist() == [[1.0], [0.0]]
    assert found.groups.tolist() == [0, 1]
    assert found.labels.tolist() == [1, 0, 0]


def test_coinciding_prototypes_are_one():
    joined = JoinedPrototypes(np.zeros((4, 2)), np.array([0, 1, 2, 3]), 1.0, {}, {})
    found = group_rows(np.zeros((5, 2)), None, joined, "cpu")
    assert len(found.prototypes) == len(found.centers) == 1
    assert found.labels.tolist() == [0] * 5


def test_rows_of_weight_zero_get_labels_and_nothing_else():
    joined = JoinedPrototypes(np.array([[0.0], [9.0]]), np.array([0, 1]), 1.0, {}, {})
    weight = np.array([1.0, 1.0, 0.0])
    found = group_rows(np.array([[0.0], [8.0], [10.0]]), weight, joined, "cpu")
    assert found.labels[2] == found.labels[1]
    assert 8.0 in found.centers
    assert found.inertia == 1.0


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_devices_that_are_not_there_are_refused(device):
    z, joined, _ = draw(0)
    with pytest.raises(ValueError, match="'device' parameter"):
        group_rows(z, None, joined, device)
