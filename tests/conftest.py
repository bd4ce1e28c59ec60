import os

import hypothesis
import pytest
import torch

# The same examples in every run, so that a red test is due to the change at hand. Look for new
# ones with `HYPOTHESIS_PROFILE=search make test`.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors this small only wait for further threads; on a busy machine for long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
