import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.engine import (
    SoftmaxAssignment,
    StreamConfig,
    open_stream,
    resolve_encoder,
    stream_module,
    stream_temperature,
)


def config(**options):
    return StreamConfig(2, SoftmaxAssignment(), stream_temperature(), device="cpu", **options)


def data(width=3):
    rng = np.random.default_rng(0)
    return 9.0 * rng.integers(2, size=(80, 1)) + rng.normal(size=(80, width))


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("encoder", [None, nn.Linear(3, 2)])
def test_the_network_says_what_the_stream_says(encoder, standardize):
    X = data()
    encoder = resolve_encoder(encoder, X.dtype)
    stream = open_stream(config(standardize=standardize), encoder, X)
    stream.advance(X)
    with torch.no_grad():
        out = stream_module(stream, encoder)(torch.from_numpy(X))
    np.testing.assert_array_equal(out.assignments.argmax(1), stream.last_batch().labels)
    np.testing.assert_allclose(out.prototypes, stream.centers)
    squares = ((out.z.numpy()[:, None] - stream.centers) ** 2).sum(-1)
    assert squares.min(1).sum() == pytest.approx(stream.last_batch().inertia)


def test_an_encoder_is_a_frozen_copy():
    mine = nn.Linear(3, 2)
    encoder = resolve_encoder(mine, np.dtype("float64"))
    assert encoder is not mine
    assert encoder.weight.dtype == torch.float64
    assert mine.weight.dtype == torch.float32
    assert not any(p.requires_grad for p in encoder.parameters())
    assert mine.weight.requires_grad


def test_a_fitted_estimator_gives_its_backbone():
    X = data()
    fitted = DDCLClustering(2, backbone=nn.Linear(3, 2), random_state=0).fit(X)
    for value in (fitted, FrozenEstimator(fitted)):
        encoder = resolve_encoder(value, X.dtype)
        with torch.no_grad():
            np.testing.assert_allclose(encoder(torch.from_numpy(X)), fitted.encode(X))
    flat = DDCLClustering(2, backbone=None, random_state=0).fit(X)
    assert resolve_encoder(flat, X.dtype) is None


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(ValueError, match="which is not fitted"):
        resolve_encoder(DDCLClustering(2), np.dtype("float64"))
    with pytest.raises(TypeError, match=r"must be None, a torch\.nn\.Module or a"):
        resolve_encoder(len, np.dtype("float64"))
    with pytest.raises(TypeError, match="'mlp'"):
        resolve_encoder("mlp", np.dtype("float64"))
