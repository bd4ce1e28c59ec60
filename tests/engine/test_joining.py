import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from sklearn_ddcl.engine import _joining, join_prototypes, nearest, seed_prototypes

CPU = torch.device("cpu")
MOONS, MOON = make_moons(400, noise=0.05, random_state=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def join(z, k, m, weight=None, restarts=4, seed=0):
    source = generator(seed)
    first = seed_prototypes(z, weight, m, source)
    return join_prototypes(z, weight, k, first, restarts, CPU, source)


def rows_of(found, z):
    return found.labels[nearest(z, found.prototypes)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [2, None])
def test_clusters_need_not_be_convex(dtype, k):
    z = MOONS.astype(dtype)
    found = join(z, k, 30)
    assert adjusted_rand_score(MOON, rows_of(found, z)) == 1.0
    assert found.prototypes.dtype == dtype
    assert 0.8 < found.agreement < 1.0  # 18 prototypes and short walks see less than others
    if k is None:
        assert max(found.gaps, key=found.gaps.get) == 2
    assert list(found.agreements) == (list(found.gaps) if k is None else [2])
    assert found.agreements[2] == found.agreement


@given(st.integers(0, 99), st.integers(1, 3))
def test_the_number_that_stands_out_and_is_found_again_is_taken(seed, restarts):
    z = np.random.default_rng(seed).normal(size=(60, 2))
    found = join(z, None, 12, restarts=restarts, seed=seed)
    merits = {
        k: np.log(max(gap, 1e-12)) * max(found.agreements[k], 0.0) for k, gap in found.gaps.items()
    }
    number = len(set(found.labels))
    assert merits[number] == max(merits.values())
    assert found.agreement == found.agreements[number]


def test_a_wide_gap_at_which_restarts_disagree_is_not_taken(monkeypatch):
    # fifteen far groups: in two clusters any of them may be joined
    z = make_blobs(600, centers=15, n_features=8, random_state=1)[0]
    monkeypatch.setattr(_joining, "_gaps", lambda paths: {2: 1.7, 15: 1.5})
    found = join(z, None, 90)
    assert found.agreements[2] < 0.5 < 0.9 < found.agreements[15]
    assert len(set(found.labels)) == 15


def choose(monkeypatch, votes):
    """Return which partition of those that restarts found is chosen, and its agreement."""
    restarts = []
    for number, vote in enumerate(map(torch.as_tensor, votes)):
        p = torch.tensor([[float(number)]])
        restarts.append(_joining._Restart(p, vote, vote, [], []))
    monkeypatch.setattr(_joining, "_partitions", lambda restart, k: [(None, restart.winners)])
    choice = _joining._choice(restarts, 3)
    return int(choice.p), choice.agreement


EVEN, OTHER = np.repeat([0, 1, 2], 20), np.arange(60) % 3
UNEVEN = np.repeat([0, 1, 2], (20, 32, 8))


def test_of_partitions_agreed_on_alike_the_most_even_is_taken(monkeypatch):
    votes = [UNEVEN, EVEN, UNEVEN, EVEN, UNEVEN, EVEN, UNEVEN, EVEN, UNEVEN]
    number, agreement = choose(monkeypatch, votes)
    assert number == 1
    expected = np.mean([adjusted_rand_score(EVEN, v) for i, v in enumerate(votes) if i != 1])
    assert agreement == pytest.approx(expected)


@pytest.mark.parametrize("even", [EVEN, OTHER])
def test_a_partition_that_few_agree_with_is_not_taken_for_its_evenness(monkeypatch, even):
    assert choose(monkeypatch, [UNEVEN] * 7 + [even] * 2)[0] == 0


def test_one_restart_has_no_standard_error(monkeypatch):
    number, agreement = choose(monkeypatch, [UNEVEN])
    assert (number, agreement) == (0, 1.0)


@given(st.integers(0, 99), st.integers(2, 5), st.integers(1, 4), st.integers(1, 3))
def test_every_cluster_has_prototypes_numbered_from_zero(seed, k, each, restarts):
    z = np.random.default_rng(seed).normal(size=(60, 2))
    found = join(z, k, k * each, restarts=restarts, seed=seed)
    assert sorted(set(found.labels)) == list(range(k))
    assert len(found.labels) == len(found.prototypes) <= max(round(1.4 * k * each), k)
    assert -1 <= found.agreement <= 1 + 1e-12
    assert all(ratio >= 0 for ratio in found.gaps.values())
    assert all(2 <= number <= 25 for number in found.gaps)


@pytest.mark.parametrize(("factor", "offset"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e8)])
def test_scale_and_offset_do_not_change_the_partition(factor, offset):
    found = join(MOONS * factor + offset, 2, 30)
    assert adjusted_rand_score(MOON, rows_of(found, MOONS * factor + offset)) == 1.0


def test_the_seed_decides():
    runs = [join(MOONS, 3, 25, seed=seed).prototypes for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_rows_of_weight_zero_do_not_count():
    noise = np.random.default_rng(0).uniform(-1, 2, (50, 2))
    weight = np.r_[np.ones(400), np.zeros(50)]
    found = join(np.r_[MOONS, noise], 2, 30, weight)
    assert adjusted_rand_score(MOON, rows_of(found, MOONS)) == 1.0


def test_weights_scale_out():
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 400)
    first, second = (join(MOONS, 2, 20, weight * factor) for factor in (1.0, 4.0))
    np.testing.assert_allclose(first.prototypes, second.prototypes, rtol=1e-9)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_seeds_are_as_many_as_asked_and_settled_among_the_rows():
    found = seed_prototypes(MOONS, None, 20, generator())
    assert found.shape == (20, 2)
    assert (found >= MOONS.min(0)).all()
    assert (found <= MOONS.max(0)).all()


@pytest.mark.parametrize("k", [1, 2, 5, None])
def test_equal_rows_are_one_cluster(k):
    found = join(np.ones((20, 2)), k, 8)
    assert np.isfinite(found.prototypes).all()
    assert len(set(nearest(np.ones((20, 2)), found.prototypes))) == 1


def test_two_places_are_at_most_two_clusters():
    z = np.repeat([[0.0], [1.0]], 10, axis=0)
    found = join(z, 5, 8)
    assert len(set(rows_of(found, z))) == 2


@pytest.mark.parametrize("n", [1, 2, 3])
def test_as_many_prototypes_as_rows(n):
    z = np.arange(float(n))[:, None]
    assert len(set(rows_of(join(z, n, n), z))) == n


def test_read_only_features_are_read():
    z = MOONS.copy()
    z.flags.writeable = False
    assert adjusted_rand_score(MOON, rows_of(join(z, 2, 30), z)) == 1.0


@pytest.mark.parametrize("m", [0, 401])
def test_more_prototypes_than_rows_are_refused(m):
    with pytest.raises(ValueError, match="n_clusters"):
        seed_prototypes(MOONS, None, m, generator())


def test_features_that_are_not_finite_are_refused():
    z = MOONS.copy()
    z[0] = np.nan
    with pytest.raises(ValueError, match="X has values"):
        seed_prototypes(z, None, 5, generator())
