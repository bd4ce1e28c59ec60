import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._gradients import clear_gradients, clip_gradients


def trained(dtype=torch.float32):
    """Return a network with gradients, one parameter without."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2), nn.Linear(2, 2)).to(dtype)
    net[:3](torch.randn(30, 5, dtype=dtype)).square().sum().backward()
    return net


def norm(net):
    return float(
        torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]).norm()
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.999, 1.001, 2.0, float("inf")])
def test_clipping_does_what_torch_does(share, dtype):
    ours, theirs = trained(dtype), trained(dtype)
    largest = share * norm(ours)
    clip_gradients(list(ours.parameters()), largest)
    nn.utils.clip_grad_norm_(theirs.parameters(), largest)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite_do_not_pass_as_small_ones(bad):
    ours, theirs = trained(), trained()
    for net in (ours, theirs):
        net[0].weight.grad[0, 0] = bad
    clip_gradients(list(ours.parameters()), 1.0)
    nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert a.grad is None or torch.equal(a.grad.isnan(), b.grad.isnan())
    assert bool(ours[0].weight.grad.isnan().any())


def test_clipping_takes_parameters_without_gradients():
    clip_gradients([], 1.0)
    clip_gradients([nn.Parameter(torch.ones(2))], 1.0)


def test_clearing_reaches_every_group_of_every_optimizer():
    net = trained()
    optimizers = [
        torch.optim.AdamW([{"params": net[0].parameters()}, {"params": net[2].weight, "lr": 1.0}]),
        torch.optim.SGD([net[2].bias]),
    ]
    clear_gradients(optimizers)
    assert all(parameter.grad is None for parameter in net.parameters())
