import pytest
import torch
from torch import nn
from torch.nn import functional

from sklearn_ddcl.engine._tasks import AutoencoderTask, SimCLRTask
from sklearn_ddcl.nn import GaussianNoise

X = torch.randn(10, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
INDEX = torch.arange(10)
NOISE = GaussianNoise(scale=0.3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def naive(first, second, temperature):
    """NT-Xent, one anchor at a time."""
    z = functional.normalize(torch.cat([first, second]), dim=1)
    n, total = len(first), 0.0
    for i in range(2 * n):
        others = [float(z[i] @ z[j]) / temperature for j in range(2 * n) if j != i]
        own = float(z[i] @ z[(i + n) % (2 * n)]) / temperature
        total += float(torch.logsumexp(torch.tensor(others, dtype=torch.float64), 0)) - own
    return total / (2 * n)


def make(beside=None, weight=1.0, temperature=0.5):
    return SimCLRTask(NOISE, nn.Linear(2, 4, dtype=torch.float64), temperature, beside, weight)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_the_loss_is_the_contrast_of_two_views(temperature):
    backbone, task = nn.Linear(3, 2, dtype=torch.float64), make(temperature=temperature)
    found = task.loss(backbone, X, backbone(X), INDEX, generator())
    source = generator()
    with torch.no_grad():
        views = [task.projector(backbone(NOISE(X, source))) for _ in range(2)]
    assert float(found.detach()) == pytest.approx(naive(*views, temperature), rel=1e-9)


@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_the_other_task_is_added_with_its_weight(weight):
    backbone = nn.Linear(3, 2, dtype=torch.float64)
    beside = AutoencoderTask(nn.Linear(2, 3, dtype=torch.float64), 1.0)
    task, z = make(beside, weight), backbone(X)
    both = task.loss(backbone, X, z, INDEX, generator())
    task.beside = None
    alone = task.loss(backbone, X, z, INDEX, generator())
    other = beside.loss(backbone, X, z, INDEX, generator())
    torch.testing.assert_close(both, alone + weight * other)


def test_both_heads_are_trained():
    beside = AutoencoderTask(nn.Linear(2, 3), 1.0)
    names = {name.split(".")[0] for name, _ in make(beside).named_parameters()}
    assert names == {"projector", "beside"}


def test_the_same_generator_gives_the_same_views_and_global_states_stay():
    backbone, task = nn.Linear(3, 2, dtype=torch.float64), make()
    z, state = backbone(X), torch.get_rng_state()
    losses = [float(task.loss(backbone, X, z, INDEX, generator(s)).detach()) for s in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_a_temperature_of_zero_is_refused():
    backbone = nn.Linear(3, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="temperature"):
        make(temperature=0.0).loss(backbone, X, backbone(X), INDEX, generator())
