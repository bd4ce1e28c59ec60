import pytest
import torch

from sklearn_ddcl.engine import PretextTask


def test_a_task_must_have_a_loss():
    with pytest.raises(TypeError, match=r"abstract method '?loss"):
        PretextTask()


def test_a_task_owns_its_parameters(make_task):
    task = make_task()
    z = torch.zeros(5, 3)
    loss = task.loss(None, torch.zeros(5, 6), z, torch.arange(5), torch.Generator())
    assert loss.ndim == 0
    assert len(list(task.parameters())) == 2
