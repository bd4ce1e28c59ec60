import pytest
import torch
from torch import nn

from sklearn_ddcl.nn import MLP, ConvNet, MultiScale


def test_every_stage_takes_what_the_one_before_returned():
    class Add(nn.Module):
        def __init__(self, amount):
            super().__init__()
            self.amount = amount

        def forward(self, x):
            return x + self.amount

    module = MultiScale(
        [Add(1.0), Add(10.0), Add(100.0)], [nn.Identity(), Add(0.5), nn.Identity()]
    )
    features = module(torch.zeros(2, 1))
    assert [float(z[0, 0]) for z in features] == [1.0, 11.5, 111.0]


def test_the_depths_of_a_convolutional_network():
    model = ConvNet((3, 8, 8), channels=(4, 6), hidden=5, n_outputs=2)
    stages = [model.layers[:2], model.layers[2:4], model.layers[4:]]
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = MultiScale(
        stages, [pool, nn.Sequential(nn.Flatten(), nn.Linear(24, 3)), nn.Identity()]
    )
    x = torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    features = module(x)
    assert [tuple(z.shape) for z in features] == [(7, 4), (7, 3), (7, 2)]
    assert torch.equal(features[-1], model(x))
    torch.testing.assert_close(features[0], model.layers[:2](x).mean(dim=(2, 3)))


def test_parameters_of_stages_and_heads_are_trained_and_saved():
    module = MultiScale([nn.Linear(3, 4), nn.Linear(4, 5)], [nn.Linear(4, 2), nn.Linear(5, 2)])
    assert len(list(module.parameters())) == 8
    sum(z.sum() for z in module(torch.ones(2, 3))).backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize(
    ("stages", "heads", "message"),
    [
        ([], [], r"stages must be a sequence of at least one module, got \[\]"),
        ([MLP(2)], [], "heads must be a sequence of at least one module"),
        (MLP(2), [MLP(2)], "stages must be a sequence"),
        ([MLP(2)], [MLP(2), MLP(2)], "one module for each of the 1 stages, got 2"),
        ([MLP(2), None], [MLP(2)], r"stages\[1\] must be a torch module, got NoneType"),
        ([MLP(2)], [torch.relu], r"heads\[0\] must be a torch module, got builtin"),
    ],
)
def test_what_does_not_fit_is_refused(stages, heads, message):
    with pytest.raises(ValueError, match=message):
        MultiScale(stages, heads)


def test_a_head_that_forgets_to_pool_is_named():
    module = MultiScale([nn.Conv2d(1, 2, 3)], [nn.Identity()])
    with pytest.raises(
        ValueError, match=r"the result of heads\[0\] must be a 2-D .* \(2, 2, 3, 3\)"
    ):
        module(torch.zeros(2, 1, 5, 5))
