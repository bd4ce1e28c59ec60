import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    check_coercivity,
    coercive_quadratic,
    coercivity_bound,
    paper_coercivity_bound,
    quadratic_loss,
    separation_loss,
)
from sklearn_ddcl.nn.losses._coercivity import pairs_factor

checked = settings(deadline=None, max_examples=40)
reductions = st.sampled_from(["sum", "mean"])


def smallest_curvature(separation, quadratic, k, reduction):
    """Least eigenvalue of the Hessian of the two terms, in one feature."""

    def energy(p):
        p = p.unsqueeze(1)
        return separation * separation_loss(p, reduction) + quadratic * quadratic_loss(p)

    hessian = torch.autograd.functional.hessian(energy, torch.zeros(k, dtype=torch.float64))
    return float(torch.linalg.eigvalsh(hessian)[0])


@checked
@given(separation=st.floats(1e-3, 10.0), k=st.integers(2, 7), reduction=reductions)
def test_the_bound_is_where_the_hessian_turns_definite(separation, k, reduction):
    bound = coercivity_bound(separation, k, reduction)
    assert smallest_curvature(separation, 1.001 * bound, k, reduction) > 0.0
    assert smallest_curvature(separation, 0.999 * bound, k, reduction) < 0.0


@checked
@given(separation=st.floats(1e-3, 10.0), k=st.integers(1, 50), reduction=reductions)
def test_the_default_is_accepted_and_the_bound_itself_is_not(separation, k, reduction):
    check_coercivity(separation, coercive_quadratic(separation, k, reduction), k, reduction)
    if k > 1:
        bound = coercivity_bound(separation, k, reduction)
        with pytest.raises(ValueError, match="quadratic must be >"):
            check_coercivity(separation, bound, k, reduction)


@checked
@given(separation=st.floats(1e-3, 10.0), k=st.integers(2, 50))
def test_mean_and_sum_describe_the_same_rule(separation, k):
    pairs = k * (k - 1) / 2
    assert pairs_factor(k, "sum") == pairs
    assert coercivity_bound(separation * pairs, k) == pytest.approx(
        coercivity_bound(separation, k, "sum")
    )
    assert paper_coercivity_bound(separation * pairs, k) == pytest.approx(
        paper_coercivity_bound(separation, k, "sum")
    )


def test_the_guideline_of_ten_is_always_enough_for_the_mean_form():
    for k in range(2, 100):
        check_coercivity(1.0, 10.0, k)


def test_nothing_is_needed_without_separation_or_with_one_prototype():
    check_coercivity(0.0, 0.0, 5)
    check_coercivity(1.0, 0.0, 1)
    assert coercive_quadratic(0.0, 5) == paper_coercivity_bound(1.0, 1) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.1, 0.0, 3), r"quadratic must be > 0\.2 for separation=0\.1.*got 0\.0"),
        ((0.1, 0.0, 3), r"Leave quadratic out to have it set to 0\.5"),
        ((-0.1, 1.0, 3), "separation must be a finite number >= 0, got -0.1"),
        ((0.1, -1.0, 3), "quadratic must be a finite number >= 0"),
        ((0.1, 1.0, 0), "n_clusters must be an integer >= 1"),
        ((0.1, 1.0, 3, "median"), "reduction must be 'sum' or 'mean'"),
        ((float("nan"), 1.0, 3), "separation must be"),
    ],
)
def test_messages_name_cause_and_cure(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_coercivity(*arguments)
