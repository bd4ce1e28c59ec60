import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_ddcl.engine import resolve_support
from sklearn_ddcl.engine._supports import PARTITION_SUPPORTS, SupportedTerm
from sklearn_ddcl.nn import (
    ClusterOutput,
    CombinationAssignment,
    MarginalEntropy,
    PartitionSupport,
    SinkhornAssignment,
    combination_assignment,
    soft_assignments,
    squared_distances,
)


@pytest.mark.parametrize("name", sorted(PARTITION_SUPPORTS))
def test_names_make_valid_supports_that_clone(name):
    support = resolve_support(name)
    assert support is not resolve_support(name)
    assert clone(support) == support == copy.deepcopy(support)
    assert all(support.get_params()[key] == value for key, value in vars(support).items())


def test_none_is_the_nearest_prototype():
    assert type(resolve_support(None)) is PartitionSupport


def test_objects_are_copied_and_numbers_of_grids_become_plain():
    support = SinkhornAssignment(epsilon=np.float64(0.2))
    found = resolve_support(support)
    assert found == support
    assert found is not support
    assert type(found.epsilon) is float


def test_sigma_takes_the_place_of_the_supports_own_and_leaves_the_users_object():
    own = CombinationAssignment(sigma=3.0)
    assert resolve_support(own).sigma == 3.0
    assert resolve_support(own, sigma=2.0).sigma == 2.0
    assert own.sigma == 3.0


@pytest.mark.parametrize("value", ["sinkhorn", "entropy", None, MarginalEntropy()])
def test_sigma_without_a_use_is_refused(value):
    with pytest.raises(ValueError, match="'sigma' parameter must be None with partition_support"):
        resolve_support(value, sigma=1.0)


@pytest.mark.parametrize("value", ["k-means", "", "Combination"])
def test_unknown_names(value):
    with pytest.raises(ValueError, match=r"must be one of .*'combination'.* Got"):
        resolve_support(value)


@pytest.mark.parametrize("value", [CombinationAssignment, 3, object()])
def test_neither_name_nor_object(value):
    with pytest.raises(TypeError, match="an object such as CombinationAssignment"):
        resolve_support(value)


def test_options_are_checked():
    with pytest.raises(ValueError, match="sigma must be"):
        resolve_support(CombinationAssignment(sigma=math.nan))


def make_output(seed, n=12, k=3):
    generator = torch.Generator().manual_seed(seed)
    z, p = (
        torch.randn(size, 2, generator=generator, dtype=torch.float64, requires_grad=True)
        for size in (n, k)
    )
    distances = squared_distances(z, p)
    return ClusterOutput(z, p, distances, soft_assignments(distances, 0.5), 0.5)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), sigma=st.sampled_from([0.01, 0.3, 5.0]))
def test_loss_and_gradient_are_those_of_equation_1(seed, sigma):
    output = make_output(seed)
    labels = combination_assignment(output.distances, sigma)
    support = CombinationAssignment(sigma, relative=False, refine=False)
    loss = SupportedTerm(support)(output)
    z, p = output.z.detach(), output.prototypes.detach()
    errors = z - p[labels]
    assert float(loss.detach()) == pytest.approx(float(errors.square().sum(dim=1).mean()))
    grad_z, grad_p = torch.autograd.grad(loss, (output.z, output.prototypes))
    torch.testing.assert_close(grad_z, 2 * errors / len(z))
    by_hand = torch.zeros_like(p).index_add_(0, labels, -2 * errors / len(z))
    torch.testing.assert_close(grad_p, by_hand)


def test_without_support_the_nearest_prototypes_and_no_more():
    output = make_output(0)
    loss = SupportedTerm(PartitionSupport())(output)
    assert float(loss.detach()) == float(output.distances.detach().amin(dim=1).mean())


def test_a_penalty_is_in_units_of_the_mean_distance():
    output = make_output(1)
    weight = torch.arange(1.0, 13.0, dtype=torch.float64)
    share = weight / weight.sum()
    plain = SupportedTerm(PartitionSupport())(output, weight)
    loss = SupportedTerm(MarginalEntropy(2.0))(output, weight)
    mean = share @ output.assignments
    unit = float((share @ output.distances).mean().detach())
    expected = plain + 2.0 * unit * (mean * mean.log()).sum()
    torch.testing.assert_close(loss, expected)


def test_a_penalty_may_be_absolute():
    output = make_output(1)
    relative, absolute = (
        SupportedTerm(MarginalEntropy(2.0, relative=flag))(output) for flag in (True, False)
    )
    base = SupportedTerm(PartitionSupport())(output)
    unit = float(output.distances.mean().detach())
    torch.testing.assert_close(relative - base, unit * (absolute - base))


def test_soft_targets_weigh_distances():
    output = make_output(2)
    support = SinkhornAssignment(epsilon=0.5, hard=False)
    targets = support.targets(output.distances.detach())
    loss = SupportedTerm(support)(output)
    torch.testing.assert_close(loss, (targets * output.distances).sum() / 12)
