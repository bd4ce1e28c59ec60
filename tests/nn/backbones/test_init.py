import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from sklearn_ddcl.nn import reset_parameters

MODULES = {
    "linear": lambda: nn.Linear(7, 5),
    "no bias": lambda: nn.Linear(7, 5, bias=False),
    "conv": lambda: nn.Conv2d(4, 6, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
    "conv1d": lambda: nn.Conv1d(4, 6, 3),
    "gru": lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True),
    "lstm": lambda: nn.LSTM(3, 4, proj_size=2),
    "cell": lambda: nn.GRUCell(3, 4),
    "embedding": lambda: nn.Embedding(6, 3, padding_idx=1),
    "bag": lambda: nn.EmbeddingBag(6, 3),
    "stack": lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Linear(4, 2)),
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def as_torch_would(make, seed=0):
    """Build a module from torch's own rules, under its global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().state_dict()


@pytest.mark.parametrize("name", MODULES)
def test_the_weights_are_torchs_own(name):
    module = MODULES[name]()
    reset_parameters(module, seeded())
    torch.testing.assert_close(module.state_dict(), as_torch_would(MODULES[name]))


def test_attention_follows_torchs_rules():
    for options in ({}, {"kdim": 16, "vdim": 8, "add_bias_kv": True}):
        attention = nn.MultiheadAttention(64, 4, **options)
        for parameter in attention.parameters():
            nn.init.constant_(parameter, 9.0)
        reset_parameters(attention, seeded())
        expected = as_torch_would(lambda o=options: nn.MultiheadAttention(64, 4, **o))
        for name, value in attention.state_dict().items():
            assert float(value.std()) == pytest.approx(float(expected[name].std()), rel=0.2), name
            if "weight" in name:
                largest = float(expected[name].abs().max())
                assert float(value.abs().max()) == pytest.approx(largest, rel=0.05), name


def test_norms_get_their_ones_and_zeros():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.LayerNorm(4))
    fresh = copy.deepcopy(module[1:]).state_dict()
    module(torch.randn(8, 4, generator=seeded()))
    nn.init.constant_(module[2].weight, 3.0)
    reset_parameters(module, seeded())
    torch.testing.assert_close(module[1:].state_dict(), fresh)


class Own(nn.Module):
    """A module whose rule is known to itself alone."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def reset_parameters(self):
        nn.init.normal_(self.weight)


class OwnLinear(nn.Linear):
    """A subclass of a known module with a rule of its own."""

    def reset_parameters(self):
        nn.init.constant_(self.weight, 7.0 + torch.rand(()).item())


@pytest.mark.parametrize(
    "make",
    [
        Own,
        lambda: nn.Bilinear(2, 3, 4),
        lambda: OwnLinear(3, 2, bias=False),
        lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        lambda: weight_norm(nn.Linear(3, 2)),
        *MODULES.values(),
    ],
)
def test_only_the_generator_decides(make):
    first, second, third = make(), make(), make()
    state = torch.random.get_rng_state()
    for module, seed in ((first, 1), (second, 1), (third, 2)):
        reset_parameters(module, seeded(seed))
    assert torch.equal(state, torch.random.get_rng_state())
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    pairs = zip(first.parameters(), third.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_a_subclass_keeps_its_own_rule():
    module = nn.Sequential(OwnLinear(3, 2))
    nn.init.zeros_(module[0].weight)
    reset_parameters(module, seeded())
    assert 7.0 <= float(module[0].weight.detach().min()) < 8.0


def test_a_parametrised_layer_gets_the_weights_of_a_plain_one():
    normed, plain = weight_norm(nn.Linear(3, 2)), nn.Linear(3, 2)
    reset_parameters(normed, seeded())
    reset_parameters(plain, seeded())
    torch.testing.assert_close(normed.weight, plain.weight)


def test_a_shared_part_is_drawn_once():
    layer, plain = nn.Linear(3, 3), nn.Linear(3, 3)
    reset_parameters(nn.ModuleList([nn.Sequential(layer), layer]), seeded())
    reset_parameters(plain, seeded())
    assert torch.equal(layer.weight, plain.weight)


def test_parameters_stay_the_same_objects_and_without_a_rule_as_they_are():
    module = nn.Sequential(nn.Linear(3, 2), nn.PReLU())
    module.token = nn.Parameter(torch.full((2,), 5.0))
    before = list(module.parameters())
    reset_parameters(module, seeded())
    assert all(a is b for a, b in zip(before, module.parameters(), strict=True))
    assert all(parameter.requires_grad for parameter in before)
    assert torch.equal(module.token.detach(), torch.full((2,), 5.0))


def test_the_spread_is_that_of_kaimings_rule():
    layer = nn.Linear(400, 300, dtype=torch.float64)
    reset_parameters(layer)
    assert float(layer.weight.detach().std()) == pytest.approx(1 / math.sqrt(3 * 400), rel=0.01)
    assert layer.weight.detach().abs().max() <= 1 / 20


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("make", [*MODULES.values(), Own])
def test_on_cuda(make):
    module, again, on_cpu = make().cuda(), make().cuda(), make()
    states = torch.random.get_rng_state(), torch.cuda.get_rng_state()
    for each in (module, again, on_cpu):
        reset_parameters(each, seeded())
    assert torch.equal(states[0], torch.random.get_rng_state())
    assert torch.equal(states[1], torch.cuda.get_rng_state())
    torch.testing.assert_close(module.state_dict(), again.state_dict(), rtol=0, atol=0)
    if make is not Own:
        torch.testing.assert_close(module.cpu().state_dict(), on_cpu.state_dict())
    reset_parameters(again, torch.Generator("cuda").manual_seed(0))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (None, "module must be a torch module, got NoneType"),
        (nn.Linear, "module must be a torch module, got type"),
        (torch.zeros(3), "module must be a torch module, got Tensor"),
    ],
)
def test_what_is_no_module_is_refused(module, message):
    with pytest.raises(ValueError, match=message):
        reset_parameters(module)


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_lazy_modules_are_refused_until_they_know_their_shapes():
    module = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(ValueError, match="module must know its shapes, got a lazy one"):
        reset_parameters(module)
    module(torch.zeros(2, 4))
    reset_parameters(module)
