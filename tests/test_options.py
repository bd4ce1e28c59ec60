import pytest
from sklearn.base import clone

from sklearn_ddcl import options

OBJECTS = [getattr(options, name)() for name in options.__all__]


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_options_are_cloned_and_printed(value):
    copy = clone(value)
    assert copy == value
    assert copy is not value
    assert repr(value).startswith(type(value).__name__ + "(")
    value.validate()


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_unknown_parameters_are_refused_with_the_valid_ones(value):
    with pytest.raises(ValueError, match=next(iter(value.get_params()))):
        clone(value).set_params(nonsense=1)
