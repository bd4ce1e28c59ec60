import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import (
    ClusterOutput,
    Objective,
    balance_loss,
    coercive_quadratic,
    entropy_loss,
    ols_term,
    quadratic_loss,
    quantization_term,
    separation_loss,
    soft_assignments,
    squared_distances,
)

checked = settings(deadline=None, max_examples=30)
weights = st.floats(0.0, 3.0)


def forward(make_problem, seed=0, temperature=1.0):
    z, p, _, weight = make_problem(seed, 8, 3, 4)
    z.requires_grad_()
    distances = squared_distances(z, p)
    q = soft_assignments(distances, temperature)
    return ClusterOutput(z, p, distances, q, temperature), weight


@checked
@given(
    seed=st.integers(0, 1000),
    balance=weights,
    entropy=st.floats(-3.0, 3.0),
    separation=weights,
    reduction=st.sampled_from(["sum", "mean"]),
    base=st.sampled_from([quantization_term, ols_term]),
)
def test_total_is_equation_12(make_problem, seed, balance, entropy, separation, reduction, base):
    output, weight = forward(make_problem, seed)
    quadratic = coercive_quadratic(separation, 4, reduction) + 0.1
    value = Objective(base, balance, entropy, separation, quadratic, reduction)(output, weight)
    expected = (
        base(output, weight)
        + balance * balance_loss(output.assignments, weight)
        + entropy * entropy_loss(output.assignments, weight)
        + separation * separation_loss(output.prototypes, reduction)
        + quadratic * quadratic_loss(output.prototypes)
    )
    torch.testing.assert_close(value.total, expected)
    torch.testing.assert_close(sum(value[1:]), value.total)


def test_the_default_is_the_quantization_loss_alone(make_problem):
    output, _ = forward(make_problem)
    value = Objective()(output)
    assert torch.equal(value.total, quantization_term(output))
    assert all(float(term) == 0.0 for term in value[2:])


def test_any_function_may_be_the_base(make_problem):
    output, weight = forward(make_problem)
    value = Objective(base=lambda output, weight=None: output.z.sum())(output, weight)
    assert torch.equal(value.total, output.z.sum())


@pytest.mark.parametrize(("entropy", "sharper"), [(1.0, True), (-1.0, False)])
def test_a_positive_entropy_weight_sharpens(make_problem, entropy, sharper):
    logits = torch.zeros(1, 3, dtype=torch.float64)
    logits[0, 0] = 0.3
    logits.requires_grad_()
    q = torch.softmax(logits, 1)
    p = torch.zeros(3, 1, dtype=torch.float64)
    output = ClusterOutput(p[:1], p, torch.zeros_like(q), q, 1.0)
    (gradient,) = torch.autograd.grad(Objective(entropy=entropy)(output).total, logits)
    after = torch.softmax(logits - 0.1 * gradient, 1)
    assert bool(after.max() > q.max()) is sharper


def test_the_quadratic_weight_is_derived_where_it_is_left_out(make_problem):
    output, _ = forward(make_problem)
    value = Objective(separation=0.3)(output)
    expected = coercive_quadratic(0.3, 4) * quadratic_loss(output.prototypes)
    torch.testing.assert_close(value.quadratic, expected)


def test_too_weak_a_quadratic_term_is_refused_once_k_is_known(make_problem):
    output, _ = forward(make_problem)
    with pytest.raises(ValueError, match="n_clusters=4"):
        Objective(separation=1.0, quadratic=1.0)(output)


def test_gradients_reach_the_features(make_problem):
    output, _ = forward(make_problem)
    Objective(balance=0.1, entropy=-0.1, separation=0.1)(output).total.backward()
    assert torch.isfinite(output.z.grad).all()
    assert output.z.grad.abs().max() > 0


def test_representation_and_pickle():
    objective = Objective(balance=0.5)
    assert "balance=0.5" in repr(objective)
    assert repr(pickle.loads(pickle.dumps(objective))) == repr(objective)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base": "quantization"}, "base must be a function"),
        ({"balance": -1.0}, "balance"),
        ({"entropy": float("nan")}, "entropy"),
        ({"separation": -1.0}, "separation"),
        ({"quadratic": -1.0}, "quadratic"),
        ({"reduction": "max"}, "reduction"),
    ],
)
def test_bad_weights_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Objective(**arguments)
