import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ddcl.engine import Autoencoding
from sklearn_ddcl.engine._warm_ups._autoencoding import spread

X = np.random.default_rng(0).normal(size=(80, 5)) @ np.diag([9.0, 3.0, 1.0, 0.1, 0.1]) + 4


def test_reconstruction_becomes_better_than_the_mean():
    history = Autoencoding(n_steps=150).fit(X).history_
    assert history[0]["loss_pretext"] > 0.7
    assert history[-1]["loss_pretext"] < 0.2


def test_two_features_reconstruct_at_least_what_two_principal_components_do():
    class Linear(nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(n_features, 2, bias=False))

        def forward(self, x):
            return self.layers(x)

    centred = X - X.mean(0)
    values = np.linalg.eigvalsh(np.cov(centred.T))
    floor = values[:3].sum() / values.sum()  # what two components cannot explain
    warm_up = Autoencoding(n_steps=600, learning_rate=0.02).fit(centred, Linear)
    losses = [record["loss_pretext"] for record in warm_up.history_]
    assert losses[-1] < floor


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_loss_has_no_unit(scale):
    torch.manual_seed(0)
    first = Autoencoding(n_steps=1).fit(scale * (X - 4), "mlp").history_[0]["loss_pretext"]
    assert 0.5 < first < 3.0


def test_spread_is_the_root_of_the_mean_variance():
    inputs = torch.from_numpy(X).reshape(80, 5, 1)
    assert spread(inputs) == pytest.approx(np.sqrt(X.var(0).mean()))
    assert spread(torch.ones(4, 2)) == 1.0


def test_images_are_reconstructed_flat():
    images = np.random.default_rng(1).normal(size=(12, 8, 8, 1))
    assert Autoencoding(n_steps=2).fit(images, "cnn").fitted


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="n_steps"):
        Autoencoding(n_steps=0).validate()
