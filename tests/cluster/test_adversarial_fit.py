import numpy as np
import pytest
import torch

from sklearn_ddcl import AdversarialDeepClustering
from sklearn_ddcl.cluster._adversarial_fit import fitted_module, make_config
from sklearn_ddcl.engine import AdversarialConfig, AdversarialResult, LatentMixture, Mixture
from sklearn_ddcl.engine._grouping import Grouped
from sklearn_ddcl.options import Discriminator

POINTS = np.array([[0.0], [1.0], [9.0]])
CLUSTERS = Grouped(POINTS, np.array([0, 0, 1]), POINTS[1:], np.zeros(3, dtype="i4"), 0.0)


def test_defaults_are_those_of_the_engine():
    made = make_config(AdversarialDeepClustering(3, warm_up=None, random_state=0))
    expected = AdversarialConfig(3, seed=made.seed)
    assert made._replace(discriminator=expected.discriminator) == expected
    assert made.discriminator == Discriminator()


def test_options_are_copies_and_numbers_are_plain():
    own = Discriminator(width=1.0)
    model = AdversarialDeepClustering(
        np.int64(3), mixture=LatentMixture(n_init=np.int64(1)), discriminator=own,
        prototypes_per_cluster=np.int64(2), epochs=np.int64(7),
    )  # fmt: skip
    made = make_config(model)
    assert made.discriminator == own
    assert made.discriminator is not own
    counts = (made.n_clusters, made.prototypes_per_cluster, made.epochs, made.mixture.n_init)
    assert counts == (3, 2, 7, 1)
    assert all(type(count) is int for count in counts)


@pytest.mark.parametrize("mixture", ["gaussian", LatentMixture("gaussian")])
def test_gaussians_are_not_joined(mixture):
    model = AdversarialDeepClustering(3, mixture=mixture, prototypes_per_cluster=2)
    with pytest.raises(ValueError, match=r"None or 1 with a mixture of Gaussians.* Got 2 instead"):
        make_config(model)
    assert make_config(model.set_params(prototypes_per_cluster=1)).prototypes_per_cluster == 1


def test_the_module_sums_over_prototypes_or_is_the_posterior():
    identity, x = torch.nn.Identity(), torch.tensor([[4.0]], dtype=torch.float64)
    joined = fitted_module(AdversarialResult(identity, CLUSTERS, None, []), 1.0)
    assert joined.cluster_assignments(joined(x).assignments).shape == (1, 2)
    one = np.ones((2, 1))
    mixture = Mixture(np.array([0.25, 0.75]), np.array([[3.0], [5.0]]), one, 0.0)
    gaussians = fitted_module(AdversarialResult(identity, CLUSTERS, mixture, []), 1.0)
    np.testing.assert_allclose(gaussians(x).assignments.numpy(), [[0.25, 0.75]])
