import numpy as np
import pytest
from torch import nn

from sklearn_ddcl.engine._stream_encoding import encode_batch


def test_without_an_encoder_rows_are_the_features():
    rows = np.ones((2, 3))
    assert encode_batch(None, rows, np.float64, "cpu") is rows


def test_an_encoder_makes_features_in_the_stream_s_type():
    encoder = nn.Linear(3, 2).double().eval()
    z = encode_batch(encoder, np.ones((4, 3), dtype=np.float32), np.dtype("float64"), "cpu")
    assert z.shape == (4, 2)
    assert z.dtype == np.float64


def test_rows_that_an_encoder_does_not_take_are_named():
    with pytest.raises(ValueError, match=r"'backbone' does not take samples of shape \(5,\)"):
        encode_batch(nn.Linear(3, 2).double(), np.ones((4, 5)), np.dtype("float64"), "cpu")
