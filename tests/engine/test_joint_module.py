import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.nn import (
    CombinationAssignment,
    DualMemoryBank,
    DualPrototypes,
    MarginalEntropy,
    Objective,
    PartitionSupport,
    VanillaPrototypes,
    prototype_variance,
    quantization_term,
    squared_distances,
)


def make(x, backbone, task=None, objective=None, **changes):
    z = backbone(x).detach()
    return JointModule(backbone, DualMemoryBank(z, 4), objective or Objective(), task, **changes)


def test_the_loss_is_the_sum_of_its_weighted_terms(train_rows, make_backbone, make_task):
    x = train_rows(dtype=torch.float64)
    backbone, task = make_backbone(dtype=torch.float64), make_task(dtype=torch.float64)
    objective = Objective(balance=0.3, entropy=0.2, separation=0.01)
    module = make(x, backbone, task, objective, objective_weight=0.7, pretext_weight=1.3)
    module.scale, module.temperature = 3.0, 0.5
    index = torch.arange(20)
    step = module(index, x[:20])
    value = objective(step.cluster)
    squares = value.base + value.separation + value.quadratic
    expected = 0.7 * (squares / 3.0 + value.balance + value.entropy) + 1.3 * step.pretext
    torch.testing.assert_close(step.loss, expected)
    torch.testing.assert_close(
        step.cluster.distances, squared_distances(step.z, step.cluster.prototypes)
    )


def test_shrinking_all_features_gains_nothing(train_rows):
    """The loss has no slope along the features themselves, unlike one with a free scale."""
    x = train_rows(dtype=torch.float64)
    slopes = []
    for free in (False, True):
        factor = nn.Parameter(torch.ones((), dtype=torch.float64))
        backbone = Factor(factor)
        module = make(x, backbone, free_scale=free)
        module.temperature = float("inf")  # assignments do not depend on the scale
        step = module(torch.arange(len(x)), x)
        slopes.append(float(torch.autograd.grad(step.loss, factor)[0]))
    assert abs(slopes[0]) < 1e-12 < 1e-2 < slopes[1]


class Factor(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def test_stop_gradient_leaves_only_the_pull_to_the_mixtures(train_rows):
    x = train_rows(dtype=torch.float64)
    layer = VanillaPrototypes(3, 6, dtype=torch.float64)
    z = x.clone().requires_grad_()
    module = JointModule(nn.Identity(), layer, Objective(), free_scale=True)
    module.stop_gradient, module.temperature = True, 2.0
    step = module(torch.arange(len(x)), z)
    gradient = torch.autograd.grad(step.loss, z)[0]
    expected = 2 * (x - step.cluster.assignments @ layer.weight) / len(x)  # Eq. 32
    torch.testing.assert_close(gradient, expected.detach())


def test_a_common_offset_costs_no_digits(train_rows):
    x = train_rows()
    losses = []
    for offset in (0.0, 1000.0):
        layer = VanillaPrototypes(3, 6)
        with torch.no_grad():
            layer.weight += offset
        step = JointModule(nn.Identity(), layer, Objective())(torch.arange(60), x + offset)
        losses.append(float(step.loss.detach()))
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_the_output_of_a_step_survives_the_optimiser(train_rows):
    layer = VanillaPrototypes(3, 6)
    step = JointModule(nn.Identity(), layer, Objective())(torch.arange(60), train_rows())
    before = step.cluster.prototypes.detach().clone()
    with torch.no_grad():
        layer.weight += 1.0
    assert torch.equal(step.cluster.prototypes, before)


def test_a_base_in_nats_is_not_divided(train_rows):
    class Nats(nn.Module):
        dimensionless = True

        def forward(self, output, weight=None):
            return prototype_variance(output.prototypes, output.assignments)

    x = train_rows()
    module = JointModule(nn.Identity(), VanillaPrototypes(3, 6), Objective(Nats()))
    module.scale = 100.0
    step = module(torch.arange(60), x)
    torch.testing.assert_close(step.loss, step.objective.base)


def test_the_backbone_runs_once_a_step(train_rows, make_task):
    calls = []
    backbone = nn.Linear(6, 3)
    backbone.register_forward_hook(lambda *_: calls.append(1))
    JointModule(backbone, pretext=make_task())(torch.arange(60), train_rows())
    assert len(calls) == 1


def test_a_compiled_twin_is_no_second_module(make_backbone, make_task):
    module = JointModule(make_backbone(), pretext=make_task())
    names = [name for name, _ in module.named_parameters()]
    module.keep_compiled(make_backbone())
    assert [name for name, _ in module.named_parameters()] == names


@pytest.mark.parametrize(
    ("layer", "objective", "message"),
    [
        (None, None, "layer and objective must come together"),
        (VanillaPrototypes(2, 3), None, "layer and objective must come together"),
        (DualPrototypes(5, 2), Objective(quantization_term), "layer must take mini-batches"),
    ],
)
def test_parts_that_do_not_fit_are_refused(layer, objective, message):
    with pytest.raises(ValueError, match=message):
        JointModule(nn.Identity(), layer, objective)


def test_a_pretext_loss_that_is_no_scalar_is_refused(train_rows, make_backbone, make_task):
    task = make_task()
    task.loss = lambda *args: torch.zeros(3)
    with pytest.raises(ValueError, match=r"pretext\.loss must return a scalar"):
        JointModule(make_backbone(), pretext=task)(torch.arange(60), train_rows())


def test_nothing_to_train_is_refused(train_rows, make_backbone, make_task):
    module = JointModule(make_backbone(), pretext=make_task(), pretext_weight=0.0)
    with pytest.raises(ValueError, match="pretext_weight must be > 0"):
        module(torch.arange(60), train_rows())


def test_a_supports_targets_take_the_place_of_soft_assignments(train_rows, make_backbone):
    x = train_rows(dtype=torch.float64)
    support = CombinationAssignment(sigma=2.0)
    module = make(x, make_backbone(dtype=torch.float64), support=support)
    weight = torch.arange(1.0, 21.0, dtype=torch.float64)
    step = module(torch.arange(20), x[:20], weight)
    targets = support.targets(step.cluster.distances.detach(), weight)
    assert bool((step.cluster.assignments == targets).all())
    share = weight / weight.sum()
    expected = share @ (targets * step.cluster.distances).sum(dim=1)
    torch.testing.assert_close(step.objective.base, expected)


@pytest.mark.parametrize("relative", [True, False])
def test_a_supports_penalty_is_added_in_units_of_the_scale(train_rows, make_backbone, relative):
    x = train_rows(dtype=torch.float64)
    steps = []
    for support in (PartitionSupport(), MarginalEntropy(2.0, relative=relative)):
        module = make(x, make_backbone(dtype=torch.float64), objective_weight=0.7, support=support)
        module.scale, module.temperature = 3.0, 0.5
        steps.append(module(torch.arange(20), x[:20]))
    mean = steps[1].cluster.assignments.mean(dim=0)
    penalty = 2.0 * (mean * mean.log()).sum()
    expected = steps[0].loss + 0.7 * penalty / (1.0 if relative else 3.0)
    torch.testing.assert_close(steps[1].loss, expected)


def test_a_support_that_refuses_the_batch_is_heard(train_rows, make_backbone):
    x = train_rows()
    module = make(x, make_backbone(), support=CombinationAssignment(prior=[1.0, 2.0]))
    with pytest.raises(ValueError, match="each of the 4 clusters, got 2"):
        module(torch.arange(20), x[:20])
