from types import SimpleNamespace

from sklearn_ddcl.engine._callbacks import LabelStop


def run(changes, last=True, patience=2):
    stop = LabelStop(patience, 0.01)
    net = SimpleNamespace(stopped_=False)
    stop.on_train_begin(net)
    for number, change in enumerate(changes, 1):
        net.plan_ = SimpleNamespace(last=last)
        net.summary_ = SimpleNamespace(label_change=change)
        stop.on_epoch_end(net)
        if net.stopped_:
            return number
    return None


def test_it_stops_after_epochs_in_a_row():
    assert run([0.0, 0.5, 0.0, 0.0, 0.0]) == 4


def test_it_does_not_stop_before_the_last_phase_or_while_labels_change():
    assert run([0.0] * 9, last=False) is None
    assert run([0.0, 0.02] * 5) is None
