import torch
from torch import nn

from sklearn_ddcl.engine._tasks import PseudoLabelTask

LABELS = torch.tensor([0] * 90 + [1] * 9 + [3])


def make(seed=0):
    return PseudoLabelTask(100, 3, 4, torch.Generator().manual_seed(seed))


def test_the_loss_is_the_cross_entropy_of_the_rows_labels():
    task, z = make(), torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    task.relabel(LABELS, None, torch.Generator().manual_seed(2))
    index = torch.tensor([99, 0, 95, 95, 1])
    expected = nn.functional.cross_entropy(task.head(z), torch.tensor([3, 0, 1, 1, 0]))
    assert task.loss(nn.Identity(), z, z, index, torch.Generator()) == expected


def test_clusters_have_equal_chances_and_rows_those_of_their_weights():
    task = make()
    weight = torch.ones(100)
    weight[0] = 10.0
    task.relabel(LABELS, weight, torch.Generator())
    sums = torch.zeros(4, dtype=torch.float64).index_add_(0, LABELS, task.chance)
    torch.testing.assert_close(sums, torch.tensor([1.0, 1.0, 0.0, 1.0]).double())
    torch.testing.assert_close(task.chance[0], 10 * task.chance[1])


def test_new_labels_get_a_new_classifier_and_the_same_chance_object():
    task, generator = make(), torch.Generator().manual_seed(1)
    chance, before = task.chance, task.head.layers[0].weight.clone()
    task.relabel(LABELS, None, generator)
    assert task.chance is chance
    assert not torch.equal(before, task.head.layers[0].weight)


def test_the_global_random_state_is_left_alone():
    state = torch.get_rng_state()
    make().relabel(LABELS, None, torch.Generator())
    assert torch.equal(state, torch.get_rng_state())
