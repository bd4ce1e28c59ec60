"""The parts of the loss over a fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from sklearn_ddcl import CompetitiveClustering, DDCLClustering, IncrementalDDCL
from sklearn_ddcl.diagnostics import loss_decomposition

X = load_iris().data


@pytest.mark.parametrize(
    "model",
    [
        DDCLClustering(3, backbone=None, random_state=0),
        DDCLClustering(3, random_state=0),
        IncrementalDDCL(3, random_state=0),
    ],
)
def test_the_parts_of_real_fits_add_up(model):
    parts = loss_decomposition(model.fit(X))
    assert len(parts.epochs) >= 1
    assert parts.n_violations == 0
    assert parts.residual.max() < 1e-4
    np.testing.assert_allclose(
        parts.loss_ols + parts.variance, parts.loss_quantization, rtol=1e-4, atol=1e-12
    )


@given(st.lists(st.tuples(*[st.floats(0, 1e6)] * 2), min_size=1))
def test_sums_have_no_residual_and_negative_variance_is_counted(pairs):
    records = [{"loss_ols": a, "variance": b, "loss_quantization": a + b} for a, b in pairs]
    parts = loss_decomposition(records)
    assert parts.residual.max() <= 1e-15
    assert parts.n_violations == 0
    wrong = [{**record, "variance": -record["variance"]} for record in records]
    largest = max(a + b for a, b in pairs)
    limits = [1e-6 * max(a + b, 1e-9 * largest) for a, b in pairs]
    negative = [b for _, b in pairs]
    expected = sum(b > limit and b > 0 for b, limit in zip(negative, limits, strict=True))
    assert abs(loss_decomposition(wrong).n_violations - expected) <= sum(
        0 < b <= 2 * limit for b, limit in zip(negative, limits, strict=True)
    )


def test_rounding_where_the_loss_has_fallen_to_zero_is_no_violation():
    records = [
        {"loss_quantization": 2.0, "loss_ols": 1.0, "variance": 1.0},
        {"loss_quantization": 0.0, "loss_ols": 1e-18, "variance": -1e-18},
    ]
    assert loss_decomposition(records).n_violations == 0
    records[1]["variance"] = -1e-12
    assert loss_decomposition(records).n_violations == 1


def test_a_fit_without_soft_assignments_is_refused():
    model = CompetitiveClustering(3, random_state=0).fit(X)
    with pytest.raises(ValueError, match="records with loss_quantization, loss_ols, variance"):
        loss_decomposition(model)
