import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error

from sklearn_ddcl.nn import reconstruction_loss


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), d=st.integers(1, 6))
def test_against_sklearn(make_problem, seed, n, d):
    x, _, _, weight = make_problem(seed, n, d, 1)
    given_back = make_problem(seed + 1, n, d, 1).z
    assert float(reconstruction_loss(x, given_back)) == pytest.approx(
        mean_squared_error(x, given_back)
    )
    assert float(reconstruction_loss(x, given_back, weight)) == pytest.approx(
        mean_squared_error(x, given_back, sample_weight=weight)
    )


def test_images_are_flattened():
    generator = torch.Generator().manual_seed(0)
    x, given_back = torch.randn(2, 5, 3, 4, 4, generator=generator)
    loss = reconstruction_loss(x, given_back)
    torch.testing.assert_close(loss, torch.nn.functional.mse_loss(x, given_back))
    assert torch.equal(loss, reconstruction_loss(x, given_back.flatten(1)))
    assert torch.equal(loss, reconstruction_loss(x.flatten(1), given_back))
    assert float(reconstruction_loss(x, x)) == 0.0


def test_gradient(make_problem):
    x, _, _, weight = make_problem(2, 5, 3, 1)
    given_back = make_problem(3, 5, 3, 1).z.requires_grad_()
    assert torch.autograd.gradcheck(lambda r: reconstruction_loss(x, r, weight), (given_back,))


@pytest.mark.parametrize(
    ("x", "given_back", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(3, 3), "x and reconstruction must have the same shape"),
        (torch.zeros(2, 2, 2), torch.zeros(2, 5), "must have the same shape"),
        (torch.zeros(4), torch.zeros(4), "x must be a 2-D floating point tensor"),
        (torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(2, 3), "x must be a 2-D floating"),
        (torch.zeros(2, 3), None, "reconstruction must be .* got NoneType"),
        (torch.zeros(0, 3), torch.zeros(0, 3), "x must have rows and columns"),
    ],
)
def test_bad_tensors_are_refused(x, given_back, message):
    with pytest.raises(ValueError, match=message):
        reconstruction_loss(x, given_back)


def test_bad_weights_are_refused():
    with pytest.raises(ValueError, match="weight must have shape"):
        reconstruction_loss(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(3))
