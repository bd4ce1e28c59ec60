import math

import pytest
import torch

from sklearn_ddcl.nn import _checks


@pytest.mark.parametrize(
    "value",
    [[[1.0]], torch.zeros(3), torch.zeros(2, 2, dtype=torch.int64), torch.zeros(0, 2), None],
)
def test_check_matrix_names_the_parameter(value):
    with pytest.raises(ValueError, match=r"^features must"):
        _checks.check_matrix("features", value)


def test_check_columns_gives_both_widths():
    with pytest.raises(
        ValueError, match="z and p must have the same number of columns, got 2 and 3"
    ):
        _checks.check_columns("z", torch.zeros(4, 2), "p", torch.zeros(4, 3))


def test_check_same_shape_gives_both_shapes():
    with pytest.raises(ValueError, match=r"got \(4, 2\) and \(4, 3\)"):
        _checks.check_same_shape("distances", torch.zeros(4, 2), "q", torch.zeros(4, 3))


def test_check_mixture_gives_the_shape_wanted():
    with pytest.raises(ValueError, match=r"q must have shape \(4, 3\).*got \(4, 2\)"):
        _checks.check_mixture(torch.zeros(4, 2), torch.zeros(3, 2), torch.zeros(4, 2))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "1", None, True])
def test_check_real_rejects(value):
    with pytest.raises(ValueError, match=r"rate must be a finite number > 0, got"):
        _checks.check_real("rate", value, above=0.0)


def test_check_real_bounds_are_as_documented():
    _checks.check_real("x", 1, at_least=1.0, at_most=1.0)
    _checks.check_real("x", math.inf, above=0.0, infinite=True)
    with pytest.raises(ValueError, match="<= 1, got 2"):
        _checks.check_real("x", 2, at_most=1.0)
    with pytest.raises(ValueError, match="got -inf"):
        _checks.check_real("x", -math.inf, at_least=0.0, infinite=True)


@pytest.mark.parametrize("value", [0, -3, 1.0, True, "2"])
def test_check_count_rejects(value):
    with pytest.raises(ValueError, match="n must be an integer >= 1, got"):
        _checks.check_count("n", value)


@pytest.mark.parametrize("value", [1, None, "yes", 0.0])
def test_check_flag_takes_bools_only(value):
    _checks.check_flag("relative", True)
    with pytest.raises(ValueError, match=f"relative must be a bool, got {value!r}"):
        _checks.check_flag("relative", value)


@pytest.mark.parametrize("value", ["sums", "", None, 1, ["mean"]])
def test_check_choice_lists_what_is_allowed(value):
    _checks.check_choice("mode", "sum", ("mean", "sum"))
    with pytest.raises(ValueError, match="mode must be one of 'mean', 'sum', got"):
        _checks.check_choice("mode", value, ("mean", "sum"))


@pytest.mark.parametrize("value", [torch.zeros(3), torch.zeros(2, 2, dtype=torch.uint8), [[0.0]]])
def test_check_samples_wants_a_first_axis_of_samples(value):
    _checks.check_samples("x", torch.zeros(0, 2, 2))
    with pytest.raises(
        ValueError, match=r"x must be a floating point tensor of shape \(n, \.\.\.\)"
    ):
        _checks.check_samples("x", value)


class Called:
    def __call__(self, first, second=0):
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "allowed"),
    [(Called(), {1, 2}), (lambda a, *rest: a, {1, 2, 3}), (lambda: 0, set()), (3, set())],
)
def test_takes_counts_arguments_by_position(function, allowed):
    assert {count for count in (1, 2, 3) if _checks.takes(function, count)} == allowed
    assert _checks.takes(range, 1), "without a signature anything goes"
