import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances_argmin_min

from sklearn_ddcl.nn import (
    edge_count_penalty,
    hard_quantization_loss,
    hebbian_edges,
    soft_edge_penalty,
    soft_edges,
    squared_distances,
    two_winners,
)


def test_the_error_is_what_scikit_learn_computes(make_problem):
    z, p, _, weight = make_problem(0, 50, 3, 6)
    _, gaps = pairwise_distances_argmin_min(z, p, metric="sqeuclidean")
    distances = squared_distances(z, p)
    assert float(hard_quantization_loss(distances)) == pytest.approx(gaps.mean())
    weighted = float(hard_quantization_loss(distances, weight))
    assert weighted == pytest.approx(np.average(gaps, weights=weight))


def test_penalties_are_squared_norms_of_the_graph(make_problem):
    z, p, _, weight = make_problem(1, 60, 2, 7)
    distances = squared_distances(z, p)
    counted = hebbian_edges(*two_winners(distances), 7) > 0
    assert float(edge_count_penalty(distances)) == float(counted.sum())
    soft = soft_edge_penalty(distances, 0.5, weight)
    expected = torch.linalg.matrix_norm(soft_edges(distances, 0.5, weight)) ** 2
    torch.testing.assert_close(soft, expected)
    # cold and with many samples an edge, both are the number of edges
    many = distances.repeat(50, 1)
    assert abs(float(soft_edge_penalty(many, 1e-9)) - float(counted.sum())) < counted.sum()


def test_samples_of_weight_zero_make_no_edge():
    distances = torch.tensor([[0.0, 1.0, 9.0], [9.0, 0.0, 1.0]])
    weight = torch.tensor([1.0, 0.0])
    assert edge_count_penalty(distances, weight=weight) == 2
    assert soft_edges(distances, 1e-3, weight)[1, 2] == 0


def test_only_the_soft_penalty_has_a_gradient(make_problem):
    z, p, *_ = make_problem(2, 30, 2, 5)
    p = p.clone().requires_grad_()
    assert not edge_count_penalty(squared_distances(z, p)).requires_grad
    soft_edge_penalty(squared_distances(z, p), 0.5).backward()
    assert p.grad.abs().max() > 0


def test_descent_on_the_soft_penalty_takes_edges_away():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400, 2, generator=generator, dtype=torch.float64)
    p = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    before = int(edge_count_penalty(squared_distances(z, p)))
    for _ in range(200):
        p = p.detach().requires_grad_()
        distances = squared_distances(z, p)
        loss = hard_quantization_loss(distances) + 0.05 * soft_edge_penalty(distances, 0.1)
        p = p - 0.02 * torch.autograd.grad(loss, p)[0]
    assert int(edge_count_penalty(squared_distances(z, p.detach()))) < 0.8 * before


@pytest.mark.parametrize("penalty", [soft_edge_penalty, edge_count_penalty])
def test_one_prototype_has_no_graph(penalty):
    with pytest.raises(ValueError, match="at least 2 columns, got 1"):
        penalty(torch.ones(3, 1), 1.0)


def test_the_error_needs_a_matrix_and_fitting_weights():
    with pytest.raises(ValueError, match="distances must be"):
        hard_quantization_loss(torch.ones(3))
    with pytest.raises(ValueError, match="weight"):
        hard_quantization_loss(torch.ones(3, 2), torch.ones(2))
