import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sklearn_ddcl.nn import SinkhornAssignment, sinkhorn_assignment

checked = settings(deadline=None, max_examples=40)
kinds = st.sampled_from([torch.float32, torch.float64])


def draw(seed, n, k, kind=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, k, generator=generator, dtype=torch.float64).to(kind)


def check_sums(q, prior=None, weight=None):
    n, k = q.shape
    share = torch.full((n,), 1 / n) if weight is None else weight / weight.sum()
    wanted = torch.full((k,), 1 / k) if prior is None else torch.tensor(prior) / sum(prior)
    assert bool(torch.isfinite(q).all())
    assert float(q.min()) >= 0.0
    assert float((q.double().sum(dim=1) - 1).abs().max()) < 1e-6
    assert float((share.double() @ q.double() - wanted.double()).abs().max()) < 1e-6


@checked
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 30),
    k=st.integers(1, 6),
    exponent=st.integers(-30, 30),
    kind=kinds,
    relative=st.booleans(),
)
def test_sums_hold_at_any_scale(seed, n, k, exponent, kind, relative):
    distances = draw(seed, n, k, kind) * 10.0**exponent
    q = SinkhornAssignment(relative=relative, hard=False).targets(distances)
    assert q.dtype == kind
    check_sums(q)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(2, 30), rounds=st.sampled_from([1, 3, 1000]))
def test_sums_hold_with_weights_and_prior(seed, n, rounds):
    prior = [0.5, 0.2, 0.3]
    weight = draw(seed + 1, n, 1)[:, 0] + 0.01
    weight[0] = 0.0
    q = sinkhorn_assignment(draw(seed, n, 3), 0.05, prior, weight, max_iter=rounds)
    check_sums(q, prior, weight)


def test_against_the_scaling_of_a_matrix():
    """Without logarithms, as Sinkhorn and Knopp wrote it."""
    distances, epsilon = draw(0, 12, 4), 0.3
    kernel = torch.exp(-distances / epsilon)
    for _ in range(500):
        kernel = kernel / kernel.sum(dim=0) / 4
        kernel = kernel / kernel.sum(dim=1, keepdim=True) / 12
    q = sinkhorn_assignment(distances, epsilon, tolerance=1e-14)
    torch.testing.assert_close(q, 12 * kernel, rtol=0, atol=1e-10)


def test_little_regularization_gives_the_best_matching():
    distances = draw(1, 12, 4)
    q = sinkhorn_assignment(distances, 1e-3, max_iter=20_000)
    rows, columns = linear_sum_assignment(distances.repeat_interleave(3, dim=1).numpy())
    best = torch.from_numpy(columns[rows.argsort()] // 3)
    assert q.argmax(dim=1).tolist() == best.tolist()
    cost = float((q * distances).sum())
    assert cost == pytest.approx(float(distances.gather(1, best[:, None]).sum()), abs=1e-3)


def test_much_regularization_gives_the_prior():
    q = sinkhorn_assignment(draw(2, 9, 3), 1e9, [1.0, 2.0, 1.0])
    torch.testing.assert_close(q, torch.tensor([[0.25, 0.5, 0.25]]).double().expand(9, 3))


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20), k=st.integers(1, 5))
def test_a_row_offset_and_a_column_offset_change_nothing(seed, n, k):
    distances = draw(seed, n, k)
    q = sinkhorn_assignment(distances, 0.2, tolerance=1e-13)
    moved = distances + draw(seed + 1, n, 1) + draw(seed + 2, 1, k)
    again = sinkhorn_assignment(moved, 0.2, tolerance=1e-13)
    torch.testing.assert_close(again, q, rtol=0, atol=1e-6)


@checked
@given(seed=st.integers(0, 10_000), n=st.integers(1, 20), k=st.integers(1, 5))
def test_permutations_permute(seed, n, k):
    distances = draw(seed, n, k)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randperm(size, generator=generator) for size in (n, k))
    q = sinkhorn_assignment(distances, 0.3)
    again = sinkhorn_assignment(distances[rows][:, columns], 0.3)
    torch.testing.assert_close(again, q[rows][:, columns], rtol=0, atol=1e-9)


def test_constant_distances_share_equally():
    for size in (0.0, 1e-300, 1.0, 1e300):
        q = SinkhornAssignment(hard=False).targets(torch.full((6, 3), size, dtype=torch.float64))
        torch.testing.assert_close(q, torch.full((6, 3), 1 / 3, dtype=torch.float64))


def test_hard_targets_are_the_largest_entries():
    distances = draw(3, 40, 4)
    soft = SinkhornAssignment(hard=False).targets(distances)
    hard = SinkhornAssignment().targets(distances)
    assert hard.argmax(dim=1).tolist() == soft.argmax(dim=1).tolist()
    assert sorted(hard.unique().tolist()) == [0.0, 1.0]
    assert hard.sum(dim=0).max() <= 14


def test_there_is_no_gradient():
    assert not sinkhorn_assignment(draw(0, 4, 2).requires_grad_(), 0.1).requires_grad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), 1.0), "distances must be a 2-D"),
        ((torch.full((2, 2), math.nan), 1.0), "distances must be finite"),
        ((torch.full((2, 2), math.inf), 1.0), "distances must be finite"),
        ((torch.zeros(2, 2), 0.0), "epsilon must be a finite number > 0, got 0.0"),
        ((torch.zeros(2, 2), 1.0, [1.0]), "one number for each of the 2 clusters"),
        ((torch.zeros(2, 2), 1.0, None, torch.ones(3)), "weight"),
        ((torch.zeros(2, 2), 1.0, None, torch.zeros(2)), "weight must have a positive sum"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sinkhorn_assignment(*arguments)


@pytest.mark.parametrize("name", ["tolerance", "max_iter"])
def test_bad_bounds(name):
    with pytest.raises(ValueError, match=name):
        sinkhorn_assignment(torch.zeros(2, 2), 1.0, **{name: -1})


@pytest.mark.parametrize(
    "options",
    [
        {"epsilon": 0.0},
        {"epsilon": math.nan},
        {"relative": "yes"},
        {"prior": [0.0, 1.0]},
        {"hard": 1},
        {"max_iter": 0},
    ],
)
def test_bad_options(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SinkhornAssignment(**options).validate()
