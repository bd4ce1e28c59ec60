import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_ddcl.engine import _backbones, prepare_backbone
from sklearn_ddcl.engine._backbones import assemble, reuse_backbone

X = np.random.default_rng(0).normal(size=(20, 9)) + 3.0
IMAGES = np.random.default_rng(1).normal(size=(10, 6, 5, 3))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def prepare(backbone, data=X, weight=None, seed=0):
    return prepare_backbone(backbone, data, weight, generator(seed))


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


BACKBONES = {
    "mlp": "mlp",
    "cnn": "cnn",
    "module": nn.Linear(9, 2),
    "class": lambda n_features: nn.Linear(n_features, 2),
}
each_backbone = pytest.mark.parametrize("name", BACKBONES)


@each_backbone
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_parts_together_give_what_the_trained_part_gives(name, dtype):
    prepared = prepare(BACKBONES[name], X.astype(dtype))
    whole = assemble(prepared, torch.float32 if dtype == np.float32 else torch.float64)
    assert not whole.training
    assert prepared.inputs.dtype == torch.float32
    with torch.no_grad():
        expected = whole(torch.from_numpy(X.astype(dtype)))
        found = prepared.body.to(expected.dtype)(prepared.inputs.to(expected))
    assert expected.dtype == (torch.float32 if dtype == np.float32 else torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["mlp", "cnn", "class"])
def test_first_weights_come_from_the_generator_alone(name):
    state = torch.get_rng_state()
    same = [weights(prepare(BACKBONES[name], seed=4).body) for _ in range(2)]
    assert torch.equal(*same)
    assert not torch.equal(same[0], weights(prepare(BACKBONES[name], seed=5).body))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_users_module_is_copied_with_its_weights():
    module = nn.Linear(9, 2)
    body = prepare(module).body
    assert body is not module
    assert torch.equal(weights(body), weights(module))
    with torch.no_grad():
        body.weight.zero_()
    assert module.weight.any()


def test_a_users_class_is_told_the_shape_of_a_sample():
    told = []

    def make(shape):
        told.append(shape)
        return nn.Flatten()

    prepare(make)
    prepare(make, IMAGES)
    assert told == [9, (6, 5, 3)]


@pytest.mark.parametrize("name", ["mlp", "class"])
def test_sparse_rows_are_dense_rows(name):
    thin = np.where(X > 3, X, 0.0)
    dense, sparse_ = (prepare(BACKBONES[name], data) for data in (thin, sparse.csr_array(thin)))
    assert torch.equal(dense.inputs, sparse_.inputs)
    assert torch.equal(dense.components, sparse_.components)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
@pytest.mark.parametrize("change", [lambda x: x + 1e8, lambda x: 1e-200 * x, lambda x: 1e200 * x])
def test_named_backbones_see_the_same_at_any_offset_and_scale(name, change):
    inputs, changed = (prepare(BACKBONES[name], data).inputs.abs() for data in (X, change(X)))
    torch.testing.assert_close(inputs, changed, atol=1e-4, rtol=1e-4)


def test_rows_are_copies_that_training_may_write_to():
    frozen = X.copy()
    frozen.flags.writeable = False
    prepared = prepare(nn.Linear(9, 2), frozen)
    prepared.inputs.zero_()
    assert frozen.any()
    rows = X.astype(np.float32)
    prepare(nn.Linear(9, 2), rows).inputs.zero_()
    assert rows.any()


def test_equal_samples_give_finite_rows():
    for name in ("mlp", "cnn"):
        prepared = prepare(name, np.full((5, 9), 7.1))
        assert torch.isfinite(prepared.inputs).all()
        assert torch.isfinite(prepared.components).all()


@each_backbone
def test_reuse_keeps_the_head_and_copies_the_body(name):
    held = prepare(BACKBONES[name])
    again = reuse_backbone(held, X[5:], generator(1))
    torch.testing.assert_close(again.inputs, held.inputs[5:], atol=1e-6, rtol=1e-6)
    assert again.head is held.head
    assert again.body is not held.body
    assert torch.equal(weights(again.body), weights(held.body))
    assert len(again.components) == 15


