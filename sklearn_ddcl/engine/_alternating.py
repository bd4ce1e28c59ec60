"""The alternating loop: k-means labels the features, and a classifier teaches these labels."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import Prepared, assemble, prepare_backbone
from sklearn_ddcl.engine._callbacks import Relabelling
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_checks import check_finite
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._labelling import Labelled, label_rows
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._partitions import compare_partitions
from sklearn_ddcl.engine._projection import principal_projection, project_rows
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device
from sklearn_ddcl.engine._tasks import PseudoLabelTask
from sklearn_ddcl.engine._warm_start import trained_rows, warm_start
from sklearn_ddcl.engine._whitening import Whitening, fit_whitening
from sklearn_ddcl.nn.backbones import MLP

__all__ = ["AlternatingConfig", "AlternatingResult", "fit_alternating", "reassign_empty"]

_HIDDEN, _WIDTH = (256, 128), 32
_APART = 1e-10  # squared distance on the unit sphere above which rows differ by more than rounding


class AlternatingConfig(NamedTuple):
    """What the engine needs for one alternating fit.

    Attributes
    ----------
    n_clusters : int
        Number of clusters k.
    backbone : str, nn.Module or callable
        As in `prepare_backbone`; "mlp" with batch normalization.
    warm_up : WarmUp or None
        What the backbone learns first.
    epochs : int
        Turns of k-means and classifier.
    n_init : int
        Starts of k-means.
    n_components : int, "auto" or None
        Number of components of whitened features; "auto" takes 2 k.
    batch_size : int
        Rows a step, >= 2.
    learning_rate : float
        Adam's, of backbone and classifier.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    n_clusters: int
    backbone: Any = "mlp"
    warm_up: Any = None
    epochs: int = 50
    n_init: int = 20
    n_components: int | str | None = "auto"
    batch_size: int = 256
    learning_rate: float = 1e-3
    device: str = "auto"
    seed: int = 0
    report: Any = None

    @property
    def components(self) -> int | None:
        """Number of components; None for as many as the rows bear."""
        named = isinstance(self.n_components, str)
        return 2 * self.n_clusters if named else self.n_components  # type: ignore[return-value]


class AlternatingResult(NamedTuple):
    """A fitted model, as numpy arrays and a module on the CPU.

    Attributes
    ----------
    backbone : nn.Module
        Samples to whitened features of norm 1, in the dtype of the samples.
    clusters : Labelled
        Centres in use, labels and inertia.
    history : list of dict
        Records of the warm-up, the epochs, and the last k-means.
    """

    backbone: nn.Module
    clusters: Labelled
    history: list[dict[str, Any]]


@torch.inference_mode(False)
@torch.enable_grad()
def fit_alternating(
    data: Any, weight: np.ndarray | None, config: AlternatingConfig
) -> AlternatingResult:
    """Learn features by teaching them their own k-means labels, in turns.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Finite samples, float32 or float64.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero; rows of weight 0 are not trained on.
    config : AlternatingConfig
        Validated options.

    Returns
    -------
    AlternatingResult
        The fitted model.

    Raises
    ------
    ValueError
        If the data do not fit the backbone, or all weight is on one row.
    FloatingPointError
        If a loss or features are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import AlternatingConfig, fit_alternating
    >>> X = np.r_[np.zeros((20, 2)), np.ones((20, 2))] + np.linspace(0, 0.1, 40)[:, None]
    >>> fit_alternating(X, None, AlternatingConfig(2, epochs=2)).clusters.prototypes.shape[0]
    2
    """
    generator = make_generator(config.seed)
    used, rows, share = trained_rows(data, weight)
    if rows.shape[0] < 2:
        raise ValueError(
            "n_samples=1 should be >= 2, without samples whose weight is 0, or is in float32 "
            "beside the others: batch normalization and whitening take no single sample."
        )
    prepared, _, history = warm_start(rows, share, config, generator, _prepare)
    turns = _Turns(config, share, generator)
    epochs = _train(prepared, turns)
    network = nn.Sequential(assemble(prepared, float_type(data.dtype)))
    z = torch.from_numpy(encode_rows(network, rows, data.dtype, config.device))
    network.append(fit_whitening(z, turns.share, config.components).to(z.dtype).eval())
    features = encode_rows(network, data, data.dtype, config.device)
    centers, terms = turns.partition(features[used])
    epochs.add("final", float("nan"), {"loss_cross_entropy": float("nan"), **terms})
    clusters = label_rows(features, weight, centers.astype(features.dtype), config.device)
    history += [{**record, "epoch": len(history) + record["epoch"]} for record in epochs.records]
    return AlternatingResult(network, clusters, history)


