"""The duality theorems of the competitive-learning paper, settled.

Here a base layer has weights P (k, d) and outputs Y1 = Z P^T (n, k); its dual has weights
W (n, k) and outputs Y2 = W^T Z (k, d).
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from sklearn_ddcl.nn import (
    dual_prototypes,
    gram_step,
    quantization_gradient_prototypes,
    soft_assignments,
    span_step,
    squared_distances,
)

checked = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 10_000)
tight = {"rtol": 1e-8, "atol": 1e-9}


def whitened(z):
    """Centred features with Z^T Z = I, which is unit variance times 1 / n."""
    return torch.linalg.qr(z - z.mean(0)).Q


@checked
@given(seed=seeds, d=st.integers(1, 4), k=st.integers(1, 5))
def test_theorems_1_and_4_hold_for_whitened_features(make_problem, seed, d, k):
    z, p, _, _ = make_problem(seed, d + 5, d, k)
    z = whitened(z)
    torch.testing.assert_close(dual_prototypes(z, z @ p.T), p, **tight)


def test_theorem_1_needs_whitening_and_the_factor_n(make_problem):
    z, p, _, _ = make_problem(0, 20, 3, 4)
    assert not torch.allclose(dual_prototypes(z, z @ p.T), p, rtol=0.1)
    unit = whitened(z) * 20**0.5
    torch.testing.assert_close(unit.square().mean(0), torch.ones(3).double())
    torch.testing.assert_close(dual_prototypes(unit, unit @ p.T), 20 * p, **tight)


def test_theorem_2_both_constraints_need_as_many_samples_as_features(make_problem):
    """Z^T Z = I_d and Z Z^T = I_n at once: whitening a tall matrix gives the first alone."""
    z = whitened(make_problem(1, 9, 3, 1).z)
    torch.testing.assert_close(z.T @ z, torch.eye(3).double(), **tight)
    assert int(torch.linalg.matrix_rank(z @ z.T)) == 3 < 9


def test_theorem_3_is_false_for_more_samples_than_features(make_problem):
    """Whitened features, first constraint met, second not: W has a part Z cannot see."""
    z, p, _, _ = make_problem(2, 9, 3, 4)
    z = whitened(z)
    w = z @ p.T
    unseen = make_problem(3, 9, 4, 1).z
    unseen = unseen - z @ (z.T @ unseen)
    other = w + unseen
    torch.testing.assert_close(dual_prototypes(z, other), p, **tight)
    assert (other - z @ p.T).abs().max() > 0.1


@checked
@given(seed=seeds, n=st.integers(1, 4), k=st.integers(1, 4))
def test_theorem_3_holds_for_orthonormal_samples(make_problem, seed, n, k):
    """Z Z^T = I_n, which takes n <= d."""
    z = torch.linalg.qr(make_problem(seed, n + 3, n, 1).z).Q.T
    w = make_problem(seed + 1, n, k, 1).z
    torch.testing.assert_close(z @ dual_prototypes(z, w).T, w, **tight)


@pytest.mark.parametrize("white", [True, False])
def test_learning_is_the_same_for_whitened_features_only(make_problem, white):
    """A dual step of rate a / n is then a vanilla step of rate a."""
    z, p, _, _ = make_problem(4, 30, 3, 4)
    z = whitened(z) * 30**0.5 if white else z * torch.tensor([1.0, 3.0, 0.2])
    vanilla = dual = p
    for _ in range(10):
        q, r = (soft_assignments(squared_distances(z, x), 1.0) for x in (vanilla, dual))
        vanilla = vanilla - 0.1 * quantization_gradient_prototypes(z, vanilla, q)
        dual = gram_step(dual, quantization_gradient_prototypes(z, dual, r), z.T @ z, 0.1 / 30)
    assert torch.allclose(vanilla, dual, **tight) is white


def test_the_gradient_subspace_is_that_of_k_means_too(make_problem):
    """Dual prototypes never leave the span of the samples; neither do centres of k-means."""
    z = make_problem(5, 8, 40, 1).z
    p = 0.1 * z[:3]
    for _ in range(20):
        q = soft_assignments(squared_distances(z, p), 1.0)
        p = span_step(p, quantization_gradient_prototypes(z, p, q), z, 0.002)
    centres = torch.from_numpy(KMeans(3, n_init=1, random_state=0).fit(z.numpy()).cluster_centers_)
    for prototypes in (p, centres):
        assert int(torch.linalg.matrix_rank(torch.cat([z, prototypes]))) == 8


def test_duality_needs_matching_rows(make_problem):
    z, p, _, _ = make_problem(6, 5, 2, 3)
    with pytest.raises(ValueError, match="z must have 4 rows"):
        dual_prototypes(z, (z @ p.T)[:4])
