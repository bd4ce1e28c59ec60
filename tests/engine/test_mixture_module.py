import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ddcl.engine import Mixture, make_mixture_module, make_module, posterior


def draw(seed, k, d, kind=np.float64):
    generator = np.random.default_rng(seed)
    parts = (
        generator.dirichlet(np.full(k, 3.0)),
        generator.normal(size=(k, d)) + 50,
        generator.uniform(0.1, 3.0, size=(k, d)),
    )
    return Mixture(*(part.astype(kind) for part in parts), 0.0), generator.normal(size=(9, d)) + 50


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1_000), k=st.integers(1, 4), d=st.integers(1, 4))
def test_assignments_are_the_posterior(seed, k, d):
    mixture, z = draw(seed, k, d)
    output = make_mixture_module(mixture, 1.0, torch.nn.Identity())(torch.from_numpy(z))
    np.testing.assert_allclose(output.assignments.numpy(), posterior(mixture, z), atol=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_all_else_is_that_of_the_plain_module(kind):
    mixture, z = draw(0, 3, 2, kind)
    backbone, x = torch.nn.Identity(), torch.from_numpy(z.astype(kind))
    found, plain = (
        make(x)
        for make in (
            make_mixture_module(mixture, 0.7, backbone),
            make_module(mixture.means, 0.7, backbone),
        )
    )
    torch.testing.assert_close(found.z, plain.z)
    torch.testing.assert_close(found.distances, plain.distances)
    assert found.temperature == plain.temperature
    assert found.assignments.dtype == x.dtype
    torch.testing.assert_close(found.assignments.sum(dim=1), torch.ones(9).to(x))


def test_the_state_holds_the_mixture():
    mixture, _ = draw(0, 3, 2)
    module = make_mixture_module(mixture, 1.0, torch.nn.Linear(2, 2).double())
    state = module.state_dict()
    assert {"prototypes", "weights", "variances"} <= set(state)
    assert not module.training
    assert not module.takes_features


def test_features_of_another_width_are_refused():
    mixture, _ = draw(0, 3, 2)
    with pytest.raises(ValueError, match="prototypes"):
        make_mixture_module(mixture, 1.0, torch.nn.Identity())(torch.zeros(4, 3).double())
