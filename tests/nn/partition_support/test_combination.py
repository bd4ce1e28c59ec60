import itertools
import math
import sys
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    CombinationAssignment,
    combination_assignment,
    combination_objective,
    mean_distance,
)

checked = settings(deadline=None, max_examples=60)
PRIORS = (None, [1.0, 1.0, 1.0, 1.0], [5.0, 1.0, 0.5, 2.0])


def draw(seed, n, k, kind=torch.float64, decimals=None):
    generator = torch.Generator().manual_seed(seed)
    distances = 4 * torch.rand(n, k, generator=generator, dtype=torch.float64)
    distances = distances if decimals is None else distances.round(decimals=decimals)
    return distances.to(kind)


def naive(distances, sigma, prior=None, weight=None):
    """Algorithm 1 as printed: all pairs, every round; ties as the docstring says."""
    rows, k = distances.double().tolist(), distances.shape[1]
    shares = [1.0] * k if prior is None else [k * p / sum(prior) for p in prior]
    steps = [1.0] * len(rows)
    if weight is not None:
        steps = (weight / weight.max() / (weight / weight.max()).sum() * len(rows)).tolist()
    counts, labels = [0.0] * k, [-1] * len(rows)
    for _ in rows:
        pairs = [
            (d + 2 * sigma * (math.log(counts[j] + 1) - math.log(shares[j])), d, i, j)
            for i, row in enumerate(rows)
            if labels[i] < 0
            for j, d in enumerate(row)
        ]
        _, _, i, j = min(pairs)
        labels[i] = j
        counts[j] += steps[i]
    return labels


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 25),
    k=st.integers(1, 6),
    sigma=st.sampled_from([0.0, 0.01, 0.1, 0.5, 2.0, 50.0]),
    decimals=st.sampled_from([None, 0, 1]),
    kind=st.sampled_from([torch.float32, torch.float64]),
)
def test_the_heap_does_what_the_double_loop_does(seed, n, k, sigma, decimals, kind):
    distances = draw(seed, n, k, kind, decimals)
    assert combination_assignment(distances, sigma).tolist() == naive(distances, sigma)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 25), prior=st.sampled_from(PRIORS))
def test_priors_and_weights_against_the_double_loop(seed, n, prior):
    distances = draw(seed, n, 4)
    weight = torch.rand(n, generator=torch.Generator().manual_seed(seed)).double() + 0.1
    found = combination_assignment(distances, 0.7, prior, weight)
    assert found.tolist() == naive(distances, 0.7, prior, weight)


def test_a_batch_of_the_paper_against_the_double_loop():
    distances = draw(1, 60, 30)
    assert combination_assignment(distances, 0.4).tolist() == naive(distances, 0.4)


def brute_force(distances, sigma, prior=None):
    n, k = distances.shape
    every = (torch.tensor(labels) for labels in itertools.product(range(k), repeat=n))
    return min(combination_objective(distances, labels, sigma, prior) for labels in every)


@pytest.mark.parametrize("prior", [None, [3.0, 1.0, 1.0]])
def test_the_greedy_gap(prior):
    """Eq. 5 by brute force over all labellings of small batches."""
    gaps = []
    for seed in range(30):
        distances, sigma = draw(seed, 6, 3), (0.05, 0.2, 1.0)[seed % 3]
        best = brute_force(distances, sigma, prior)
        labels = combination_assignment(distances, sigma, prior)
        found = combination_objective(distances, labels, sigma, prior)
        assert found >= best - 1e-9
        gaps.append((found - best) / abs(best))
    exact = sum(gap < 1e-9 for gap in gaps)
    assert exact >= 20
    assert max(gaps) < 0.1


def test_the_greedy_rule_is_not_the_optimum():
    """A counterexample: the first choice takes the cluster that the other sample needs."""
    distances = torch.tensor([[0.0, 0.1], [0.2, 9.0]], dtype=torch.float64)
    labels = combination_assignment(distances, 1.0)
    assert labels.tolist() == [0, 0]
    best = brute_force(distances, 1.0)
    assert combination_objective(distances, labels, 1.0) > best + 1.0


def test_objective_is_equation_4():
    distances = torch.tensor([[1.0, 5.0], [2.0, 5.0], [3.0, 4.0]])
    value = combination_objective(distances, torch.tensor([0, 0, 1]), 0.5)
    assert value == pytest.approx(1 + 2 + 4 + 2 * 0.5 * math.log(2))
    skewed = combination_objective(distances, torch.tensor([0, 0, 1]), 0.5, [3.0, 1.0])
    assert skewed == pytest.approx(value - 2 * 0.5 * (2 * math.log(1.5) + math.log(0.5)))


