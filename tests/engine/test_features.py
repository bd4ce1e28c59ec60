import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sklearn_ddcl.engine import _features, encode_rows
from sklearn_ddcl.nn import MLP

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


class Computed(nn.Module):
    """A module from a function, for odd backbones."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def rows(seed=0, n=30, width=6, dtype="float64"):
    x = np.random.default_rng(seed).normal(size=(n, width))
    x[np.abs(x) < 0.4] = 0.0
    return x.astype(dtype)


def network(dtype=torch.float64):
    """A linear layer, batch statistics that were trained, dropout."""
    generator = torch.Generator().manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3), nn.Dropout(0.5)).to(dtype)
    with torch.no_grad():
        for tensor in (module[0].weight, module[0].bias, module[1].running_mean):
            tensor.copy_(torch.randn(tensor.shape, generator=generator, dtype=dtype))
    return module.eval()


def by_hand(module, x):
    """What `network` computes, in numpy."""
    linear, norm = module[0], module[1]
    z = x.astype(float) @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    return (z - norm.running_mean.numpy()) / np.sqrt(norm.running_var.numpy() + norm.eps)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_features, "_MOST_ROWS", 7)


@each_dtype
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("size", [7, 4096])
def test_features_are_those_of_numpy(monkeypatch, dtype, layout, size):
    monkeypatch.setattr(_features, "_MOST_ROWS", size)
    module, x = network(getattr(torch, dtype)), rows(dtype=dtype)
    found = encode_rows(module, layout(x), dtype, "cpu")
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found, by_hand(module, x), rtol=tolerance, atol=tolerance)


@given(st.integers(0, 999), st.integers(1, 40), st.integers(1, 40))
def test_rows_do_not_depend_on_their_block(seed, n, size):
    module, x = network(), rows(seed, n)
    batch = encode_rows(module, x, "float64", "cpu")
    single = np.concatenate([encode_rows(module, row[None], "float64", "cpu") for row in x])
    np.testing.assert_allclose(single, batch, rtol=1e-12, atol=1e-12)
    subset = np.random.default_rng(seed).permutation(n)[:size]
    found = encode_rows(module, x[subset], "float64", "cpu")
    np.testing.assert_allclose(found, batch[subset], rtol=1e-12, atol=1e-12)


def test_convolutions_row_by_row_are_the_batch():
    x = np.random.default_rng(0).normal(size=(9, 2, 8, 8))
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(inplace=True), nn.Flatten()).double()
    batch = encode_rows(module, x, "float64", "cpu")
    single = np.concatenate([encode_rows(module, row[None], "float64", "cpu") for row in x])
    assert batch.shape == (9, 144)
    np.testing.assert_allclose(single, batch, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("model", "data"), [("float32", "float64"), ("float64", "float32")])
def test_the_type_of_the_model_decides(model, data):
    module, x = network(getattr(torch, model)), rows(dtype=data)
    found = encode_rows(module, x, model, "cpu")
    assert found.dtype == model
    np.testing.assert_array_equal(found, encode_rows(module, x.astype(model), model, "cpu"))


def test_blocks_follow_the_width_of_the_rows(monkeypatch):
    monkeypatch.setattr(_features, "_CPU_VALUES", 40)
    seen = []
    module = Computed(lambda x: seen.append(len(x)) or x.flatten(1))
    encode_rows(module, np.zeros((7, 2, 5)), "float64", "cpu")
    assert seen == [4, 3]
    seen.clear()
    encode_rows(module, np.zeros((2, 99)), "float64", "cpu")
    assert seen == [1, 1]


@pytest.mark.usefixtures("small_blocks")
def test_read_only_and_mapped_rows(tmp_path):
    x, module = rows(), network()
    expected = encode_rows(module, x, "float64", "cpu")
    frozen = x.copy()
    frozen.flags.writeable = False
    x.tofile(tmp_path / "x")
    for data in (
        frozen,
        np.memmap(tmp_path / "x", float, "r", shape=x.shape),
        np.asfortranarray(x),
    ):
        np.testing.assert_array_equal(encode_rows(module, data, "float64", "cpu"), expected)


@each_dtype
def test_a_backbone_that_works_in_place_leaves_the_rows_alone(dtype):
    x = rows(dtype=dtype)
    before = x.copy()
    found = encode_rows(nn.ReLU(inplace=True), x, dtype, "cpu")
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(found, np.maximum(before, 0))
    assert not np.shares_memory(encode_rows(nn.Identity(), x, dtype, "cpu"), x)


def test_the_module_stays_as_it_is():
    module = network().train()
    module[2].eval()
    modes = [part.training for part in module.modules()]
    state = copy.deepcopy(module.state_dict())
    found = encode_rows(module, rows(), "float64", "cpu")
    assert [part.training for part in module.modules()] == modes
    for name, value in module.state_dict().items():
        assert torch.equal(value, state[name])
    np.testing.assert_array_equal(found, encode_rows(module.eval(), rows(), "float64", "cpu"))
    assert all(p.requires_grad and p.grad is None for p in module.parameters())


def test_modes_are_put_back_after_an_error():
    module = Computed(lambda x: x.no_such_method()).train()
    with pytest.raises(AttributeError, match="no_such_method"):
        encode_rows(module, rows(), "float64", "cpu")
    assert module.training
    assert not torch.is_inference_mode_enabled()


def test_no_copy_of_the_module_on_its_own_device(monkeypatch):
    monkeypatch.setattr(copy, "deepcopy", lambda module: pytest.fail("copied"))
    encode_rows(network(), rows(), "float64", "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_another_device_gets_a_copy():
    module = network()
    found = encode_rows(module, rows(), "float64", "cuda")
    assert module[0].weight.device.type == "cpu"
    expected = encode_rows(module, rows(), "float64", "cpu")
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_a_module_elsewhere_is_copied_there(monkeypatch):
    copies = []
    monkeypatch.setattr(copy, "deepcopy", lambda module: copies.append(module) or network())
    module = network().to("meta")
    encode_rows(module, rows(), "float64", "cpu")
    assert copies == [module]
    assert module[0].weight.device.type == "meta"


def test_no_global_state_is_touched():
    module = network()  # whose first weights are drawn
    before = torch.get_rng_state()
    encode_rows(module, rows(), "float64", "cpu")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()


def test_threads_may_predict_at_once():
    module = network()
    expected = [encode_rows(module, rows(seed), "float64", "cpu") for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda s: encode_rows(module, rows(s), "float64", "cpu"), range(8)))
    np.testing.assert_array_equal(found, expected)
    assert not module.training


def test_products_are_exact_on_cuda_and_flags_put_back():
    flags = torch.backends.cudnn
    before = flags.deterministic, flags.allow_tf32, flags.benchmark
    with _features._exact_products(torch.device("cuda")):
        assert (flags.deterministic, flags.allow_tf32, flags.benchmark) == (True, False, False)
    assert (flags.deterministic, flags.allow_tf32, flags.benchmark) == before


def test_a_backbone_of_the_library():
    module = MLP(6, 3, hidden=(5,), generator=torch.Generator().manual_seed(0))
    expected = module.eval()(torch.from_numpy(rows(dtype="float32"))).detach().numpy()
    np.testing.assert_allclose(
        encode_rows(module, rows(dtype="float32"), "float32", "cpu"), expected, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[:, 0], r"shape \(30, d\) for 30 rows, got shape \(30,\)"),
        (lambda x: x[1:], r"got shape \(29, 6\)"),
        (lambda x: x[:, :0], r"got shape \(30, 0\)"),
        (lambda x: x[..., None], r"got shape \(30, 6, 1\)"),
        (lambda x: x.long(), "of torch.int64"),
        (lambda x: (x, x), "must return a tensor, got tuple"),
        (lambda x: x / 0, "features of rows 0 to 29 are not finite"),
        (lambda x: x.where(x != x.max(), torch.inf), "features of rows 0 to 29 are not finite"),
    ],
)
def test_outputs_that_are_no_features_are_refused(function, message):
    with pytest.raises(ValueError, match=message):
        encode_rows(Computed(function), rows(), "float64", "cpu")


@pytest.mark.usefixtures("small_blocks")
def test_features_of_another_width_in_a_later_block_are_refused():
    module = Computed(lambda x: x[:, :1] if len(x) < 7 else x)
    with pytest.raises(ValueError, match="got 1 for rows 28 to 29 after 6"):
        encode_rows(module, rows(), "float64", "cpu")


def test_values_beyond_the_type_of_the_model_are_refused():
    x = rows()
    x[8, 2] = 1e300
    module = Computed(torch.tanh)  # which would make them finite
    with pytest.raises(ValueError, match="rows 0 to 29 beyond the range of float32"):
        encode_rows(module, x, "float32", "cpu")
    assert encode_rows(module, x, "float64", "cpu")[8, 2] == 1.0


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="X must have at least one row"):
        encode_rows(network(), np.empty((0, 6)), "float64", "cpu")


def test_unknown_devices_are_refused():
    with pytest.raises(ValueError, match="'device' parameter"):
        encode_rows(network(), rows(), "float64", "abacus")
