import numpy as np

from sklearn_ddcl.engine import BatchResult, SoftmaxAssignment, StreamConfig, stream_temperature


def test_defaults_forget_nothing_and_keep_a_summary():
    config = StreamConfig(3, SoftmaxAssignment(), stream_temperature())
    assert config.decay == 0
    assert config.summary_size is None
    assert not config.standardize


def test_a_result_unpacks_into_labels_and_inertia():
    labels, inertia = BatchResult(np.array([0, 1]), 2.0)
    assert labels.tolist() == [0, 1]
    assert inertia == 2.0
