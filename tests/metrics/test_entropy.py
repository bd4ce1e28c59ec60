"""Hard and soft entropy: the paper's example, the bounds and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.metrics import assignment_entropy

# The two matrices of section 4.3 of Mahon and Lukasiewicz (AAAI 2024).
D1 = np.array([[0.98, 0.01, 0.01], [0.98, 0.01, 0.01], [0.49, 0.50, 0.01], [0.49, 0.01, 0.50]])
D2 = np.tile([0.34, 0.33, 0.33], (4, 1))


@pytest.mark.parametrize(
    ("assignments", "kind", "printed", "digits"),
    [(D1, "hard", 1.5, 1), (D1, "soft", 1.1, 1), (D2, "hard", 0.0, 1), (D2, "soft", 1.58, 2)],
)
def test_the_papers_example(assignments, kind, printed, digits):
    """All four printed numbers are right."""
    assert round(assignment_entropy(assignments, kind=kind), digits) == printed


@st.composite
def soft_assignments(draw):
    shape = draw(st.integers(1, 10)), draw(st.integers(1, 5))
    logits = np.random.default_rng(draw(st.integers(0, 10**6))).normal(size=shape) * 4
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=40)
@given(soft_assignments(), st.sampled_from([2, np.e, 10]))
def test_entropies_follow_their_definition_and_bounds(assignments, base):
    n_clusters = assignments.shape[1]
    mean = assignments.mean(axis=0)
    expected = -np.sum(mean * np.log(mean)) / np.log(base)
    found = assignment_entropy(assignments, kind="soft", base=base)
    assert found == pytest.approx(expected, abs=1e-9)
    winners = assignments.argmax(axis=1)
    hard = assignment_entropy(assignments, base=base)
    assert hard == pytest.approx(assignment_entropy(winners, base=base))
    for value in (found, hard):
        assert -1e-12 <= value <= np.log(n_clusters) / np.log(base) + 1e-9


def test_one_hot_assignments_have_equal_entropies():
    one_hot = np.eye(3)[[0, 0, 1, 2]]
    assert assignment_entropy(one_hot, kind="soft") == assignment_entropy(one_hot) == 1.5


def test_float32_and_string_labels_are_accepted():
    assert assignment_entropy(D2.astype(np.float32), kind="soft") == pytest.approx(1.585, abs=1e-3)
    assert assignment_entropy(["a", "b"]) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "medium"}, r"kind must be one of \('hard', 'soft'\), got 'medium'"),
        ({"base": 1}, "base must be a number greater than 1, got 1"),
        ({"base": -2}, "base must be a number greater than 1"),
        ({"base": np.nan}, "base must be a number greater than 1"),
        ({"base": "e"}, "base must be a number greater than 1"),
        ({"base": True}, "base must be a number greater than 1"),
    ],
)
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        assignment_entropy(D1, **arguments)


@pytest.mark.parametrize(
    ("assignments", "kind", "message"),
    [
        ([0, 1], "soft", "kind='soft' needs assignments of shape"),
        (D1 * 2, "hard", "must sum to 1"),
        ([], "hard", "assignments must hold at least 1 sample"),
        (np.ones((0, 3)), "hard", "0 sample"),
        (np.ones((2, 2, 2)), "hard", "dim 3"),
    ],
)
def test_bad_assignments_are_refused(assignments, kind, message):
    with pytest.raises(ValueError, match=message):
        assignment_entropy(assignments, kind=kind)
