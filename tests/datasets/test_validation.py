"""The generators' checks name the parameter, the value and the range."""

import numpy as np
import pytest

from sklearn_ddcl.datasets._validation import check_integer, check_number


@pytest.mark.parametrize("value", [1, 3, np.int64(2)])
def test_integers_in_range_pass(value):
    check_integer("n", value, 1, 3)


@pytest.mark.parametrize("value", [0, 4, 2.0, "2", None, True])
def test_other_values_are_no_integers_in_range(value):
    with pytest.raises(ValueError, match=f"n must be an integer >= 1 and <= 3, got {value!r}"):
        check_integer("n", value, 1, 3)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.25)])
def test_numbers_in_range_pass(value):
    check_number("r", value, minimum=0, below=1)


@pytest.mark.parametrize("value", [-0.1, 1, np.nan, np.inf, "0", None, False])
def test_other_values_are_no_numbers_in_range(value):
    with pytest.raises(ValueError, match="r must be a finite number >= 0 and < 1, got "):
        check_number("r", value, minimum=0, below=1)


def test_an_open_minimum_is_excluded():
    with pytest.raises(ValueError, match="r must be a finite number > 0, got 0"):
        check_number("r", 0, minimum=0, closed=False)
