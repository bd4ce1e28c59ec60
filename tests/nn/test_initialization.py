import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import kmeans_plusplus as reference
from sklearn.datasets import make_blobs

from sklearn_ddcl.nn import kmeans_plusplus, squared_distances

checked = settings(deadline=None, max_examples=40)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def potential(z, index):
    return float(squared_distances(z, z[index]).amin(1).sum())


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 30),
    d=st.integers(1, 5),
    share=st.floats(0.0, 1.0),
    levels=st.integers(1, 4),
    exponent=st.sampled_from([-30, -5, 0, 5, 30]),
    offset=st.sampled_from([0.0, 1.0]),
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_are_distinct_and_cover_all_distinct_points_first(
    dtype, seed, n, d, share, levels, exponent, offset
):
    k = max(1, round(share * n))
    grid = torch.randint(0, levels, (n, d), generator=seeded(seed)).to(dtype) + offset
    z = grid * 10.0**exponent
    index = kmeans_plusplus(z, k, seeded(seed))
    assert index.dtype == torch.int64
    assert len(set(index.tolist())) == k
    n_distinct = len(z.unique(dim=0))
    assert len(z[index].unique(dim=0)) == min(k, n_distinct)


def test_no_worse_than_sklearn_on_average():
    X, _ = make_blobs(600, centers=12, cluster_std=0.4, random_state=0)
    z = torch.from_numpy(X)
    ours = [potential(z, kmeans_plusplus(z, 12, seeded(s))) for s in range(10)]
    theirs = [
        potential(z, torch.from_numpy(reference(X, 12, random_state=s)[1])) for s in range(10)
    ]
    assert sum(ours) <= 1.15 * sum(theirs)


def test_local_trials_lower_the_potential(make_problem):
    z = make_problem(0, 400, 3, 1).z
    one = [potential(z, kmeans_plusplus(z, 20, seeded(s), n_local_trials=1)) for s in range(8)]
    many = [potential(z, kmeans_plusplus(z, 20, seeded(s), n_local_trials=10)) for s in range(8)]
    assert sum(many) < sum(one)


def test_the_generator_alone_decides(make_problem):
    z = make_problem(1, 50, 3, 1).z
    state = torch.random.get_rng_state()
    assert torch.equal(kmeans_plusplus(z, 5, seeded(3)), kmeans_plusplus(z, 5, seeded(3)))
    assert torch.equal(state, torch.random.get_rng_state())


def test_an_offset_does_not_change_the_choice(make_problem):
    z = (64 * make_problem(2, 80, 3, 1).z).round()
    plain = kmeans_plusplus(z, 8, seeded())
    assert torch.equal(plain, kmeans_plusplus(z + 1e6, 8, seeded()))


def test_samples_of_no_weight_are_chosen_last():
    z = torch.arange(8.0).unsqueeze(1)
    weight = torch.tensor([1.0, 0, 1, 0, 1, 0, 0, 0])
    for seed in range(10):
        assert set(kmeans_plusplus(z, 3, seeded(seed), weight).tolist()) == {0, 2, 4}
        assert {0, 2, 4} < set(kmeans_plusplus(z, 5, seeded(seed), weight).tolist())


def test_draws_follow_the_squared_distance():
    z = torch.tensor([[0.0], [0.0], [1.0], [3.0]])
    weight = torch.tensor([1.0, 1.0, 1e-12, 1e-12])
    second = [
        int(kmeans_plusplus(z, 2, seeded(s), weight, n_local_trials=1)[1]) for s in range(400)
    ]
    assert second.count(3) / 400 == pytest.approx(0.9, abs=0.05)


def test_features_are_not_changed(make_problem):
    z = make_problem(3, 20, 2, 1).z
    copy = z.clone()
    kmeans_plusplus(z, 4, seeded())
    assert torch.equal(z, copy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_clusters": 6}, "n_clusters must be <= n = 5, got 6"),
        ({"n_clusters": 0}, "n_clusters must be an integer >= 1"),
        ({"n_clusters": 2.0}, "n_clusters"),
        ({"n_local_trials": 0}, "n_local_trials"),
        ({"weight": torch.ones(4)}, "weight must have shape"),
        ({"weight": -torch.ones(5)}, "non-negative"),
        ({"z": torch.zeros(5)}, "z must be a 2-D"),
        ({"z": torch.full((5, 2), math.nan)}, "z must be finite"),
        ({"z": torch.tensor([[0.0], [math.inf]]), "n_clusters": 1}, "z must be finite"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    valid = {"z": torch.arange(10.0).reshape(5, 2), "n_clusters": 2, "generator": seeded()}
    with pytest.raises(ValueError, match=message):
        kmeans_plusplus(**(valid | arguments))
