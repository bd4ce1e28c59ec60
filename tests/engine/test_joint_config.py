from sklearn_ddcl.engine import JointConfig
from sklearn_ddcl.options import JointTraining


def test_defaults():
    config = JointConfig(JointTraining())
    assert (config.loss, config.layer, config.device, config.seed) == (
        "quantization",
        "dual",
        "auto",
        0,
    )
