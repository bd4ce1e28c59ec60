import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sklearn_ddcl.engine._distances import centred_distances, nearest_prototypes


def draw(seed, offset=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(20, 3)) + offset, rng.normal(size=(4, 3)) + offset


@given(st.integers(0, 99), st.floats(-1e6, 1e6))
def test_distances_and_labels_are_those_of_scipy(seed, offset):
    z, p = draw(seed, offset)
    expected = cdist(z, p, "sqeuclidean")
    tensors = torch.from_numpy(z), torch.from_numpy(p)
    np.testing.assert_allclose(centred_distances(*tensors), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(nearest_prototypes(*tensors), expected.argmin(axis=1))


def test_the_offset_taken_off_has_no_part_in_the_gradient():
    z, p = (torch.from_numpy(part).requires_grad_() for part in draw(0, 5.0))
    centred_distances(z, p).square().sum().backward()
    found = z.grad.clone(), p.grad.clone()
    z.grad, p.grad = None, None
    (z[:, None] - p[None]).square().sum(dim=2).square().sum().backward()
    torch.testing.assert_close(found, (z.grad, p.grad))


def test_features_of_another_width_are_refused():
    with pytest.raises((ValueError, RuntimeError)):
        centred_distances(torch.zeros(3, 2), torch.zeros(2, 5))
