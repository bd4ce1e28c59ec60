import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors this small only wait for further threads; on a busy machine for long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
