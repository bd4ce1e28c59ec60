"""Moves that lower Eq. 5, against all single moves, the exact optimum and brute force."""

import itertools
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sklearn_ddcl.nn import (
    CombinationAssignment,
    combination_assignment,
    combination_objective,
    refine_combination,
)

checked = settings(deadline=None, max_examples=60)
PRIORS = (None, [5.0, 1.0, 0.5, 2.0])


def draw(seed, n, k):
    generator = torch.Generator().manual_seed(seed)
    return 4 * torch.rand(n, k, generator=generator, dtype=torch.float64)


def objective(distances, labels, sigma, prior=None, weight=None):
    """Eq. 4 with samples that count as their weights, term by term."""
    n, k = distances.shape
    w = torch.ones(n).double() if weight is None else n * weight.double() / weight.double().sum()
    shares = [1.0] * k if prior is None else [k * p / sum(prior) for p in prior]
    value = sum(float(w[i] * distances[i, j]) for i, j in enumerate(labels.tolist()))
    for j in range(k):
        count = float(w[labels == j].sum())
        value += 2 * sigma * (math.lgamma(count + 1) - count * math.log(shares[j]))
    return value


def optimum(distances, sigma):
    """Eq. 5 exactly: the m-th sample of a cluster takes a place that costs 2 sigma log m."""
    n = len(distances)
    places = 2 * sigma * np.log(np.arange(1, n + 1))
    costs = (distances.numpy()[:, :, None] + places).reshape(n, -1)
    return torch.from_numpy(linear_sum_assignment(costs)[1] // n)


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 20),
    k=st.integers(1, 4),
    sigma=st.sampled_from([0.0, 0.05, 0.5, 5.0]),
    skewed=st.booleans(),
    weighted=st.booleans(),
)
def test_no_single_move_is_left(seed, n, k, sigma, skewed, weighted):
    distances, prior = draw(seed, n, k), PRIORS[1][:k] if skewed else None
    generator = torch.Generator().manual_seed(seed)
    weight = torch.rand(n, generator=generator).double() + 0.1 if weighted else None
    first = torch.randint(k, (n,), generator=generator)
    labels = refine_combination(distances, first, sigma, prior, weight)
    value = objective(distances, labels, sigma, prior, weight)
    assert value <= objective(distances, first, sigma, prior, weight) + 1e-9
    for i, j in itertools.product(range(n), range(k)):
        other = labels.clone()
        other[i] = j
        assert objective(distances, other, sigma, prior, weight) >= value - 1e-8


def test_the_oracle_is_the_optimum():
    for seed in range(5):
        distances = draw(seed, 6, 3)
        every = (torch.tensor(labels) for labels in itertools.product(range(3), repeat=6))
        best = min(combination_objective(distances, labels, 0.3) for labels in every)
        found = combination_objective(distances, optimum(distances, 0.3), 0.3)
        assert found == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("k", [3, 10])
def test_a_batch_ends_near_the_optimum_of_equation_5(k):
    gaps = []
    for seed in range(10):
        distances, sigma = draw(seed, 128, k), 1.0
        greedy = combination_assignment(distances, sigma)
        refined = refine_combination(distances, greedy, sigma)
        best = combination_objective(distances, optimum(distances, sigma), sigma)
        gaps.append(
            [combination_objective(distances, found, sigma) - best for found in (greedy, refined)]
        )
    greedy, refined = np.array(gaps).T
    assert (refined >= -1e-8).all()
    assert (refined <= greedy + 1e-8).all()
    assert refined.mean() < 0.5 * greedy.mean()


def test_the_support_refines_unless_told_not_to():
    distances = torch.tensor([[0.0, 0.1], [0.2, 9.0]], dtype=torch.float64)
    options = {"sigma": 1.0, "relative": False}
    assert CombinationAssignment(**options).targets(distances).argmax(dim=1).tolist() == [1, 0]
    greedy = CombinationAssignment(**options, refine=False)
    assert greedy.targets(distances).argmax(dim=1).tolist() == [0, 0]


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), k=st.integers(1, 6))
def test_permutations_permute(seed, n, k):
    distances = draw(seed, n, k)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randperm(size, generator=generator) for size in (n, k))
    first = combination_assignment(distances, 0.5)
    labels = refine_combination(distances, first, 0.5)
    moved = refine_combination(distances[rows][:, columns], columns.argsort()[first[rows]], 0.5)
    assert columns[moved].tolist() == labels[rows].tolist()


def test_weights_of_one_size_are_as_none():
    distances = draw(0, 60, 5)
    first = combination_assignment(distances, 0.7)
    plain = refine_combination(distances, first, 0.7)
    for size in (1e-200, 1.0, 3.0, 1e300):
        weight = torch.full((60,), size, dtype=torch.float64)
        assert refine_combination(distances, first, 0.7, weight=weight).tolist() == plain.tolist()


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300, sys.float_info.max / 4])
def test_any_size(size):
    distances = draw(2, 50, 5) / 4
    first = combination_assignment(distances, 0.5)
    plain = refine_combination(distances, first, 0.5)
    assert refine_combination(distances * size, first, 0.5 * size).tolist() == plain.tolist()


@pytest.mark.parametrize("weighted", [False, True])
def test_many_samples_that_gain_less_than_rounding_end(weighted):
    generator = torch.Generator().manual_seed(0)
    distances = 1e-6 * torch.rand(20_000, 5, generator=generator)
    weight = torch.rand(20_000, generator=generator).double() if weighted else None
    labels = refine_combination(
        distances, torch.zeros(20_000, dtype=torch.int64), 1.0, weight=weight
    )
    sizes = torch.bincount(labels, None if weight is None else weight, minlength=5)
    assert float(sizes.max() / sizes.min()) == pytest.approx(1.0, abs=1e-3)


def test_labels_and_distances_are_left_as_they_are():
    distances, first = torch.tensor([[0.0, 0.1], [0.2, 9.0]]), torch.tensor([0, 0])
    assert refine_combination(distances, first, 1.0).tolist() == [1, 0]
    assert first.tolist() == [0, 0]
    assert distances.tolist()[1] == pytest.approx([0.2, 9.0])
    assert refine_combination(torch.zeros(4, 1), torch.zeros(4).long(), 1.0).tolist() == [0] * 4
    huge = refine_combination(torch.zeros(4, 2), torch.zeros(4).long(), sys.float_info.max)
    assert huge.sum() == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), torch.zeros(3).long(), 1.0), "distances must be a 2-D"),
        ((torch.full((2, 2), math.nan), torch.zeros(2).long(), 1.0), "distances must be finite"),
        ((torch.zeros(2, 2), torch.zeros(2), 1.0), "labels must be int64 of shape"),
        ((torch.zeros(2, 2), torch.tensor([0, 2]), 1.0), "labels must be from 0 to 1, got 0 to 2"),
        ((torch.zeros(2, 2), torch.zeros(2).long(), -1.0), "sigma must be a finite number >= 0"),
        ((torch.zeros(2, 2), torch.zeros(2).long(), 1.0, [1.0]), "each of the 2 clusters, got 1"),
        (
            (torch.zeros(2, 2), torch.zeros(2).long(), 1.0, None, torch.zeros(2)),
            "weight must have a positive sum",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        refine_combination(*arguments)
