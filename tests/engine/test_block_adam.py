import pytest
import torch

from sklearn_ddcl.engine._block_adam import BlockAdam, Parameter


def target_gradient(p):
    return (p - 1.0) * torch.linspace(0.5, 2.0, p.shape[1], dtype=p.dtype)


def test_it_is_adam_where_a_row_is_one_number():
    value = torch.tensor([[3.0], [-2.0]], dtype=torch.float64)
    reference = value.clone().requires_grad_()
    adam = torch.optim.Adam([reference], lr=0.1, eps=0.0)
    ours = BlockAdam([Parameter(value)])
    for _ in range(30):
        reference.grad = target_gradient(reference.detach())
        adam.step()
        ours.step([target_gradient(value)], 0.1)
    torch.testing.assert_close(value, reference.detach())


def test_the_metric_is_what_adam_with_one_moment_does_to_dual_weights():
    """Oracle: the n weights of every prototype, trained themselves."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    w = torch.randn(40, 5, generator=generator, dtype=torch.float64) / 40
    p = w.T @ z
    ours = BlockAdam([Parameter(p, 1.0, lambda g: g @ (z.T @ z) / 40)])
    m, v = torch.zeros_like(w), torch.zeros(5, dtype=torch.float64)
    for step in range(1, 30):
        gradient = z @ target_gradient(w.T @ z).T  # by the weights
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient.square().mean(dim=0)
        size = (v / (1 - 0.999**step)).sqrt()
        w = w - 0.05 / 40 * (m / (1 - 0.9**step)) / size
        ours.step([target_gradient(p)], 0.05)
        torch.testing.assert_close(p, w.T @ z)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_steps_do_not_depend_on_the_scale_of_the_gradient(scale):
    one, other = (torch.ones(2, 3, dtype=torch.float64) for _ in range(2))
    first, second = BlockAdam([Parameter(one)]), BlockAdam([Parameter(other)])
    for number in range(5):
        gradient = torch.tensor([[1.0, 2.0, -1.0], [0.3, 0.0, number]], dtype=torch.float64)
        first.step([gradient], 0.1)
        second.step([scale * gradient], 0.1)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_that_single_precision_cannot_hold(scale):
    value = torch.zeros(1, 2)
    optimizer = BlockAdam([Parameter(value)])
    for _ in range(3):
        optimizer.step([torch.tensor([[3.0, 4.0]]) * scale], 0.1)
    torch.testing.assert_close(value, torch.tensor([[-0.18, -0.24]]), rtol=1e-3, atol=0)


def test_the_first_step_has_the_given_length():
    value = torch.zeros(2, 3)
    BlockAdam([Parameter(value, 4.0)]).step([torch.randn(2, 3)], 0.25)
    torch.testing.assert_close(value.norm(dim=1), torch.ones(2))


def test_a_row_without_gradient_stays():
    value = torch.ones(2, 2)
    optimizer = BlockAdam([Parameter(value)])
    for _ in range(3):
        optimizer.step([torch.tensor([[0.0, 0.0], [1.0, 1.0]])], 0.1)
    assert value[0].tolist() == [1.0, 1.0]
    assert value[1].max() < 1.0


def test_as_many_gradients_as_parameters():
    with pytest.raises(ValueError, match="zip"):
        BlockAdam([Parameter(torch.ones(1, 1))]).step([], 0.1)
