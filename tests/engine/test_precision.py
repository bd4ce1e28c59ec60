import pytest
import torch

from sklearn_ddcl.engine._precision import autocast_context, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("value", "expected"), [(False, None), (True, torch.bfloat16), ("bfloat16", torch.bfloat16)]
)
def test_types_on_the_cpu(value, expected):
    assert resolve_precision(value, CPU, torch.float32) == expected


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (True, torch.float64, "mixed_precision must be False for float64 data"),
        ("float16", torch.float32, "mixed_precision='float16' needs device 'cuda', got 'cpu'"),
    ],
)
def test_what_would_lose_digits_is_refused(value, dtype, message):
    with pytest.raises(ValueError, match=message):
        resolve_precision(value, CPU, dtype)


def test_the_context_computes_in_the_type():
    with autocast_context("cpu", torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with autocast_context("cpu", None):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