@each_backbone
def test_components_are_not_computed_where_nobody_searches_neighbours(name, monkeypatch):
    held = prepare(BACKBONES[name])
    fail = pytest.fail if name != "mlp" else _backbones.principal_projection
    monkeypatch.setattr(_backbones, "principal_projection", fail)
    lazy = prepare_backbone(BACKBONES[name], X, None, generator(), neighbors=False)
    assert (lazy.components is None) == (name != "mlp")
    assert torch.equal(weights(lazy.body), weights(held.body))
    assert torch.equal(lazy.inputs, held.inputs)
    assert reuse_backbone(held, X, generator()).components is held.components
    assert reuse_backbone(held, X, generator()).inputs is held.inputs
    assert reuse_backbone(held, X[5:], generator(), neighbors=False).components is None


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_reuse_keeps_the_digits_of_samples_with_an_offset(offset):
    held = prepare("mlp", X + offset)
    again = reuse_backbone(held, (X + offset)[5:], generator())
    torch.testing.assert_close(again.inputs, held.inputs[5:], atol=1e-6, rtol=1e-6)


@each_backbone
@pytest.mark.parametrize("data", [X[:, :4], IMAGES])
def test_reuse_refuses_samples_of_another_shape(name, data):
    with pytest.raises(ValueError, match="takes samples of the shape"):
        reuse_backbone(prepare(BACKBONES[name]), data, generator())


class Lazy(nn.Module):
    def __init__(self, shape=None):
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("backbone", [Lazy, Lazy()], ids=["class", "module"])
def test_lazy_layers_learn_their_shapes_and_draw_from_the_generator(backbone):
    state = torch.get_rng_state()
    first, same, other = (weights(prepare(backbone, seed=seed).body) for seed in (4, 4, 5))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    if backbone is not Lazy:
        last = prepare(backbone).body.layers[2]
        assert torch.equal(last.weight, backbone.layers[2].weight), "what is known stays"


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_modules_of_other_types_are_trained_in_single_precision(dtype):
    module = nn.Linear(9, 2, dtype=dtype)
    assert prepare(module).body.weight.dtype == torch.float32
    assert module.weight.dtype == dtype


@pytest.mark.parametrize(
    ("backbone", "error", "message"),
    [
        (nn.Linear(4, 3), ValueError, r"'backbone' failed on samples of shape \(9,\).*4x3"),
        (nn.Conv2d(3, 2, 3), ValueError, r"'backbone' failed on samples of shape \(9,\)"),
        (nn.Embedding(9, 2), ValueError, r"gets in batches \(n, ...\) of float32"),
        (nn.Linear, TypeError, "must make a module from 9, .* missing 1 required"),
        (lambda: nn.Linear(9, 3), TypeError, "must make a module from 9, .* takes 0 positional"),
    ],
)
def test_modules_that_do_not_take_the_samples_are_told_what_they_get(backbone, error, message):
    with pytest.raises(error, match=message) as caught:
        prepare(backbone)
    assert isinstance(caught.value.__cause__, RuntimeError | TypeError)


@pytest.mark.parametrize("backbone", ["resnet", None, 3, X])
def test_what_is_no_backbone_is_refused_by_name(backbone):
    with pytest.raises(ValueError, match=r"'backbone' parameter must be one of \['cnn', 'mlp'\]"):
        prepare(backbone)


@pytest.mark.parametrize("made", [None, 3, "mlp", nn.Linear])
def test_callables_that_make_no_module_are_refused(made):
    with pytest.raises(TypeError, match="which is no torch"):
        prepare(lambda _: made)


def test_flat_samples_that_are_no_square_image_are_refused():
    with pytest.raises(ValueError, match="8 features are none"):
        prepare("cnn", X[:, :8])


@pytest.mark.parametrize("backbone", [nn.Linear(9, 2), lambda n: nn.Linear(n, 2)])
def test_values_beyond_float32_are_refused_where_nothing_scales_them(backbone):
    with pytest.raises(ValueError, match="beyond the range of float32"):
        prepare(backbone, X * 1e200)
