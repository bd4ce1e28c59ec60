import pytest
import torch
from torch import nn

from sklearn_ddcl.nn import (
    MLP,
    Autoencoder,
    AutoencoderOutput,
    ConvNet,
    make_decoder,
    mirror_decoder,
    reconstruction_loss,
)


def weights(module):
    return [tuple(p.shape) for p in module.parameters() if p.ndim == 2]


@pytest.mark.parametrize("hidden", [(), (5,), (7, 5)])
def test_the_mirror_has_the_transposed_weights(hidden):
    encoder = MLP(9, 2, hidden, nn.Tanh, dtype=torch.float64)
    decoder = mirror_decoder(encoder)
    assert weights(decoder) == [shape[::-1] for shape in reversed(weights(encoder))]
    assert decoder.activation is nn.Tanh
    assert decoder.dtype is torch.float64


def test_output_is_the_parts_one_after_the_other():
    encoder = MLP(12, 3, (8,))
    decoder = mirror_decoder(encoder, torch.Generator().manual_seed(1))
    x = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    output = Autoencoder(encoder, decoder)(x)
    assert isinstance(output, AutoencoderOutput)
    assert torch.equal(output.embedding, encoder(x))
    assert output.reconstruction.shape == x.shape
    assert torch.equal(output.reconstruction.flatten(1), decoder(encoder(x)))


@pytest.mark.parametrize("shape", [(8, 8), (3, 6, 5), (6, 5, 3)])
def test_a_plain_decoder_for_images(shape):
    encoder = ConvNet(shape, n_outputs=4, dtype=torch.float64)
    size = torch.Size(shape).numel()
    model = Autoencoder(encoder, make_decoder(encoder, n_features=4, n_outputs=size))
    output = model(torch.zeros(2, *shape, dtype=torch.float64))
    assert output.embedding.shape == (2, 4)
    assert output.reconstruction.shape == (2, *shape)


def test_make_decoder_mirrors_an_mlp_and_knows_encoders_without_weights():
    encoder = MLP(6, 2, (5, 4))
    assert make_decoder(encoder, 2, 6).hidden == (4, 5)
    assert make_decoder(nn.Flatten(), 6, 6).dtype is torch.float32


def test_only_the_generator_decides():
    state = torch.random.get_rng_state()
    encoder, x = MLP(6, 2), torch.ones(1, 2)
    for make in (mirror_decoder, lambda e, g: make_decoder(nn.Flatten(), 2, 6, g)):
        first, second, third = (
            make(encoder, torch.Generator().manual_seed(seed))(x) for seed in (1, 1, 2)
        )
        assert torch.equal(first, second)
        assert not torch.equal(first, third)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_linear_autoencoder_finds_the_plane_of_its_data():
    """Training must reach what principal components leave over (Baldi and Hornik, 1989)."""
    generator = torch.Generator().manual_seed(0)
    scales = torch.tensor([2.0, 1.5, 0.3, 0.2])
    x = torch.randn(200, 4, generator=generator) * scales
    x = x - x.mean(0)
    encoder = MLP(4, 2, hidden=())
    model = Autoencoder(encoder, mirror_decoder(encoder))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(400):
        optimizer.zero_grad()
        loss = reconstruction_loss(x, model(x).reconstruction)
        loss.backward()
        optimizer.step()
    left_over = torch.linalg.svdvals(x)[2:].square().sum() / x.numel()
    assert float(loss.detach()) == pytest.approx(float(left_over), rel=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mirror_decoder(nn.Linear(3, 2)), "encoder must be an MLP, got Linear"),
        (lambda: make_decoder(MLP(6, 2), 3, 6), "must be 2 and 6 for this encoder, got 3 and 6"),
        (lambda: make_decoder(nn.Flatten(), 0, 6), "n_features must be an integer >= 1"),
        (lambda: Autoencoder(None, MLP(2)), "encoder must be a torch module, got NoneType"),
        (lambda: Autoencoder(MLP(2), MLP), "decoder must be a torch module, got type"),
        (
            lambda: Autoencoder(MLP(6, 2), MLP(2, 5))(torch.zeros(3, 6)),
            r"as many values as x has, shape \(3, 6\), got shape \(3, 5\)",
        ),
        (
            lambda: Autoencoder(nn.Identity(), nn.Flatten(0))(torch.zeros(3, 6)),
            r"got shape \(18,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
