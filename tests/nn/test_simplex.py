import math

import cvxopt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.nn import project_simplex

checked = settings(deadline=None, max_examples=60)
values = st.floats(-1e3, 1e3, allow_nan=False)


def quadratic_programme(v):
    """Nearest point of the simplex by a general solver."""
    k = len(v)
    problem = [
        cvxopt.matrix(np.eye(k)),
        cvxopt.matrix(-np.asarray(v, dtype=float)),
        cvxopt.matrix(-np.eye(k)),
        cvxopt.matrix(np.zeros(k)),
        cvxopt.matrix(np.ones((1, k))),
        cvxopt.matrix(1.0),
    ]
    options = {"show_progress": False, "abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12}
    return np.ravel(cvxopt.solvers.qp(*problem, options=options)["x"])


@checked
@given(v=st.lists(st.floats(-3, 3), min_size=1, max_size=8))
def test_projection_against_a_quadratic_programme(v):
    projected = project_simplex(torch.tensor(v, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(projected, quadratic_programme(v), atol=2e-6)


@checked
@given(v=st.lists(values, min_size=1, max_size=12), shift=values)
def test_projection_is_idempotent_and_blind_to_shifts(v, shift):
    v = torch.tensor(v, dtype=torch.float64)
    projected = project_simplex(v)
    assert (projected >= 0).all()
    assert float(projected.sum()) == pytest.approx(1.0, abs=1e-14)
    torch.testing.assert_close(project_simplex(projected), projected, rtol=0, atol=1e-15)
    torch.testing.assert_close(project_simplex(v + shift), projected, rtol=0, atol=1e-12)


@checked
@given(v=st.lists(values, min_size=2, max_size=6), w=st.lists(values, min_size=2, max_size=6))
def test_projection_never_lengthens(v, w):
    size = min(len(v), len(w))
    v, w = (torch.tensor(x[:size], dtype=torch.float64) for x in (v, w))
    image = torch.linalg.vector_norm(project_simplex(v) - project_simplex(w))
    assert image <= torch.linalg.vector_norm(v - w) + 1e-12


def test_rows_are_projected_one_by_one(make_problem):
    v = make_problem(0, 6, 4, 1).z.reshape(2, 3, 4)
    batch = project_simplex(v)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(batch[i, j], project_simplex(v[i, j]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e30, 1e-30, "largest"])
def test_extreme_entries(dtype, size):
    size = torch.finfo(dtype).max if size == "largest" else size
    big = project_simplex(torch.tensor([[size, -size, 0.0], [size, size, -size]], dtype=dtype))
    assert big.dtype == dtype
    torch.testing.assert_close(big.sum(1), torch.ones(2, dtype=dtype))
    if size > 1:
        expected = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], dtype=dtype)
        assert torch.equal(big, expected)


def test_gradient_is_the_projection_onto_the_active_face():
    v = torch.tensor([0.4, 0.5, -3.0], dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(project_simplex, v)
    expected = torch.tensor([[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(jacobian, expected.double())


@pytest.mark.parametrize(
    ("v", "message"),
    [
        (torch.tensor([math.nan, 0.0]), "finite"),
        (torch.tensor([math.inf, 0.0]), "finite"),
        (torch.zeros(2, 0), "columns"),
        (torch.tensor(1.0), "columns"),
        (torch.tensor([1, 0]), "floating"),
    ],
)
def test_projection_rejects(v, message):
    with pytest.raises(ValueError, match=message):
        project_simplex(v)
