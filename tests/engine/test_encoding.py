import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._encoding import check_features, encode


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_give_what_all_rows_give(make_backbone, block):
    backbone, x = make_backbone(dropout=0.5), torch.randn(20, 6)
    backbone.train()
    z = encode(backbone, x, block=block)
    assert backbone.training
    assert not z.requires_grad
    torch.testing.assert_close(z, backbone.eval()(x).detach())


def test_the_mode_comes_back_after_an_error(make_backbone):
    backbone = make_backbone().train()
    with pytest.raises(RuntimeError):
        encode(backbone, torch.zeros(3, 5))
    assert backbone.training


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (None, "must return a tensor, got NoneType"),
        ((torch.zeros(3, 2),), "must return a tensor, got tuple"),
        (torch.zeros(3), r"shape \(3, d\) for 3 rows, got shape \(3,\)"),
        (torch.zeros(2, 2), r"got shape \(2, 2\)"),
        (torch.zeros(3, 0), r"got shape \(3, 0\)"),
        (torch.zeros(3, 2, dtype=torch.int64), "of torch.int64"),
    ],
)
def test_other_outputs_are_described(z, message):
    with pytest.raises(ValueError, match=message):
        check_features(z, 3)


def test_any_shape_of_rows():
    assert encode(nn.Flatten(), torch.zeros(4, 1, 2, 3)).shape == (4, 6)


def test_layers_that_work_in_place_leave_the_rows_alone():
    x = torch.tensor([[-1.0], [2.0]])
    z = encode(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(1, 1)), x)
    assert z.shape == (2, 1)
    assert x.flatten().tolist() == [-1.0, 2.0]
