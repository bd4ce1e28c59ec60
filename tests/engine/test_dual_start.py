import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine._dual_start import starting_dual_weights
from sklearn_ddcl.nn import exact_dual_weights, one_hot, squared_distances


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(3, 30),
    d=st.integers(1, 40),
    offset=st.sampled_from([0.0, 100.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_combination_of_samples_is_reached(seed, n, d, offset, dtype):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, d, generator=generator, dtype=dtype) + offset
    p = torch.rand(3, n, generator=generator, dtype=dtype).softmax(1) @ z
    reached = starting_dual_weights(z, p).T @ z
    tolerance = 1e-4 if dtype == torch.float32 else 1e-10
    torch.testing.assert_close(reached, p, rtol=tolerance, atol=tolerance * (1 + offset))


def test_means_of_their_samples_need_no_change():
    z = torch.tensor([[0.0, 1.0], [0.2, 1.0], [5.0, 0.0], [5.2, 0.0]])
    p = torch.tensor([[0.1, 1.0], [5.1, 0.0]])
    q = one_hot(squared_distances(z, p).argmin(1), 2)
    torch.testing.assert_close(starting_dual_weights(z, p), exact_dual_weights(q))


def test_prototypes_outside_the_span_are_refused():
    z = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match=r"span of the features.*missed by 1 at a size of 1"):
        starting_dual_weights(z, torch.tensor([[1.0, 1.0]]))
