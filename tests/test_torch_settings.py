"""What a user has set in torch does not reach the fits, and they leave it as it was."""

import contextlib

import numpy as np
import pytest
import torch

from sklearn_ddcl import (
    AdversarialDeepClustering,
    CompetitiveClustering,
    DDCLClustering,
    DeepClusterBaseline,
    IncrementalDDCL,
    OnlineDeepClustering,
)
from sklearn_ddcl.engine._runtime import torch_defaults
from sklearn_ddcl.options import Discriminator, NeighborContrast

X = np.random.default_rng(0).normal(size=(260, 5))
SHORT = NeighborContrast(n_steps=5)
COMMON = {"random_state": 0, "device": "cpu"}
ESTIMATORS = [
    DDCLClustering(3, warm_up=SHORT, **COMMON),
    DDCLClustering(3, backbone=None, **COMMON),
    IncrementalDDCL(3, **COMMON),
    IncrementalDDCL(3, backbone="mlp", train_backbone=True, **COMMON),
    DeepClusterBaseline(3, epochs=1, warm_up=SHORT, **COMMON),
    OnlineDeepClustering(3, epochs=1, **COMMON),
    AdversarialDeepClustering(3, epochs=1, warm_up=SHORT, **COMMON),
    CompetitiveClustering(8, epochs=5, **COMMON),
]


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "dtype": lambda: default_dtype(torch.float64),
    "device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference": torch.inference_mode,
    "no grad": torch.no_grad,
}


@pytest.mark.filterwarnings("ignore::sklearn_ddcl.exceptions.CollapseWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_labels_do_not_depend_on_the_caller_s_settings(estimator):
    plain = estimator.fit(X).labels_
    for name, setting in SETTINGS.items():
        with setting():
            found = estimator.fit(X).labels_
        np.testing.assert_array_equal(found, plain, err_msg=name)


@pytest.mark.filterwarnings("ignore::sklearn_ddcl.exceptions.CollapseWarning")
def test_a_network_learned_in_inference_mode_can_be_trained_on():
    with torch.inference_mode():
        model = OnlineDeepClustering(3, epochs=1, random_state=0).fit(X)
    model.module_.backbone(torch.tensor(X)).sum().backward()


def test_settings_are_put_back_also_after_an_error():
    with default_dtype(torch.float64), torch.device("meta"), torch.inference_mode():
        with contextlib.suppress(KeyError), torch_defaults():
            assert torch.empty(0).dtype == torch.float32
            assert torch.empty(0).device.type == "cpu"
            assert torch.is_grad_enabled()
            raise KeyError
        assert torch.get_default_dtype() == torch.float64
        assert torch.empty(0).device.type == "meta"
        assert torch.is_inference_mode_enabled()


def test_no_generator_of_cuda_is_seeded(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", calls.append)
    discriminator = Discriminator(spectral_norm=True)
    AdversarialDeepClustering(
        3, epochs=1, warm_up=SHORT, discriminator=discriminator, **COMMON
    ).fit(X)
    assert calls == []
