"""The adversarial fit: encoder against discriminator, between them a mixture estimated anew."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.engine._adversarial_finish import Finished, finish_gaussian, finish_nearest
from sklearn_ddcl.engine._backbones import Prepared, assemble
from sklearn_ddcl.engine._callbacks import Reestimation
from sklearn_ddcl.engine._deep_config import prototype_count
from sklearn_ddcl.engine._discriminator import Discriminator
from sklearn_ddcl.engine._encoding import encode
from sklearn_ddcl.engine._features import encode_rows
from sklearn_ddcl.engine._grouping import Grouped
from sklearn_ddcl.engine._history import History
from sklearn_ddcl.engine._joint_checks import check_finite
from sklearn_ddcl.engine._joint_module import JointModule, StepOutput
from sklearn_ddcl.engine._latent_mixture import LatentMixture
from sklearn_ddcl.engine._latent_terms import LATENT_TERMS, LatentTerm
from sklearn_ddcl.engine._mixture import Mixture, fit_mixture
from sklearn_ddcl.engine._net import TrainingNet
from sklearn_ddcl.engine._pretext import PretextTask
from sklearn_ddcl.engine._runtime import float_type, make_generator, resolve_device, torch_defaults
from sklearn_ddcl.engine._warm_start import trained_rows, warm_start

__all__ = ["AdversarialConfig", "AdversarialResult", "fit_adversarial"]

_BETAS = (0.5, 0.99)
_FIRST_STARTS = 10
_FEW = 50  # few components settle in poor places


class AdversarialConfig(NamedTuple):
    """What the engine needs for one adversarial fit.

    Attributes
    ----------
    n_clusters : int
        Number of clusters k.
    loss : str
        A name in `LATENT_TERMS`.
    backbone : str, nn.Module or callable
        As in `prepare_backbone`.
    warm_up : WarmUp or None
        What the backbone learns first.
    discriminator : Discriminator
        Its options.
    pretext_weight : float
        Weight of the warm-up's task, >= 0.
    epochs : int
        Passes over the rows.
    mixture : LatentMixture
        The mixture's options.
    prototypes_per_cluster : int or None
        Components of the mixture for each cluster, as in `prototype_count`;
        None is 1 for Gaussians and for the loss "kl".
    batch_size : int
        Rows a step.
    learning_rate : float
        Adam's, of the encoder.
    device : str
        Device name or "auto".
    seed : int
        Seed of the fit's own generator.
    report : callable or None
        Called with every history record as it is made.
    """

    n_clusters: int
    loss: str = "adversarial"
    backbone: Any = "mlp"
    warm_up: Any = None
    discriminator: Discriminator = Discriminator()  # never changed
    pretext_weight: float = 3.0
    epochs: int = 30
    mixture: LatentMixture = LatentMixture()  # never changed
    prototypes_per_cluster: int | None = None
    batch_size: int = 256
    learning_rate: float = 1e-3
    device: str = "auto"
    seed: int = 0
    report: Any = None


class AdversarialResult(NamedTuple):
    """A fitted model, as numpy arrays and a module on the CPU.

    Attributes
    ----------
    backbone : nn.Module
        Samples to features, in the dtype of the samples.
    clusters : Grouped
        Centres or prototypes in use, their clusters, labels and inertia.
    mixture : Mixture or None
        The Gaussians whose posterior decides, in the order of the clusters.
    history : list of dict
        Records of the warm-up and of the epochs.
    """

    backbone: nn.Module
    clusters: Grouped
    mixture: Mixture | None
    history: list[dict[str, Any]]


@torch_defaults()
def fit_adversarial(
    data: Any, weight: np.ndarray | None, config: AdversarialConfig
) -> AdversarialResult:
    """Train an encoder towards a latent mixture that is estimated anew every few epochs.

    Parameters
    ----------
    data : ndarray or CSR array of shape (n, ...)
        Finite samples, float32 or float64.
    weight : ndarray of shape (n,) or None
        Non-negative weights, not all zero; rows of weight 0 are not trained on.
    config : AdversarialConfig
        Validated options.

    Returns
    -------
    AdversarialResult
        The fitted model.

    Raises
    ------
    ValueError
        If the data do not fit the backbone.
    FloatingPointError
        If a loss or features are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl.engine import AdversarialConfig, fit_adversarial
    >>> X = np.r_[np.zeros((20, 2)), np.ones((20, 2))] + np.linspace(0, 0.1, 40)[:, None]
    >>> config = AdversarialConfig(2, warm_up=None, epochs=2)
    >>> fit_adversarial(X, None, config).clusters.centers.shape[0]
    2
    """
    generator = make_generator(config.seed)
    used, rows, share = trained_rows(data, weight)
    prepared, task, history = warm_start(rows, share, config, generator)
    estimates = _Estimates(config, share, generator)
    epochs = _train(prepared, task, estimates)
    network = assemble(prepared, float_type(data.dtype))
    features = encode_rows(network, data, data.dtype, config.device)
    clusters, mixture = _finish(features, weight, estimates.fit(features[used]), estimates)
    history += [{**record, "epoch": len(history) + record["epoch"]} for record in epochs.records]
    return AdversarialResult(network, clusters, mixture, history)


def _finish(
    features: np.ndarray, weight: np.ndarray | None, mixture: Mixture, estimates: "_Estimates"
) -> Finished:
    """Make clusters of the last mixture."""
    config = estimates.config
    if config.mixture.kind == "gaussian":
        return finish_gaussian(features, weight, mixture, config.device)
    return finish_nearest(
        features, weight, mixture.means, config.n_clusters, config.device, estimates.generator
    )


def _train(prepared: Prepared, task: PretextTask | None, estimates: "_Estimates") -> History:
    """Train the body in place, in the one loop, and return the records of its epochs."""
    config, generator, inputs = estimates.config, estimates.generator, prepared.inputs
    device = resolve_device(config.device, inputs.dtype)
    body = prepared.body.to(device)
    width = encode(body, inputs[:2], device).shape[1]
    term = LATENT_TERMS[config.loss](width, config.discriminator, generator, device)

    def _estimate(backbone: nn.Module) -> dict[str, Any]:
        z = encode(backbone, inputs, device).cpu()
        check_finite("features", z)
        mixture = estimates.fit(z.numpy())
        term.update(mixture)
        return estimates.describe(mixture)

    kept = config.pretext_weight > 0 and task is not None
    pretext = task if kept and task is not None else _NoTask()
    share = estimates.weight
    history = History(config.report)
    module = AdversarialModule(
        body, term, pretext.to(device), config.pretext_weight if kept else 1.0, generator
    )
    AdversarialNet(
        module,
        generator=generator,
        batch_size=config.batch_size,
        lr=config.learning_rate,
        max_epochs=config.epochs,
        sample_weight=None if share is None else torch.from_numpy(share.astype(np.float32)),
        callbacks=[Reestimation(_estimate, config.mixture.interval, term.summary, history)],
        device=device,
    ).fit(inputs)
    body.cpu().eval()
    return history


class AdversarialModule(JointModule):
    """Backbone and pretext task, and what draws the features to the mixture.

    Parameters
    ----------
    backbone : nn.Module
        Features (b, d) from inputs (b, ...).
    term : LatentTerm
        Loss of the features. Its discriminator is not among this module's
        parameters: it has an optimiser of its own.
    pretext : PretextTask
        The pretext task.
    pretext_weight : float
        Its weight, > 0.
    generator : torch.Generator
        Passed to the pretext task.
    """

    def __init__(
        self,
        backbone: nn.Module,
        term: LatentTerm,
        pretext: PretextTask,
        pretext_weight: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__(
            backbone, pretext=pretext, pretext_weight=pretext_weight, generator=generator
        )
        self.term = term

    def forward(self, index: Tensor, x: Tensor, weight: Tensor | None = None) -> StepOutput:
        """Compute the loss of both players, of disjoint gradients, in one pass of the encoder."""
        step = super().forward(index, x, weight)
        return step._replace(loss=step.loss + self.term(step.z, weight))


class AdversarialNet(TrainingNet):
    """The training loop with one more optimiser, the discriminator's."""

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "AdversarialNet":
        """Make Adam for the backbone, and another one for the discriminator."""
        super().initialize_optimizer(triggered_directly)
        term: LatentTerm = self.module_.term
        if term.network is not None:
            rate = term.options.learning_rate
            self.discriminator_optimizer_ = torch.optim.Adam(
                term.network.parameters(), lr=rate, betas=_BETAS
            )
        return self


