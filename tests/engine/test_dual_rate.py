import pytest
import torch

from sklearn_ddcl.engine._dual_rate import layer_learning_rate
from sklearn_ddcl.nn import DualMemoryBank, VanillaPrototypes


@pytest.mark.parametrize("batch_size", [10, 40])
def test_no_step_of_a_mean_batch_overshoots_and_the_leading_direction_moves_by_the_rate(
    train_rows, batch_size
):
    z = train_rows(40, dtype=torch.float64)
    bank = DualMemoryBank(z, 8)
    rate = layer_learning_rate(0.1, bank, 3.0, 0.5, batch_size)
    gram = z.T @ z * batch_size / 40
    # a step on w Lq / s contracts by (rate) (2 w / (k s)) times the Gram matrix
    factors = rate * 2 * 0.5 / (8 * 3.0) * torch.linalg.eigvalsh(gram)
    assert float(factors.max()) == pytest.approx(0.1, rel=1e-3)


def test_one_prototype_with_all_the_mass_does_not_overshoot():
    rate = layer_learning_rate(1.0, VanillaPrototypes(50, 2), 1.0, 1.0, 10)
    assert 2 * rate <= 2.0


@pytest.mark.parametrize(("rate", "weight"), [(0.0, 1.0), (0.1, 0.0)])
def test_nothing_moves_without_rate_or_objective(rate, weight):
    assert layer_learning_rate(rate, VanillaPrototypes(4, 2), 1.0, weight, 10) == 0.0
