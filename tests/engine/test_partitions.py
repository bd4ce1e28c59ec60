import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from sklearn_ddcl.engine._partitions import compare_partitions


def draw(seed, k=4, n=300):
    return np.random.default_rng(seed).integers(k, size=n)


@pytest.mark.parametrize("seed", range(4))
def test_information_is_scikit_learns(seed):
    first, second = draw(seed), np.where(draw(seed + 9, 3) == 0, draw(seed + 5), draw(seed))
    expected = normalized_mutual_info_score(first, second, average_method="geometric")
    assert compare_partitions(first, second)[0] == pytest.approx(expected)


def test_numbers_of_clusters_do_not_matter():
    labels = draw(0)
    renamed = np.array([2, 0, 3, 1])[labels]
    assert compare_partitions(labels, renamed) == pytest.approx((1.0, 0.0))


def test_change_is_the_share_of_rows_that_moved():
    labels = np.repeat([0, 1], 50)
    moved = labels.copy()
    moved[:10] = 1
    assert compare_partitions(1 - moved, labels)[1] == pytest.approx(0.1)


def test_integer_weights_are_repetitions():
    first, second, times = draw(0), draw(1), draw(2, 5)
    weighted = compare_partitions(first, second, times.astype(float))
    assert weighted == pytest.approx(compare_partitions(first.repeat(times), second.repeat(times)))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 0], [0, 0, 0], (1.0, 0.0)),
        ([0, 0, 0], [0, 0, 1], (0.0, 1 / 3)),
        ([0], [5], (1.0, 0.0)),
        ([0, 1, 2], [0, 7, 7], (0.7612, 1 / 3)),
    ],
)
def test_degenerate_partitions(first, second, expected):
    found = compare_partitions(np.array(first), np.array(second))
    assert found == pytest.approx(expected, abs=1e-4)
