"""The claims of the hard-regularisation paper (Mahon and Lukasiewicz, AAAI 2024), checked."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, multinomial

from sklearn_ddcl.nn import (
    combination_assignment,
    combination_objective,
    one_hot,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)


def log_posterior(z, p, labels, sigma, prior):
    """Log of Eq. 2 times Eq. 3, with spherical clusters; constants of z left out."""
    counts = torch.bincount(labels, minlength=len(p)).numpy()
    gaps = (z - p[labels]).square().sum()
    return multinomial.logpmf(counts, len(z), prior) - float(gaps) / (2 * sigma)


def draw(seed, n=7, k=3, d=2):
    generator = torch.Generator().manual_seed(seed)
    z, p = (torch.randn(m, d, generator=generator, dtype=torch.float64) for m in (n, k))
    labels = torch.randint(k, (n,), generator=generator)
    return z, p, labels


@checked
@given(
    seed=st.integers(0, 10_000),
    sigma=st.sampled_from([0.1, 1.0, 5.0]),
    prior=st.sampled_from([[1 / 3, 1 / 3, 1 / 3], [0.6, 0.3, 0.1]]),
)
def test_equation_4_is_the_posterior(seed, sigma, prior):
    """Minus 2 sigma times its logarithm, up to a constant: differences agree."""
    z, p, labels = draw(seed)
    other = labels.roll(1)
    other[0] = (other[0] + 1) % 3
    distances = squared_distances(z, p)
    objective = [combination_objective(distances, y, sigma, prior) for y in (labels, other)]
    posterior = [log_posterior(z, p, y, sigma, prior) for y in (labels, other)]
    found, expected = objective[0] - objective[1], -2 * sigma * (posterior[0] - posterior[1])
    assert found == pytest.approx(expected, abs=1e-9)


@checked
@given(seed=st.integers(0, 10_000), sigma=st.sampled_from([0.1, 1.0, 5.0]))
def test_equation_6_assigns_the_last_sample_of_a_batch(seed, sigma):
    z, p, labels = draw(seed)
    distances = squared_distances(z, p)
    values = []
    for k in range(3):
        labels[-1] = k
        values.append(combination_objective(distances, labels, sigma))
    counts = torch.bincount(labels[:-1], minlength=3).double()
    costs = distances[-1] + 2 * sigma * (counts + 1).log()
    for k in range(1, 3):
        assert values[k] - values[0] == pytest.approx(float(costs[k] - costs[0]), abs=1e-9)


@pytest.mark.parametrize("counts", [(20, 30, 50), (90, 5, 5), (33, 33, 34)])
def test_equation_7_for_the_entropy_with_its_sign(counts):
    """As printed, H lacks its minus; with it the approximation holds."""
    after = [entropy([c + (j == k) for j, c in enumerate(counts)]) for k in range(3)]
    total = sum(counts) + 1
    for k in range(1, 3):
        approximation = (math.log(counts[0] + 1) - math.log(counts[k] + 1)) / total
        assert after[k] - after[0] == pytest.approx(approximation, abs=0.2 / total)
        assert (after[k] >= after[0]) == (counts[k] <= counts[0])


def test_the_hard_entropy_is_the_information_between_sample_and_cluster():
    """Section 3.4: H(X | Y) of hard labels is the rest of H(X)."""
    z, p, _ = draw(0, n=12)
    labels = combination_assignment(squared_distances(z, p), 1.0)
    joint = (one_hot(labels, 3, torch.float64) / 12).flatten()
    marginal = torch.bincount(labels, minlength=3) / 12
    information = entropy([1 / 12] * 12) + entropy(marginal) - entropy(joint)
    assert information == pytest.approx(entropy(marginal))


def test_counts_of_samples_would_regularise_nothing():
    """Algorithm 1 prints counts[i], of a sample, for counts[j] of Eq. 6.

    An unassigned sample has been counted never, so that all would go to the nearest.
    """
    distances = torch.tensor([[0.0, 0.1], [0.0, 0.1], [0.0, 0.1], [0.0, 0.1]])
    assert combination_assignment(distances, 1.0).bincount(minlength=2).tolist() == [2, 2]
    assert distances.argmin(dim=1).tolist() == [0, 0, 0, 0]


def test_equation_1_has_its_minimum_in_the_collapse():
    """And combination assignment too, if all prototypes fall together: then nothing is lost."""
    point = torch.zeros(6, 2)
    for prototypes in (torch.zeros(3, 2), torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])):
        distances = squared_distances(point, prototypes)
        assert float(distances.amin(dim=1).sum()) == 0.0
    even = combination_assignment(squared_distances(point, torch.zeros(3, 2)), 1.0)
    assert even.bincount(minlength=3).tolist() == [2, 2, 2]
    assert float(squared_distances(point, torch.zeros(3, 2)).sum()) == 0.0
