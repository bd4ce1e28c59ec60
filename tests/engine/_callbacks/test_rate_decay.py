import pytest

from sklearn_ddcl.engine._callbacks import RateDecay


class Net:
    def __init__(self):
        self.rates = []

    def set_rates(self, backbone, dual):
        self.rates.append(backbone)
        assert dual == 0.0


def rates(steps, rate=2.0):
    net, callback = Net(), RateDecay(rate, steps)
    for _ in range(steps):
        callback.on_batch_begin(net)
    return net.rates


@pytest.mark.parametrize("steps", [1, 2, 49, 50, 51, 400])
def test_the_rate_is_a_short_rise_times_a_line_to_zero(steps):
    rise = min(50, steps)
    expected = [2.0 * min((t + 1) / rise, 1.0) * (steps - t) / steps for t in range(steps)]
    assert rates(steps) == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 7, 300])
def test_the_rate_is_positive_and_never_above_the_largest(steps):
    assert all(0 < rate <= 2.0 for rate in rates(steps))


def test_after_the_rise_the_rate_only_falls_to_a_step_above_zero():
    found = rates(300)
    assert found[:30] == sorted(found[:30])
    assert found[50:] == sorted(found[50:], reverse=True)
    assert found[-1] == pytest.approx(2.0 / 300)
