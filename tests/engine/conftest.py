"""Data, configurations and brute-force oracles shared by the tests of the engine."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.engine import PretextTask
from sklearn_ddcl.engine._annealing import Problem
from sklearn_ddcl.engine._config import (
    ReducedConfig,
    ReducedFlow,
    Regularization,
    default_temperature,
)
from sklearn_ddcl.engine._data import wrap_rows
from sklearn_ddcl.engine._search import critical
from sklearn_ddcl.engine._updates import make_update

CPU = torch.device("cpu")


class Oracle:
    """What a pass should give, from (n, k, d) arrays in float64."""

    def __init__(self, x, p, weight=None):
        self.x, self.p = np.asarray(x, float), np.asarray(p, float)
        self.w = np.ones(len(self.x)) if weight is None else np.asarray(weight, float)
        self.d = ((self.x[:, None, :] - self.p[None]) ** 2).sum(2)
        self.labels = self.d.argmin(1)
        self.inertia = float(self.w @ self.d.min(1))

    def soft(self, temperature, bias=0.0):
        logits = -self.d / temperature + bias
        q = np.exp(logits - logits.max(1, keepdims=True))
        q /= q.sum(1, keepdims=True)
        weighted = q * self.w[:, None]
        return weighted.sum(0), weighted.T @ self.x, weighted.T @ q

    def hard(self):
        one_hot = np.eye(len(self.p))[self.labels] * self.w[:, None]
        return one_hot.sum(0), one_hot.T @ self.x

    def utility(self):
        without = [np.delete(self.d, j, axis=1).min(1) @ self.w for j in range(len(self.p))]
        return np.array(without) - self.inertia


@pytest.fixture(scope="session")
def oracle():
    return Oracle


@pytest.fixture(scope="session")
def wrap():
    """Rows on the CPU, from anything a caller may pass."""

    def make(x, weight=None):
        return wrap_rows(x, None if weight is None else np.asarray(weight, float), CPU)

    return make


@pytest.fixture(scope="session")
def make_config():
    """A configuration with defaults for everything; flow and weights by keyword."""

    def make(n_clusters=3, flow=None, regularization=None, **changes):
        values = {
            "n_clusters": n_clusters,
            "loss": "quantization",
            "temperature": default_temperature(),
            "regularization": Regularization(**(regularization or {})),
            "flow": ReducedFlow(**(flow or {})),
            "max_iter": 300,
            "tol": 1e-4,
            "device": "cpu",
            "seed": 0,
        }
        return ReducedConfig(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def make_problem(make_config):
    """Configuration, update and scales for given rows, without a Gram matrix."""

    def make(rows, n_clusters=3, **changes):
        config = make_config(n_clusters, **changes)
        scale = critical(rows, torch.Generator().manual_seed(0))
        return Problem(config, make_update(config, None), scale, rows.frame.unit**2)

    return make


@pytest.fixture(scope="session")
def blobs():
    """Gaussian blobs around random centres."""

    def make(seed, n=300, d=4, k=5, spread=0.3):
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(k, d)) * 2
        return centres[rng.integers(k, size=n)] + spread * rng.normal(size=(n, d))

    return make


class Reconstruction(PretextTask):
    """Linear decoder."""

    def __init__(self, d, width, dtype=torch.float32):
        super().__init__()
        self.decoder = make_linear(d, width, 7, dtype)

    def loss(self, backbone, x, z, index, generator):
        return (self.decoder(z) - x).square().mean()


def make_linear(width, d, seed, dtype=torch.float32):
    layer = torch.nn.Linear(width, d, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / width**0.5)
    return layer


@pytest.fixture(scope="session")
def make_backbone():
    """Small network with fixed weights; the global random state is left alone."""

    def make(width=6, d=3, dtype=torch.float32, dropout=0.0):
        state = torch.get_rng_state()
        layers = [make_linear(width, 8, 1, dtype), torch.nn.Tanh(), make_linear(8, d, 2, dtype)]
        torch.set_rng_state(state)
        if dropout:
            layers.insert(2, torch.nn.Dropout(dropout))
        return torch.nn.Sequential(*layers)

    return make


@pytest.fixture(scope="session")
def make_task():
    """Pretext task: reconstruct the rows by a linear decoder."""

    def make(d=3, width=6, dtype=torch.float32):
        state = torch.get_rng_state()
        task = Reconstruction(d, width, dtype)
        torch.set_rng_state(state)
        return task

    return make


@pytest.fixture(scope="session")
def train_rows(blobs):
    """Rows for training, as a tensor."""

    def make(n=60, width=6, k=4, dtype=torch.float32, seed=0):
        return torch.from_numpy(blobs(seed, n, width, k)).to(dtype)

    return make
