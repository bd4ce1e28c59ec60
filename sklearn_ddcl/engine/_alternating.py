"""The alternating loop: k-means labels the features, and a classifier teaches these labels."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._backbones import Prepared, assemble, prepare_backbone
from sklearn_ddcl.engine._callbacks import Relabelling
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_checks import check_finite
from sklearn_ddcl.engine._joint_module import JointModule
from sklearn_ddcl.engine._kmeans import reassign_empty, resolve_kmeans
from sklearn_ddcl.engine._labelling import Labelled, label_rows
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._partitions import compare_partitions
from sklearn_ddcl.engine._projection import principal_projection, project_rows
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._tasks import PseudoLabelTask
from sklearn_ddcl.engine._warm_start import trained_rows, warm_start
from sklearn_ddcl.engine._whitening import Whitening, fit_whitening
from sklearn_ddcl.nn.backbones import MLP

__all__ = ["AlternatingConfig", "AlternatingResult", "fit_alternating"]

_HIDDEN, _WIDTH = (256, 128), 32


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
    kmeans : str
        Which k-means, as in `resolve_kmeans`.
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
    kmeans: str = "auto"
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


@torch_defaults()
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
    ImportError
        If the k-means asked for is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import AlternatingConfig, fit_alternating
    >>> X = np.r_[np.zeros((20, 2)), np.ones((20, 2))] + np.linspace(0, 0.1, 40)[:, None]
    >>> fit_alternating(X, None, AlternatingConfig(2, epochs=2)).clusters.prototypes.shape[0]
    2
    """
    resolve_kmeans(config.kmeans)  # what is not installed shows before the warm-up, not after
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
        self.kmeans = resolve_kmeans(config.kmeans)
        # one for all epochs: partitions then differ by the features alone, and rest with them
        self.seed = int(torch.randint(2**31 - 1, (), generator=generator))
        self.share: Tensor | None = None if weight is None else torch.from_numpy(weight)
        self.labels: np.ndarray = np.zeros(0, dtype=np.int64)

    def partition(self, z: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """Label whitened features anew; return the centres, and what to record."""
        count = min(self.config.n_clusters, len(z))
        found = self.kmeans(z, self.weight, count, self.config.n_init, self.seed)
        centers, labels, moved = reassign_empty(z, found.centers, found.labels)
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
            "inertia": found.inertia,
        }