class _NoTask(PretextTask):
    """Holds the place of a task where none is kept."""

    def loss(
        self,
        backbone: nn.Module,
        x: Tensor,
        z: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Return 0."""
        return z.new_zeros(())


class _Estimates:
    """Mixtures of the features, one after the other.

    Parameters
    ----------
    config : AdversarialConfig
        Options.
    weight : ndarray of shape (n,) or None
        Positive weights.
    generator : torch.Generator
        Source of seeds.
    """

    def __init__(
        self, config: AdversarialConfig, weight: np.ndarray | None, generator: torch.Generator
    ) -> None:
        self.config, self.weight, self.generator = config, weight, generator
        self.last: np.ndarray | None = None

    def fit(self, z: np.ndarray) -> Mixture:
        """Return the best mixture from new starts and from the means of the last one."""
        options, count = self.config.mixture, self._count(len(z))
        last = self.last if self.last is not None and len(self.last) == count else None
        starts = options.n_init if last is not None else max(_FIRST_STARTS, options.n_init)
        if count > _FEW:
            starts = int(last is None)
        seed = int(torch.randint(2**31 - 1, (), generator=self.generator))
        mixture = fit_mixture(z, self.weight, count, options.kind, starts, seed, last)
        self.last = mixture.means
        return mixture

    def describe(self, mixture: Mixture) -> dict[str, Any]:
        """Return what to record of a mixture."""
        spread = float(mixture.weights @ mixture.variances.sum(axis=1))
        return {
            "temperature": 2.0 * spread / mixture.means.shape[1],
            "loss_quantization": spread,
            "n_active": len(mixture.means),
        }

    def _count(self, n_rows: int) -> int:
        """Return the number of components.

        One for each cluster where their variances decide: those of few rows are
        too small, the loss pulls the harder for it, and they vanish.
        """
        per_cluster, kind = self.config.prototypes_per_cluster, self.config.mixture.kind
        if per_cluster is None and (kind == "gaussian" or self.config.loss == "kl"):
            per_cluster = 1
        return prototype_count(self.config.n_clusters, per_cluster, n_rows)
