import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_ddcl.utils import check_weights, scale_weights

X = np.zeros((3, 2))


def test_none_stays_none():
    assert check_weights(None, X) is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [[1, 2, 0], (1.0, 2.0, 0.0), np.array([1, 2, 0])])
def test_weights_get_the_type_of_the_data(dtype, weights):
    found = check_weights(weights, X.astype(dtype))
    assert found.dtype == dtype
    assert found.tolist() == [1.0, 2.0, 0.0]


def test_a_number_stands_for_equal_weights():
    assert check_weights(2.0, X).tolist() == [2.0, 2.0, 2.0]


def test_sparse_rows_have_weights_too():
    assert check_weights([1, 2, 3], sp.csr_array(X)).tolist() == [1.0, 2.0, 3.0]


def test_weights_are_copied():
    weights = np.ones(3)
    check_weights(weights, X)[0] = 9.0
    assert weights.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], "shape"),
        ([[1], [2], [3]], "1D"),
        ([1, -1, 1], "[Nn]egative"),
        ([1, np.nan, 1], "NaN"),
        ([1, np.inf, 1], "infinity|finite"),
        ([0, 0, 0], "at least one non-zero"),
        (["a", "b", "c"], "convert"),
        (np.full(3, 1e308), "too large"),
        (np.nan, "finite"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 3e30])
def test_scaled_weights_keep_their_ratios_and_digits(dtype, scale):
    weights = (np.array([0.0, 0.3, 1.7, 2.0]) * scale).astype(dtype)
    before = weights.copy()
    scaled, unit = scale_weights(weights)
    assert scaled.dtype == dtype
    assert 0.5 < scaled.mean() < 2.0
    assert np.log2(unit) == round(np.log2(unit))
    np.testing.assert_array_equal(scaled.astype(float) * unit, weights.astype(float))
    np.testing.assert_array_equal(weights, before)


def test_no_weights_need_no_scale():
    assert scale_weights(None) == (None, 1.0)
