from types import SimpleNamespace

import pytest

from sklearn_ddcl.engine._callbacks import Reestimation
from sklearn_ddcl.engine._history import History


def run(epochs, interval, estimate):
    history = History(None)
    callback = Reestimation(estimate, interval, lambda: {"loss_latent": 0.5}, history)
    net = SimpleNamespace(module_=SimpleNamespace(backbone="body"))
    net.summary_ = SimpleNamespace(pretext=2.0)
    for net.epoch_ in range(epochs):
        callback.on_epoch_begin(net)
        callback.on_epoch_end(net)
    return history.records


@pytest.mark.parametrize(("interval", "numbers"), [(1, [0, 1, 2, 3]), (3, [0, 0, 0, 1])])
def test_estimates_every_few_epochs_and_records_each(interval, numbers):
    seen = []

    def estimate(backbone):
        seen.append(backbone)
        return {"temperature": 1.5, "number": len(seen) - 1}

    records = run(4, interval, estimate)
    assert [record["number"] for record in records] == numbers
    assert set(seen) == {"body"}
    assert [record["epoch"] for record in records] == [1, 2, 3, 4]
    assert records[0]["phase"] == "clustering"
    assert (records[0]["temperature"], records[0]["loss_pretext"]) == (1.5, 2.0)


def test_errors_of_the_estimate_go_through():
    with pytest.raises(FloatingPointError, match="features"):
        run(1, 1, lambda backbone: (_ for _ in ()).throw(FloatingPointError("features")))
