"""A fitted warm-up is there to be reused, by any number of fits."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.nn import MLP
from sklearn_ddcl.options import JointTraining, NeighborContrast

rng = np.random.default_rng(0)
X = np.r_[rng.normal(size=(40, 6)), rng.normal(6.0, 1.0, size=(40, 6))]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backbone", ["mlp", MLP, MLP(6, 3)], ids=["name", "class", "module"])
def test_fits_of_either_type_reuse_a_warm_up_and_leave_it_as_it_is(backbone, dtype):
    rows = X.astype(dtype)
    warm = NeighborContrast(n_steps=30).fit(rows, backbone, n_clusters=2, device="cpu")
    before = copy.deepcopy(warm.backbone_.state_dict())
    for _ in range(2):
        model = DDCLClustering(
            2,
            backbone=backbone,
            warm_up=warm,
            training=JointTraining(epochs=2),
            device="cpu",
            random_state=0,
        ).fit(rows)
        assert {len(set(part)) for part in np.split(model.labels_, 2)} == {1}
        assert "loss_quantization" in model.history_[0]  # no warm-up was run
        assert model.encode(rows).dtype == dtype
    after = warm.backbone_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_kept_rows_and_backbone_stay_in_single_precision():
    warm = NeighborContrast(n_steps=2).fit(X, n_clusters=2, device="cpu")
    types = {weight.dtype for weight in warm.prepared_.body.parameters()}
    assert types == {warm.prepared_.inputs.dtype} == {torch.float32}
    assert {w.dtype for w in warm.backbone_.parameters()} == {torch.float64}


def test_a_backbone_that_returns_tokens_is_refused():
    with pytest.raises(ValueError, match=r"features of shape \(2, d\) for 2 rows"):
        NeighborContrast(n_steps=2).fit(X.reshape(80, 2, 3), nn.Linear(3, 3), device="cpu")


@pytest.mark.parametrize(
    ("held", "asked"),
    [("mlp", "cnn"), ("mlp", nn.Linear(9, 3)), (nn.Linear(9, 3), MLP), (nn.Linear(9, 3), "cnn")],
)
def test_another_backbone_than_the_one_that_is_held_is_refused(held, asked):
    rows = np.tile(X, (1, 2))[:, :9]
    warm = NeighborContrast(n_steps=2).fit(rows, held, device="cpu")
    model = DDCLClustering(2, backbone=asked, warm_up=warm, training=JointTraining(epochs=1))
    with pytest.raises(ValueError, match=r"holds a (MLP|Linear), which is reused. Got backbone="):
        model.fit(rows)
    for same in ("mlp", held, lambda n: nn.Linear(n, 3)):  # a function may make anything
        model.set_params(backbone=same).fit(rows)
    clone(model.set_params(backbone=warm.prepared_.body)).fit(rows)


def test_a_search_over_the_options_of_a_fitted_warm_up_is_refused():
    warm = NeighborContrast(n_steps=2).fit(X, device="cpu")
    search = GridSearchCV(
        DDCLClustering(2, warm_up=warm), {"warm_up__n_steps": [5]}, cv=SingleSplit()
    )
    with pytest.raises(ValueError, match="keeps the options that it was fitted with"):
        search.fit(X)
    assert warm.n_steps == 2
