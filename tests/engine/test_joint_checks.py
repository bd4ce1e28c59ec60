import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._joint_checks import check_finite, check_sample_weight, prepare


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2)), "X must be a float32 or float64 tensor, got ndarray"),
        (torch.zeros(2, 2, dtype=torch.int32), "got torch.int32"),
        (torch.zeros(2, 2, dtype=torch.float16), "got torch.float16"),
        (torch.zeros(3), r"X must have rows and columns, got shape \(3,\)"),
        (torch.zeros(0, 3), r"got shape \(0, 3\)"),
    ],
)
def test_rows_of_another_kind_are_described(x, message):
    with pytest.raises(ValueError, match=message):
        prepare(x, "cpu")


def test_modules_get_the_type_of_the_rows():
    module = nn.Linear(2, 2)
    assert prepare(torch.zeros(3, 2).double(), "cpu", module) == torch.device("cpu")
    assert module.weight.dtype == torch.float64


def test_weights():
    check_sample_weight(None, 3)
    check_sample_weight(torch.ones(3), 3)
    with pytest.raises(ValueError, match=r"must have shape \(3,\), got \(2,\)"):
        check_sample_weight(torch.ones(2), 3)
    with pytest.raises(ValueError, match="leave rows of weight 0 out"):
        check_sample_weight(torch.tensor([1.0, 0.0, float("nan")]), 3)


def test_finite():
    check_finite("features", torch.zeros(2))
    with pytest.raises(FloatingPointError, match="The features must be finite"):
        check_finite("features", torch.tensor([float("inf")]))
