"""What the joint phase needs beside data, backbone and prototypes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sklearn_ddcl.engine._config import Regularization
from sklearn_ddcl.engine._training_options import JointTraining

__all__ = ["JointConfig"]

Report = Callable[[dict[str, Any]], None]


class JointConfig(NamedTuple):
    """What the joint phase needs beside data, backbone and prototypes.

    Attributes
    ----------
    training : JointTraining
        Its options.
    loss : str
        "quantization" (Lq), "ols" (L_OLS) or "cross_entropy" (section 4.2).
    regularization : Regularization
        Weights of the added terms of Eq. 12: those of `balance` and `entropy` in units
        of the latent variance.
    layer : str
        "dual" (memory bank) or "vanilla".
    device : str
        Device name or "auto".
    seed : int
        Seed of the run's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    training: JointTraining
    loss: str = "quantization"
    regularization: Regularization | None = None
    layer: str = "dual"
    device: str = "auto"
    seed: int = 0
    report: Report | None = None
