"""Problems shared by the tests of the maths layer."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor


class Problem(NamedTuple):
    z: Tensor
    p: Tensor
    q: Tensor
    weight: Tensor


def draw_problem(seed, n, d, k, scale=1.0, offset=0.0, dtype=torch.float64):
    """Features, prototypes, random simplex rows and sample weights of any sharpness."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sharpness = 10.0 ** float(4 * torch.rand((), generator=generator) - 2)
    q = torch.softmax(sharpness * normal(n, k), dim=1)
    weight = torch.rand(n, generator=generator, dtype=torch.float64) + 0.01
    z, p = scale * normal(n, d) + offset, scale * normal(k, d) + offset
    return Problem(*(t.to(dtype) for t in (z, p, q, weight)))


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors this small only wait for further threads; on a busy machine for long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_problem():
    """Session-wide, so that hypothesis may call it many times within one test."""
    return draw_problem
