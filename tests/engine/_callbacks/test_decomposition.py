import pytest
import torch

from sklearn_ddcl.engine._callbacks._decomposition import check_decomposition
from sklearn_ddcl.engine._epoch_sums import EpochSummary


def summary(quantization, ols, variance):
    return EpochSummary(0, 0, quantization, ols, variance, 1.0, 0.5, 1.0, 0.0, 1.0)


@pytest.mark.parametrize("terms", [(3.0, 1.0, 2.0), (1.0, 1.0 + 1e-6, 0.0), (1.0, 1.0, -1e-7)])
def test_rounding_is_allowed(terms):
    check_decomposition(summary(*terms), torch.float32)


@pytest.mark.parametrize(
    "terms", [(1.0, 1.5, -0.5), (3.0, 1.0, 1.0), (float("nan"), 1.0, 1.0), (1.0, 1.0 + 1e-6, 0.0)]
)
def test_more_than_rounding_is_an_error(terms):
    with pytest.raises(FloatingPointError, match="Theorem 1 is broken: Lq = "):
        check_decomposition(summary(*terms), torch.float64)
