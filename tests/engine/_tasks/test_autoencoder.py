import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._tasks import AutoencoderTask

X = torch.randn(200, 2, 3, generator=torch.Generator().manual_seed(0)) * 5 + 7
INDEX = torch.arange(200)


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(value)

    def forward(self, z):
        return self.value.expand(len(z), -1)


def loss(decoder, scale, z=X[:, 0, :1]):
    return AutoencoderTask(decoder, scale).loss(nn.Identity(), X, z, INDEX, torch.Generator())


def test_features_that_say_nothing_cost_one():
    flat = X.flatten(1)
    variance = float(flat.var(0, correction=0).mean())
    assert float(loss(Constant(flat.mean(0)), variance).detach()) == pytest.approx(1.0, rel=1e-5)


def test_the_loss_is_the_mean_square_over_the_scale():
    decoder = Constant(torch.zeros(6))
    expected = float(X.square().sum()) / X.numel() / 3.0
    assert float(loss(decoder, 3.0).detach()) == pytest.approx(expected, rel=1e-5)


def test_perfect_reconstruction_costs_nothing():
    assert float(loss(nn.Identity(), 1.0, X.flatten(1))) == 0.0


def test_features_and_decoder_get_gradients():
    z, decoder = X[:, 0].clone().requires_grad_(), nn.Linear(3, 6)
    loss(decoder, 1.0, z).backward()
    assert z.grad.any()
    assert decoder.weight.grad.any()


def test_a_decoder_of_another_width_is_refused():
    with pytest.raises(ValueError, match="shape"):
        loss(nn.Linear(1, 5), 1.0)