def _prepare(
    backbone: Any,
    data: Any,
    weight: np.ndarray | None,
    generator: torch.Generator,
    neighbors: bool = True,
) -> Prepared:
    """Make the backbone; "mlp" is the three-layer network of the experiments."""
    if not (isinstance(backbone, str) and backbone == "mlp"):
        return prepare_backbone(backbone, data, weight, generator, neighbors)
    projection = principal_projection(data, generator, weight)
    components = project_rows(data, projection, torch.float32)
    body = MLP(
        components.shape[1], _WIDTH, _HIDDEN, normalization=nn.BatchNorm1d, generator=generator
    )
    return Prepared(projection, body, components, components)


def _train(prepared: Prepared, turns: "_Turns") -> History:
    """Train the body in place, in the one loop, and return the records of its epochs."""
    config, generator, inputs = turns.config, turns.generator, prepared.inputs
    device = resolve_device(config.device, inputs.dtype)
    body = prepared.body.to(device)
    width = encode(body, inputs[:2], device).shape[1]
    task = PseudoLabelTask(len(inputs), width, config.n_clusters, generator).to(device)
    weight = turns.share

    def _relabel(backbone: nn.Module) -> dict[str, Any]:
        z = encode(backbone, inputs, device).cpu()
        check_finite("features", z)
        whitening: Whitening = fit_whitening(z, weight, config.components)
        _, terms = turns.partition(whitening(z.double()).float().numpy())
        task.relabel(torch.from_numpy(turns.labels).long(), weight, generator)
        return terms

    history = History(config.report)
    TrainingNet(
        JointModule(body, pretext=task, generator=generator),
        generator=generator,
        batch_size=config.batch_size,
        lr=config.learning_rate,
        max_epochs=config.epochs,
        chance=task.chance,
        callbacks=[Relabelling(_relabel, history)],
        device=device,
    ).fit(inputs)
    body.cpu().eval()
    return history


class _Turns:
    """Partitions of the rows, one after the other.

    Parameters
    ----------
    config : AlternatingConfig
        Options.
    weight : ndarray of shape (n,) or None
        Positive weights.
    generator : torch.Generator
        Source of the seed.
    """

    def __init__(
        self, config: AlternatingConfig, weight: np.ndarray | None, generator: torch.Generator
    ) -> None:
        self.config, self.weight, self.generator = config, weight, generator
        # one for all epochs: partitions then differ by the features alone, and rest with them
        self.seed = int(torch.randint(2**31 - 1, (), generator=generator))
        self.share: Tensor | None = None if weight is None else torch.from_numpy(weight)
        self.labels: np.ndarray = np.zeros(0, dtype=np.int64)

    def partition(self, z: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """Label whitened features anew; return the centres, and what to record."""
        count = min(self.config.n_clusters, len(z))
        kmeans = KMeans(count, n_init=self.config.n_init, random_state=self.seed)
        with warnings.catch_warnings():
            # fewer distinct rows than clusters: the estimator says so at the end
            warnings.filterwarnings("ignore", "Number of distinct clusters")
            kmeans.fit(z, sample_weight=self.weight)
        centers, labels, moved = reassign_empty(z, kmeans.cluster_centers_, kmeans.labels_)
        known = len(self.labels) > 0
        similar, change = float("nan"), float("nan")
        if known:
            similar, change = compare_partitions(labels, self.labels, self.weight)
        self.labels = labels
        return centers, {
            "nmi_previous": similar,
            "label_change": change,
            "n_active": len(np.unique(labels)),
            "n_reassigned": moved,
            "inertia": float(kmeans.inertia_),
        }


def reassign_empty(
    z: np.ndarray, centers: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Move the centres of empty clusters to the rows that are farthest from their own.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Features of norm 1.
    centers : ndarray of shape (k, d)
        Centres.
    labels : ndarray of shape (n,)
        Cluster of each row.

    Returns
    -------
    centers : ndarray of shape (k, d)
        New centres; those of clusters that stay empty as they were.
    labels : ndarray of shape (n,), int64
        Rows nearer to a moved centre are its own.
    moved : int
        Number of centres moved; fewer than there were empty clusters where
        there are no more distinct rows.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> centers = np.array([[0.5, 0.5], [-1.0, 0.0]])
    >>> reassign_empty(z, centers, np.array([0, 0]))[1:]
    (array([1, 0]), 1)
    """
    centers, labels = centers.copy(), labels.astype(np.int64)
    empty = np.flatnonzero(np.bincount(labels, minlength=len(centers)) == 0)
    moved = 0
    if len(empty):
        gaps = np.square(z - centers[labels]).sum(axis=1)
        for cluster in empty:
            farthest = int(gaps.argmax())
            if gaps[farthest] <= _APART:
                break
            centers[cluster] = z[farthest]
            fresh = np.square(z - centers[cluster]).sum(axis=1)
            labels[fresh < gaps] = cluster
            gaps = np.minimum(gaps, fresh)
            moved += 1
    return centers, labels, moved
