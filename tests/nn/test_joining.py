"""Joining prototypes: information by brute force, the walk by numpy, agreement by scikit-learn."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from sklearn_ddcl.nn import joining
from sklearn_ddcl.nn.joining import (
    information_bottleneck,
    partition_agreement,
    random_walk,
    refine_partition,
)

seeds = st.integers(0, 10_000)


def draw_joint(seed, m, c, zeros=False):
    rng = np.random.default_rng(seed)
    joint = rng.dirichlet(np.full(m * c, 0.5)).reshape(m, c)
    if zeros:
        joint *= rng.random((m, c)) < 0.6
        joint[0, 0] += 0.1
    return joint / joint.sum()


def mutual_information(joint):
    outer = joint.sum(1, keepdims=True) * joint.sum(0)
    used = joint > 0
    return float((joint[used] * np.log(joint[used] / outer[used])).sum())


def grouped(joint, labels):
    return np.stack([joint[labels == g].sum(0) for g in np.unique(labels)])


def draw_edges(seed, m, density=0.5):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(1, 9, (m, m)) * (rng.random((m, m)) < density), 1)
    return upper + upper.T


@given(seeds, st.integers(1, 7), st.integers(1, 6), st.booleans())
def test_all_merges_together_lose_the_mutual_information(seed, m, c, zeros):
    joint = draw_joint(seed, m, c, zeros)
    merges = information_bottleneck(torch.from_numpy(joint))
    assert merges.pairs.shape == (m - 1, 2)
    assert (merges.losses >= 0).all()
    assert float(merges.losses.sum()) == pytest.approx(mutual_information(joint), abs=1e-10)


@given(seeds, st.integers(2, 6), st.integers(1, 5))
def test_each_merge_is_the_cheapest_of_all_pairs(seed, m, c):
    joint = draw_joint(seed, m, c)
    merges = information_bottleneck(torch.from_numpy(joint))
    for step in range(m - 1):
        labels = merges.labels(m - step).numpy()
        before = mutual_information(grouped(joint, labels))
        losses = []
        for a, b in itertools.combinations(range(m - step), 2):
            joined = grouped(joint, np.where(labels == b, a, labels))
            losses.append(before - mutual_information(joined))
        assert float(merges.losses[step]) == pytest.approx(min(losses), abs=1e-10)
        after = mutual_information(grouped(joint, merges.labels(m - step - 1).numpy()))
        assert before - after == pytest.approx(min(losses), abs=1e-10)


@given(seeds, st.integers(1, 7))
def test_partitions_are_nested_and_numbered_by_first_member(seed, m):
    merges = information_bottleneck(torch.from_numpy(draw_joint(seed, m, 4)))
    coarser = merges.labels(1)
    assert not coarser.any()
    for k in range(2, m + 1):
        labels = merges.labels(k)
        values, first = np.unique(labels.numpy(), return_index=True)
        assert values.tolist() == list(range(k))
        assert (np.diff(first) > 0).all()
        assert all(len(set(coarser[labels == g].tolist())) == 1 for g in range(k))
        coarser = labels
    assert coarser.tolist() == list(range(m))


@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_merges_stopped_early_are_the_first_of_all(seed, m, k):
    joint = torch.from_numpy(draw_joint(seed, m, 4))
    merges, some = information_bottleneck(joint), information_bottleneck(joint, k)
    assert merges.n_items == some.n_items == m
    assert len(some.pairs) == max(m - k, 0)
    assert torch.equal(some.pairs, merges.pairs[: len(some.pairs)])
    assert torch.equal(some.losses, merges.losses[: len(some.pairs)])
    assert torch.equal(some.labels(m), torch.arange(m))
    if 1 < k <= m:
        with pytest.raises(ValueError, match=f"n_clusters must be an integer >= {k}"):
            some.labels(k - 1)


def test_blocks_of_pairs_make_no_difference(monkeypatch):
    joint = torch.from_numpy(draw_joint(1, 23, 5))
    expected = information_bottleneck(joint)
    monkeypatch.setattr(joining, "_BLOCK_ELEMENTS", 3 * 23 * 5)
    found = information_bottleneck(joint)
    assert torch.equal(found.pairs, expected.pairs)
    torch.testing.assert_close(found.losses, expected.losses)


def test_rows_that_say_the_same_are_joined_for_nothing():
    joint = torch.tensor([[0.1, 0.2], [0.2, 0.4], [0.1, 0.0]], dtype=torch.float64)
    merges = information_bottleneck(joint)
    assert merges.pairs[0].tolist() == [0, 1]
    assert float(merges.losses[0]) == pytest.approx(0.0, abs=1e-7)


def test_the_callers_joint_is_not_changed():
    joint = torch.from_numpy(draw_joint(0, 5, 5))
    before = joint.clone()
    refine_partition(joint, information_bottleneck(joint).labels(2), 2)
    assert torch.equal(joint, before)


@given(seeds, st.integers(1, 8), st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_the_walk_is_a_mean_of_matrix_powers(seed, m, lengths):
    edges = draw_edges(seed, m)
    degree = edges.sum(1).astype(float)
    used = degree[degree > 0]
    loops = np.where(degree == 0, used.min() if len(used) else 1.0, 0.0)
    degree = degree + loops
    step = 0.5 * (edges + np.diag(loops)) / degree[:, None] + 0.5 * np.eye(m)
    powers = [np.linalg.matrix_power(step, length) for length in lengths]
    expected = (degree / degree.sum())[:, None] * np.mean(powers, axis=0)
    joint = random_walk(torch.from_numpy(edges), lengths)
    assert joint.dtype == torch.float64
    np.testing.assert_allclose(joint, expected, atol=1e-12)
    assert torch.equal(joint, joint.T)
    assert float(joint.sum()) == pytest.approx(1.0, abs=1e-12)


def test_the_walk_never_crosses_to_another_component():
    edges = torch.zeros(5, 5)
    edges[0, 1] = edges[1, 0] = edges[2, 3] = edges[3, 2] = 2.0
    joint = random_walk(edges)
    assert not joint[:2, 2:].any()
    assert not joint[4, :4].any()
    assert float(joint[4, 4]) > 0
    assert information_bottleneck(joint).labels(3).tolist() == [0, 0, 1, 1, 2]


@given(seeds, st.integers(2, 9), st.integers(1, 4), st.booleans())
def test_refinement_never_loses_information_nor_groups(seed, m, k, zeros):
    k = min(k, m)
    joint = draw_joint(seed, m, 5, zeros)
    labels = torch.from_numpy(np.random.default_rng(seed).permutation(np.arange(m) % k))
    refined = refine_partition(torch.from_numpy(joint), labels, k)
    assert set(refined.tolist()) == set(range(k))
    gained = mutual_information(grouped(joint, refined.numpy()))
    assert gained >= mutual_information(grouped(joint, labels.numpy())) - 1e-9


def test_refinement_finds_the_groups_that_were_mixed_up():
    joint = torch.block_diag(torch.full((4, 4), 1.0), torch.full((4, 4), 1.0)) / 32
    wrong = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
    assert refine_partition(joint, wrong, 2).tolist() == [0] * 4 + [1] * 4


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_agreement_is_that_of_scikit_learn(pairs):
    first, second = (torch.tensor(side) for side in zip(*pairs, strict=True))
    expected = adjusted_rand_score(first.numpy(), second.numpy())
    assert partition_agreement(first, second) == pytest.approx(expected, abs=1e-12)
    assert partition_agreement(second, first) == pytest.approx(expected, abs=1e-12)
    assert partition_agreement(first, first) == 1.0


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (torch.zeros(2, 3), "square and symmetric"),
        (torch.tensor([[0.0, 1.0], [2.0, 0.0]]), "square and symmetric"),
        (torch.tensor([[0.0, -1.0], [-1.0, 0.0]]), "non-negative"),
        (torch.eye(2), "zero diagonal"),
        (torch.full((2, 2), torch.nan), "square and symmetric"),
    ],
)
def test_edges_that_are_none_are_refused(edges, message):
    with pytest.raises(ValueError, match=message):
        random_walk(edges)


@pytest.mark.parametrize("length", [0, -1, 1.5, True])
def test_lengths_that_are_none_are_refused(length):
    with pytest.raises(ValueError, match="n_steps"):
        random_walk(torch.zeros(2, 2), [length])


@pytest.mark.parametrize(
    "joint",
    [torch.tensor([[-0.1, 1.1]]), torch.tensor([[torch.nan]]), torch.tensor([[torch.inf]])],
)
def test_joints_that_are_no_probabilities_are_refused(joint):
    with pytest.raises(ValueError, match="finite and non-negative"):
        information_bottleneck(joint)


@pytest.mark.parametrize("joint", [torch.zeros(3), torch.zeros(0, 2), torch.zeros(2, 2, 2)])
def test_joints_that_are_no_matrices_are_refused(joint):
    with pytest.raises(ValueError, match="joint"):
        information_bottleneck(joint)


@pytest.mark.parametrize("k", [0, 4, -1, 2.0])
def test_partitions_that_do_not_exist_are_refused(k):
    with pytest.raises(ValueError, match="n_clusters"):
        information_bottleneck(torch.full((3, 3), 1 / 9)).labels(k)


@pytest.mark.parametrize(
    ("labels", "k", "message"),
    [
        (torch.tensor([0, 1]), 2, "labels must be 3 int64"),
        (torch.tensor([0.0, 1.0, 1.0]), 2, "labels must be 3 int64"),
        (torch.tensor([0, 1, 2]), 2, r"lie in \[0, 2\)"),
        (torch.tensor([0, -1, 1]), 2, r"lie in \[0, 2\)"),
        (torch.tensor([0, 0, 0]), 0, "n_clusters"),
    ],
)
def test_partitions_that_do_not_fit_are_refused(labels, k, message):
    with pytest.raises(ValueError, match=message):
        refine_partition(torch.full((3, 3), 1 / 9), labels, k)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (torch.tensor([0, 1]), torch.tensor([0])),
        (torch.tensor([0.0]), torch.tensor([0.0])),
        (torch.tensor([[0]]), torch.tensor([[0]])),
    ],
)
def test_agreement_of_what_is_no_partition_is_refused(first, second):
    with pytest.raises(ValueError, match="int64 vectors of one length"):
        partition_agreement(first, second)