def test_ties_go_to_the_smaller_distance_then_sample_then_cluster():
    assert combination_assignment(torch.zeros(4, 2), 0.5).tolist() == [0, 1, 0, 1]
    assert combination_assignment(torch.zeros(3, 2), 0.0).tolist() == [0, 0, 0]
    # 2 sigma log 2 = 1: sample 1 costs as much in cluster 0 (0 + 1) as in cluster 1 (1 + 0)
    sigma = 0.5 / math.log(2)
    distances = torch.tensor([[0.0, 5.0], [0.0, 1.0]], dtype=torch.float64)
    assert combination_assignment(distances, sigma).tolist() == [0, 0]


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(1, 6))
def test_a_row_offset_matters_and_a_scale_does_not(seed, n, k):
    distances = draw(seed, n, k)
    relative = CombinationAssignment(sigma=0.3)
    labels = relative.targets(distances)
    torch.testing.assert_close(relative.targets(distances * 2.0**40), labels * 1.0)
    same = CombinationAssignment(sigma=0.3 * mean_distance(distances), relative=False)
    assert bool((same.targets(distances) == labels).all())


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(1, 6))
def test_permutations_permute(seed, n, k):
    distances = draw(seed, n, k)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randperm(size, generator=generator) for size in (n, k))
    labels = combination_assignment(distances, 0.5)
    found = combination_assignment(distances[rows][:, columns], 0.5)
    assert columns[found].tolist() == labels[rows].tolist()


@pytest.mark.parametrize(("n", "k"), [(256, 10), (256, 100), (7, 3), (2, 5)])
def test_a_large_variance_makes_the_batch_even_and_none_the_nearest(n, k):
    distances = draw(0, n, k)
    sizes = torch.bincount(combination_assignment(distances, 1e6), minlength=k)
    assert int(sizes.max() - sizes.min()) <= 1
    assert combination_assignment(distances, 0.0).tolist() == distances.argmin(dim=1).tolist()


def test_a_prior_sets_the_sizes():
    labels = combination_assignment(draw(0, 600, 3), 1e6, [1.0, 2.0, 3.0])
    sizes = torch.bincount(labels, minlength=3)
    assert (sizes - torch.tensor([100, 200, 300])).abs().max() <= 3


def test_weights_count_as_copies():
    distances = draw(3, 40, 4)
    weight = torch.ones(40)
    plain = combination_assignment(distances, 0.5)
    assert combination_assignment(distances, 0.5, weight=7 * weight).tolist() == plain.tolist()
    weight[:20] = 9.0
    heavy = combination_assignment(distances, 1e6, weight=weight)
    mass = torch.bincount(heavy, weight, minlength=4)
    assert mass.max() <= 1.5 * mass.min()


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1.0, 1e30, 1e300, sys.float_info.max])
def test_any_size(size):
    distances = draw(2, 50, 5) / 4 * size
    labels = CombinationAssignment().targets(distances)
    assert bool((labels.sum(dim=1) == 1.0).all())
    assert labels.sum(dim=0).max() <= 25


def test_coinciding_prototypes_share_the_batch():
    for distances in (torch.zeros(12, 4), torch.rand(12, 1).expand(12, 4)):
        assert CombinationAssignment().targets(distances).sum(dim=0).tolist() == [3.0] * 4


def test_targets_are_one_hot_in_the_type_of_the_distances_without_gradient():
    distances = draw(0, 5, 3, torch.float32).requires_grad_()
    targets = CombinationAssignment().targets(distances)
    assert targets.dtype == torch.float32
    assert not targets.requires_grad
    assert sorted(targets.unique().tolist()) == [0.0, 1.0]


def test_there_is_no_search_through_all_pairs_in_each_round():
    distances = draw(0, 2048, 64)
    start = time.perf_counter()
    combination_assignment(distances, 0.5)
    assert time.perf_counter() - start < 5.0  # 2,048 rounds of 131,072 pairs take minutes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), 1.0), "distances must be a 2-D"),
        ((torch.zeros(3, 0), 1.0), "distances must have rows and columns"),
        ((torch.full((2, 2), math.nan), 1.0), "distances must be finite"),
        ((torch.full((2, 2), math.inf), 1.0), "distances must be finite"),
        ((torch.zeros(2, 2), -1.0), "sigma must be a finite number >= 0, got -1.0"),
        ((torch.zeros(2, 2), math.nan), "sigma must be a finite number >= 0"),
        ((torch.zeros(2, 2), 1.0, [1.0]), "one number for each of the 2 clusters, got 1"),
        ((torch.zeros(2, 2), 1.0, [1.0, 0.0]), r"prior\[1\] must be a finite number > 0"),
        ((torch.zeros(2, 2), 1.0, None, torch.ones(3)), "weight"),
        ((torch.zeros(2, 2), 1.0, None, torch.zeros(2)), "weight must have a positive sum"),
        ((torch.zeros(2, 2), 1.0, None, torch.tensor([1.0, -1.0])), "non-negative"),
        ((torch.zeros(2, 2), 1.0, None, torch.tensor([1.0, math.nan])), "weight must be finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        combination_assignment(*arguments)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(3, dtype=torch.int64), "labels must be int64 of shape"),
        (torch.zeros(2), "labels must be int64 of shape"),
        (torch.tensor([0, 2]), "labels must be from 0 to 1, got 0 to 2"),
        (torch.tensor([-1, 0]), "labels must be from 0 to 1, got -1 to 0"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        combination_objective(torch.zeros(2, 2), labels, 1.0)


@pytest.mark.parametrize(
    "options",
    [
        {"sigma": 0.0},
        {"sigma": math.inf},
        {"sigma": "large"},
        {"relative": 1},
        {"refine": "yes"},
        {"prior": []},
        {"prior": 3.0},
        {"prior": [1.0, -1.0]},
    ],
)
def test_bad_options(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CombinationAssignment(**options).validate()
