import pickle

import pytest
import torch

from sklearn_ddcl.nn import ClusterOutput, LossDecomposition, ObjectiveValue


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (ClusterOutput, ("z", "prototypes", "distances", "assignments", "temperature")),
        (LossDecomposition, ("quantization", "ols", "variance")),
        (
            ObjectiveValue,
            ("total", "base", "balance", "entropy", "separation", "quadratic"),
        ),
    ],
)
def test_fields_are_the_documented_ones_and_survive_pickling(record, fields):
    assert record._fields == fields
    values = record(*(torch.tensor(float(i)) for i in range(len(fields))))
    assert pickle.loads(pickle.dumps(values)) == values


def test_a_field_may_not_be_left_out():
    with pytest.raises(TypeError, match="missing"):
        LossDecomposition(torch.tensor(1.0), torch.tensor(1.0))
