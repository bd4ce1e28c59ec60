"""Training and inference in torch: configuration in, numpy results out."""

from sklearn_ddcl.engine._adversarial import (
    AdversarialConfig,
    AdversarialResult,
    fit_adversarial,
)
from sklearn_ddcl.engine._alternating import AlternatingConfig, AlternatingResult, fit_alternating
from sklearn_ddcl.engine._backbones import Prepared, prepare_backbone
from sklearn_ddcl.engine._build import (
    resolve_flow,
    resolve_regularization,
    resolve_temperature,
)
from sklearn_ddcl.engine._competitive import (
    CompetitiveConfig,
    CompetitiveResult,
    fit_competitive,
)
from sklearn_ddcl.engine._config import ReducedConfig, ReducedFlow, Regularization
from sklearn_ddcl.engine._deep import DeepResult, fit_deep
from sklearn_ddcl.engine._deep_config import (
    DeepConfig,
    prototype_count,
    resolve_joint,
    resolve_warm_up,
)
from sklearn_ddcl.engine._discriminator import Discriminator
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._inference import assignments, distances, nearest, nearest_two
from sklearn_ddcl.engine._joined import JoinedResult, fit_joined
from sklearn_ddcl.engine._joining import JoinedPrototypes, join_prototypes, seed_prototypes
from sklearn_ddcl.engine._joint import JointResult, fit_joint
from sklearn_ddcl.engine._joint_config import JointConfig
from sklearn_ddcl.engine._kmeans import resolve_kmeans
from sklearn_ddcl.engine._latent_mixture import LatentMixture, resolve_mixture
from sklearn_ddcl.engine._learning_stream import LearningStream
from sklearn_ddcl.engine._mixture import Mixture, posterior
from sklearn_ddcl.engine._mixture_module import make_mixture_module
from sklearn_ddcl.engine._module import make_module
from sklearn_ddcl.engine._neighbors import mutual_neighbors, neighbor_graph
from sklearn_ddcl.engine._online import (
    begin_online,
    learn_online,
    observe_online,
    settle_online,
)
from sklearn_ddcl.engine._online_state import OnlineConfig, OnlineResult, OnlineState
from sklearn_ddcl.engine._phases import FourPhases
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._pretraining import fit_pretext
from sklearn_ddcl.engine._projection import principal_projection
from sklearn_ddcl.engine._reduced import ReducedResult, fit_reduced
from sklearn_ddcl.engine._stream import Stream
from sklearn_ddcl.engine._stream_config import BatchResult, StreamConfig
from sklearn_ddcl.engine._stream_model import open_stream, resolve_encoder, stream_module
from sklearn_ddcl.engine._stream_options import (
    SoftmaxAssignment,
    WidrowHoff,
    resolve_assignment,
    stream_temperature,
)
from sklearn_ddcl.engine._summary import summary_size
from sklearn_ddcl.engine._supports import resolve_support
from sklearn_ddcl.engine._training_options import JointTraining
from sklearn_ddcl.engine._warm_ups import Autoencoding, NeighborContrast, SimCLR, WarmUp
from sklearn_ddcl.engine._whitening import fit_whitening

__all__ = [
    "AdversarialConfig",
    "AdversarialResult",
    "AlternatingConfig",
    "AlternatingResult",
    "Autoencoding",
    "BatchResult",
    "CompetitiveConfig",
    "CompetitiveResult",
    "DeepConfig",
    "DeepResult",
    "Discriminator",
    "FourPhases",
    "JoinedPrototypes",
    "JoinedResult",
    "JointConfig",
    "JointResult",
    "JointTraining",
    "LatentMixture",
    "LearningStream",
    "Mixture",
    "NeighborContrast",
    "OnlineConfig",
    "OnlineResult",
    "OnlineState",
    "Prepared",
    "PretextTask",
    "ReducedConfig",
    "ReducedFlow",
    "ReducedResult",
    "Regularization",
    "SimCLR",
    "SoftmaxAssignment",
    "Stream",
    "StreamConfig",
    "WarmUp",
    "WidrowHoff",
    "assignments",
    "begin_online",
    "distances",
    "encode_rows",
    "fit_adversarial",
    "fit_alternating",
    "fit_competitive",
    "fit_deep",
    "fit_joined",
    "fit_joint",
    "fit_pretext",
    "fit_reduced",
    "fit_whitening",
    "join_prototypes",
    "learn_online",
    "make_mixture_module",
    "make_module",
    "mutual_neighbors",
    "nearest",
    "nearest_two",
    "neighbor_graph",
    "observe_online",
    "open_stream",
    "posterior",
    "prepare_backbone",
    "principal_projection",
    "prototype_count",
    "resolve_assignment",
    "resolve_encoder",
    "resolve_flow",
    "resolve_joint",
    "resolve_kmeans",
    "resolve_mixture",
    "resolve_regularization",
    "resolve_support",
    "resolve_temperature",
    "resolve_warm_up",
    "seed_prototypes",
    "settle_online",
    "stream_module",
    "stream_temperature",
    "summary_size",
]
