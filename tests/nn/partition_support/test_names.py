import copy
import math

import pytest
from sklearn.base import clone

from sklearn_ddcl.nn import CombinationAssignment, PartitionSupport, SinkhornAssignment
from sklearn_ddcl.nn.partition_support import PARTITION_SUPPORTS, resolve_support


@pytest.mark.parametrize("name", sorted(PARTITION_SUPPORTS))
def test_names_make_valid_supports_that_clone(name):
    support = resolve_support(name)
    assert support is not resolve_support(name)
    assert clone(support) == support == copy.deepcopy(support)
    assert all(support.get_params()[key] == value for key, value in vars(support).items())


def test_none_is_the_nearest_prototype():
    assert type(resolve_support(None)) is PartitionSupport


def test_objects_pass():
    support = SinkhornAssignment(epsilon=0.2)
    assert resolve_support(support) is support


@pytest.mark.parametrize("value", ["k-means", "", "Combination"])
def test_unknown_names(value):
    with pytest.raises(ValueError, match=r"must be one of .*'combination'.* got"):
        resolve_support(value)


@pytest.mark.parametrize("value", [CombinationAssignment, 3, object()])
def test_neither_name_nor_object(value):
    with pytest.raises(TypeError, match="an object such as CombinationAssignment"):
        resolve_support(value)


def test_options_are_checked():
    with pytest.raises(ValueError, match="sigma must be"):
        resolve_support(CombinationAssignment(sigma=math.nan))
