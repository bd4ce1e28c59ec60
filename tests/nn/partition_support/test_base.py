import math

import pytest
import torch

from sklearn_ddcl.nn import PartitionSupport
from sklearn_ddcl.nn.partition_support._base import absolute_scale


def test_the_base_assigns_and_adds_nothing():
    support = PartitionSupport()
    assert support.targets(torch.zeros(2, 3)) is None
    assert support.penalty(torch.ones(2, 3)) is None
    assert support.get_params() == {}


def test_a_relative_scale_multiplies_the_mean_distance():
    distances = torch.tensor([[0.0, 2.0], [4.0, 10.0]])
    assert absolute_scale(0.5, True, distances) == 2.0
    assert absolute_scale(0.5, True, distances, torch.tensor([3.0, 1.0])) == 1.25
    assert absolute_scale(0.5, False, distances) == 0.5
    assert absolute_scale(0.5, True, torch.zeros(2, 2)) > 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_distances_must_be_finite(bad):
    for relative in (True, False):
        with pytest.raises(ValueError, match="distances must be finite"):
            absolute_scale(0.5, relative, torch.tensor([[bad]]))
