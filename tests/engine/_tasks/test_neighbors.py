import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._tasks import NeighborTask

X = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
GRAPH = torch.stack([(torch.arange(12) + step) % 12 for step in (1, 2, 3)], dim=1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def naive(anchors, positives):
    """The formula, pair by pair; the negatives are the other pairs' positives."""
    total = 0.0
    for i, z in enumerate(anchors):
        similarity = [1 / (1 + float((z - other).square().sum())) for other in positives]
        total -= torch.log(torch.tensor(similarity[i] / sum(similarity), dtype=torch.float64))
    return float(total) / len(anchors)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_formula_with_one_drawn_neighbour_each(seed):
    index = torch.tensor([7, 0, 3, 11])
    layer = nn.Linear(3, 2, dtype=torch.float64)
    task = NeighborTask(X, GRAPH)
    found = task.loss(layer, X[index], layer(X[index]), index, generator(seed))
    drawn = torch.randint(3, (4,), generator=generator(seed))
    positive = GRAPH[index, drawn]
    with torch.no_grad():
        z, near = layer(X[index]), layer(X[positive])
        expected = 0.5 * (naive(z, near) + naive(near, z))
    assert float(found.detach()) == pytest.approx(expected, rel=1e-9)


def test_every_neighbour_is_drawn_some_time():
    index, seen, source = torch.arange(12), set(), generator()

    class Spy(nn.Module):
        def forward(self, x):
            seen.update(map(tuple, x.tolist()))
            return x

    single = torch.tensor([0])
    for _ in range(40):
        NeighborTask(X, GRAPH).loss(Spy(), X[:1], X[:1], index[single], source)
    assert seen == {tuple(X[j].tolist()) for j in (1, 2, 3)}


def test_a_batch_of_one_row_has_nothing_to_tell_apart():
    layer = nn.Linear(3, 2, dtype=torch.float64)
    loss = NeighborTask(X, GRAPH).loss(layer, X[:1], layer(X[:1]), torch.tensor([0]), generator())
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.isfinite(layer.weight.grad).all()


def test_rows_and_graph_move_with_the_task_but_are_not_saved():
    task = NeighborTask(X, GRAPH)
    assert task.to(torch.float32).inputs.dtype == torch.float32
    assert task.graph.dtype == torch.int64
    assert not task.state_dict()
    assert not list(task.parameters())


def test_rows_that_are_not_there_are_refused():
    with pytest.raises(IndexError):
        NeighborTask(X, GRAPH).loss(nn.Identity(), X[:1], X[:1], torch.tensor([12]), generator())
