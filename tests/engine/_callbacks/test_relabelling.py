import torch

from sklearn_ddcl.engine._callbacks import Relabelling
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._net import TrainingNet


def test_each_epoch_is_partitioned_first_and_recorded_with_its_loss(
    train_rows, make_backbone, make_task
):
    calls, history = [], History()
    task, backbone = make_task(), make_backbone()

    def partition(seen):
        calls.append((seen is backbone, len(history.records)))
        return {"n_active": 4}

    net = TrainingNet(
        JointModule(backbone, pretext=task),
        generator=torch.Generator(),
        max_epochs=3,
        callbacks=[Relabelling(partition, history)],
    ).fit(train_rows())
    assert calls == [(True, 0), (True, 1), (True, 2)]
    assert [record["phase"] for record in history.records] == ["alternation"] * 3
    assert all(record["n_active"] == 4 for record in history.records)
    assert history.records[-1]["loss_cross_entropy"] == net.summary_.loss


def test_moments_of_the_classifier_are_forgotten_and_those_of_the_backbone_kept(
    train_rows, make_backbone, make_task
):
    backbone, task = make_backbone(), make_task()
    net = TrainingNet(
        JointModule(backbone, pretext=task),
        generator=torch.Generator(),
        batch_size=20,
        max_epochs=2,
        callbacks=[Relabelling(lambda seen: {}, History())],
    ).fit(train_rows(60))
    steps = {int(net.optimizer_.state[p]["step"]) for p in task.parameters()}
    assert steps == {3}
    assert {int(net.optimizer_.state[p]["step"]) for p in backbone.parameters()} == {6}
