import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._online_net import OnlineModule, OnlineNet
from sklearn_ddcl.nn import (
    CombinationAssignment,
    MarginalEntropy,
    PartitionSupport,
    VanillaPrototypes,
    combination_assignment,
    mean_distance,
    reset_parameters,
    squared_distances,
)


def make_linear():
    layer = nn.Linear(3, 2)
    reset_parameters(layer, torch.Generator().manual_seed(1))
    return layer


def make_module(support, warmth=0.5, backbone=None):
    backbone = make_linear() if backbone is None else backbone
    return OnlineModule(backbone, VanillaPrototypes(4, 2), support, warmth)


def rows(n=40):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0))


def test_training_is_the_loop_of_algorithm_1():
    """Written out in plain torch: full batches, so that the order of rows is no matter."""
    x, support = rows(), CombinationAssignment(0.2, relative=False, refine=False)
    module = make_module(support)
    net = OnlineNet(module, generator=torch.Generator(), batch_size=40, max_epochs=5, lr=0.01)
    net.fit(x)
    encoder, p = make_linear(), VanillaPrototypes(4, 2).weight.detach().requires_grad_()
    optimizer = torch.optim.Adam([*encoder.parameters(), p], lr=0.01, betas=(0.9, 0.99))
    for _ in range(5):
        distances = squared_distances(encoder(x), p)
        labels = combination_assignment(distances.detach(), 0.2)
        loss = distances.gather(1, labels[:, None]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(module.layer.weight, p, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(module.backbone.weight, encoder.weight, rtol=1e-4, atol=1e-5)
    assert net.summary_.loss == pytest.approx(float(loss.detach()), rel=1e-4)


def test_the_temperature_follows_the_distances():
    module = make_module(PartitionSupport())
    step = module(torch.arange(40), rows())
    expected = 0.5 * mean_distance(step.cluster.distances)
    assert module.temperature == step.cluster.temperature == expected
    far = module(torch.arange(40), 1e3 * rows())
    assert far.cluster.temperature > 1e4 * expected


def test_coinciding_features_and_prototypes_have_a_temperature():
    module = make_module(MarginalEntropy(), backbone=nn.Linear(3, 2, bias=False))
    with torch.no_grad():
        module.backbone.weight.zero_()
        module.layer.weight.zero_()
    step = module(torch.arange(40), rows())
    assert module.temperature > 0.0
    assert bool(torch.isfinite(step.loss))


@pytest.mark.parametrize("size", [float("nan"), 1e30])
def test_what_is_not_finite_ends_the_training_with_its_causes(size):
    net = OnlineNet(make_module(CombinationAssignment()), generator=torch.Generator())
    with pytest.raises(FloatingPointError, match=r"distances .* must be finite.*learning rate"):
        net.fit(size * rows())


def test_frozen_parameters_stay():
    frozen = make_linear().requires_grad_(False)
    before = frozen.weight.clone()
    module = make_module(CombinationAssignment(), backbone=frozen)
    OnlineNet(module, generator=torch.Generator(), max_epochs=2).fit(rows())
    assert bool((frozen.weight == before).all())


def test_moments_are_taken_up_again_with_the_nets_own_rate():
    nets = [
        OnlineNet(
            make_module(CombinationAssignment()),
            generator=torch.Generator(),
            lr=rate,
            max_epochs=2,
        )
        for rate in (0.01, 0.5)
    ]
    moments = nets[0].fit(rows()).moments
    resumed = nets[1].resume(moments)
    assert resumed.optimizer_.param_groups[0]["lr"] == 0.5
    for first, second in zip(
        moments["state"].values(), resumed.moments["state"].values(), strict=True
    ):
        assert bool((first["exp_avg"] == second["exp_avg"]).all())
        assert first["exp_avg"].device.type == "cpu"
    resumed.partial_fit(rows())
    assert float(moments["state"][0]["step"]) == 2.0  # left as they were
    assert float(resumed.moments["state"][0]["step"]) == 4.0


def test_moments_of_another_network_are_refused():
    moments = OnlineNet(
        make_module(CombinationAssignment(), backbone=nn.Identity()), generator=torch.Generator()
    )
    moments = moments.resume(None).moments
    with pytest.raises(ValueError, match="parameter group"):
        OnlineNet(make_module(CombinationAssignment()), generator=torch.Generator()).resume(
            moments
        )
