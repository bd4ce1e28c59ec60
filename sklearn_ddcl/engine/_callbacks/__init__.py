"""What happens between epochs of training, one concern a file."""

from sklearn_ddcl.engine._callbacks._decomposition import DecompositionCheck
from sklearn_ddcl.engine._callbacks._label_stop import LabelStop
from sklearn_ddcl.engine._callbacks._marginal_record import MarginalRecord
from sklearn_ddcl.engine._callbacks._phase_setting import PhaseSetting
from sklearn_ddcl.engine._callbacks._rate_bound import RateBound
from sklearn_ddcl.engine._callbacks._rate_decay import RateDecay
from sklearn_ddcl.engine._callbacks._record import EpochRecord, PretextRecord
from sklearn_ddcl.engine._callbacks._reestimation import Reestimation
from sklearn_ddcl.engine._callbacks._relabelling import Relabelling
from sklearn_ddcl.engine._callbacks._revival import Revival

__all__ = [
    "DecompositionCheck",
    "EpochRecord",
    "LabelStop",
    "MarginalRecord",
    "PhaseSetting",
    "PretextRecord",
    "RateBound",
    "RateDecay",
    "Reestimation",
    "Relabelling",
    "Revival",
]
