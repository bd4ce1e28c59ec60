import pytest
import torch
from torch import nn

from sklearn_ddcl.engine._classifier import CrossEntropyTerm
from sklearn_ddcl.nn import ClusterOutput


def test_it_is_the_cross_entropy_of_a_linear_classifier():
    term = CrossEntropyTerm(4, 3, torch.Generator().manual_seed(0), torch.float64)
    z, q = torch.randn(9, 3).double(), torch.randn(9, 4).double().softmax(1)
    expected = nn.functional.cross_entropy(z @ term.weight.T + term.bias, q)
    assert float(term(ClusterOutput(z, q, q, q, 1.0)).detach()) == pytest.approx(
        float(expected.detach())
    )


def test_the_first_weights_come_from_the_generator_alone():
    state = torch.get_rng_state()
    a, b = (CrossEntropyTerm(4, 3, torch.Generator().manual_seed(s)).weight for s in (5, 5))
    assert torch.equal(a, b)
    assert torch.equal(state, torch.get_rng_state())
