import pytest
import torch
from torch import nn

from sklearn_ddcl.engine import Discriminator


def build(seed=0, **options):
    return Discriminator(**options).build(4, torch.Generator().manual_seed(seed))


def test_scores_from_features_and_the_seed_repeats():
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    assert build()(z).shape == (5, 1)
    torch.testing.assert_close(build(3)(z), build(3)(z), rtol=0, atol=0)
    assert not torch.equal(build(3)(z), build(4)(z))
    assert sum(isinstance(layer, nn.Linear) for layer in build(hidden=()).modules()) == 1


def test_spectral_norm_bounds_the_slope_and_leaves_global_states():
    before = torch.get_rng_state()
    network = build(spectral_norm=True, hidden=(16, 16))
    assert torch.equal(torch.get_rng_state(), before)
    z = torch.randn(200, 4, generator=torch.Generator().manual_seed(2))
    for _ in range(30):  # power iterations of training
        network(z)
    network.eval()
    gaps = (network(z[:100]) - network(z[100:])).abs().squeeze(1)
    assert (gaps <= 1.001 * torch.linalg.vector_norm(z[:100] - z[100:], dim=1)).all()
    twin = build(spectral_norm=True, hidden=(16, 16))
    again = build(spectral_norm=True, hidden=(16, 16))
    torch.testing.assert_close(twin(z), again(z), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 5}, "hidden must be a sequence of widths, got 5"),
        ({"hidden": "128"}, "hidden must be a sequence"),
        ({"hidden": (8, 0)}, "hidden must be an integer >= 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be .* > 0, got 0.0"),
        ({"label_smoothing": 0.7}, "label_smoothing must be .* <= 0.5, got 0.7"),
        ({"instance_noise": -1.0}, "instance_noise must be .* >= 0, got -1.0"),
        ({"width": 0.0}, "width must be .* > 0, got 0.0"),
        ({"spectral_norm": 1}, "spectral_norm must be a bool, got 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Discriminator(**options).validate()
