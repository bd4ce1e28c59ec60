import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ddcl.engine._groups import check_groups, min_by_group, sum_by_group


def draw(seed, n, m, k):
    """Values for prototypes, and groups of which each has at least one."""
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(k), rng.integers(k, size=m - k)])
    return rng.normal(size=(n, m)), rng.permutation(groups)


@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 12), st.integers(0, 20))
def test_sums_and_minima_are_those_of_a_loop(seed, n, k, more):
    values, groups = draw(seed, n, k + more, k)
    index, tensor = check_groups(groups, k + more), torch.from_numpy(values)
    sums = np.stack([values[:, groups == j].sum(1) for j in range(k)], axis=1)
    least = np.stack([values[:, groups == j].min(1) for j in range(k)], axis=1)
    np.testing.assert_allclose(sum_by_group(tensor, index), sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(min_by_group(tensor, index), least)
    columns = torch.from_numpy(values.T.copy()).T
    np.testing.assert_array_equal(min_by_group(columns, index), least)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_group_each_changes_nothing(dtype):
    values = torch.rand(7, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    for function in (sum_by_group, min_by_group):
        found = function(values, torch.arange(5))
        assert found.dtype == dtype
        assert torch.equal(found, values)


def test_sums_pass_gradients():
    values = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([[2.0, 5.0]], dtype=torch.float64)
    (sum_by_group(values, torch.tensor([1, 0, 1])) * weight).sum().backward()
    assert torch.equal(values.grad, torch.tensor([[5.0, 2.0, 5.0]]).double().expand(4, 3))


def test_infinite_distances_stay_apart():
    values = torch.tensor([[torch.inf, 1.0, torch.inf]])
    assert min_by_group(values, torch.tensor([0, 1, 1])).tolist() == [[torch.inf, 1.0]]


def test_groups_are_copied():
    groups = np.array([0, 1])
    index = check_groups(groups, 2)
    groups[:] = 0
    assert index.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint16"])
def test_any_integers_and_read_only_arrays_will_do(dtype):
    groups = np.array([1, 0, 1], dtype=dtype)
    groups.flags.writeable = False
    index = check_groups(groups, 3)
    assert index.dtype == torch.int64
    assert index.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1], r"3 integers, one for each prototype, got shape \(2,\)"),
        ([[0], [1], [0]], r"got shape \(3, 1\)"),
        ([0.0, 1.0, 0.0], "of float64"),
        ([False, True, True], "of bool"),
        ([0, 2, 2], r"consecutive from 0, each with a prototype, got \[0, 2\]"),
        ([-1, 0, 1], r"got \[-1, 0, 1\]"),
        ([1, 1, 1], r"got \[1\]"),
    ],
)
def test_other_groups_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        check_groups(np.array(groups), 3)
