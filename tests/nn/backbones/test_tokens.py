import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sklearn_ddcl.nn import TokenPooling


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 4), t=st.integers(1, 5), d=st.integers(1, 4))
def test_against_loops(seed, n, t, d):
    x = torch.randn(n, t, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = x.tolist()
    expected = {
        "class": [sample[0] for sample in rows],
        "mean": [[sum(column) / t for column in zip(*sample, strict=True)] for sample in rows],
        "tokens": [token for sample in rows for token in sample],
    }
    for mode, value in expected.items():
        shape = (n * t if mode == "tokens" else n, d)
        wanted = torch.tensor(value, dtype=torch.float64).reshape(shape)
        torch.testing.assert_close(TokenPooling(mode)(x), wanted)


def test_the_mean_does_not_depend_on_the_order_of_tokens():
    x = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0))
    pool = TokenPooling("mean")
    torch.testing.assert_close(pool(x), pool(x.flip(1)))


def test_after_a_transformer():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    model = nn.Sequential(layer, TokenPooling("class"))
    assert model(torch.zeros(3, 5, 4)).shape == (3, 4)
    assert "mode='class'" in repr(model)


@pytest.mark.parametrize("mode", ["class", "mean", "tokens"])
def test_gradient(mode):
    x = torch.ones(2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(TokenPooling(mode), (x,))


@pytest.mark.parametrize("mode", ["cls", "Mean", None, 0])
def test_unknown_modes_are_refused(mode):
    with pytest.raises(ValueError, match="mode must be one of 'class', 'mean', 'tokens', got"):
        TokenPooling(mode)


@pytest.mark.parametrize(
    "x", [torch.zeros(3, 4), torch.zeros(2, 3, 4, 5), torch.zeros(2, 0, 3), [[[0.0]]]]
)
def test_what_is_no_batch_of_tokens_is_refused(x):
    with pytest.raises(ValueError, match=r"x must have shape \(n, t, d\) with t >= 1, got"):
        TokenPooling()(x)
