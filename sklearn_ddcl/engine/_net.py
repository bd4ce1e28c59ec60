"""The training loop, on skorch: one for warm-ups and for the joint phase."""

from collections.abc import Iterable
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor, nn

from sklearn_ddcl.engine._batches import Batch, Batches
from sklearn_ddcl.engine._epoch_sums import EpochSummary, EpochSums
from sklearn_ddcl.engine._gradients import clear_gradients, clip_gradients
from sklearn_ddcl.engine._joint_module import JointModule, StepOutput
from sklearn_ddcl.engine._runtime import local_randomness

__all__ = ["TrainingNet"]


class TrainingNet(NeuralNet):  # type: ignore[misc]  # skorch has no types
    """Trains a :class:`JointModule`; of skorch it keeps everything but the work per step.

    Two optimisers: Adam for the backbone and all that belongs to losses and
    pretext task, and plain SGD for the prototypes' weights. Momentum or Adam's
    moments would move rows of the dual weights that are not in the batch, away
    from what the bank remembers, and Adam would undo the division of the rate
    by the largest eigenvalue of the Gram matrix.

    Losses stay on the device until the epoch ends. Callbacks get epochs; what
    overrides a batch's events makes each step slower, not the others.

    Parameters
    ----------
    module : JointModule
        What to train; moved to ``device``.
    generator : torch.Generator
        Source of all randomness of the run, on the CPU.
    batch_size : int, default=256
        Largest number of rows a step.
    lr : float, default=1e-3
        Adam's learning rate.
    max_epochs : int, default=50
        Passes over the rows.
    total_steps : int, optional
        Steps after which to stop within an epoch.
    gradient_clip : float, optional
        Largest norm of the gradient of what Adam trains.
    sample_weight : Tensor of shape (n,), optional
        Sample weights of the objective.
    chance : Tensor of shape (n,), optional
        Chances by which rows are drawn, as in `Batches`.
    callbacks : iterable of skorch.callbacks.Callback, default=()
        Called in this order.
    compile : bool, default=False
        Whether the backbone goes through ``torch.compile``.
    device : torch.device or str, default="cpu"
        Where to compute.

    Attributes
    ----------
    summary_ : EpochSummary
        Of the last epoch.
    sums_ : EpochSums
        Labels and errors of all rows, when last seen.
    stopped_ : bool
        Set by a callback to end the training.
    epoch_ : int
        The epoch, counted from 0.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_ddcl.nn import Objective, VanillaPrototypes
    >>> module = JointModule(nn.Linear(3, 2), VanillaPrototypes(2, 2), Objective())
    >>> net = TrainingNet(module, generator=torch.Generator().manual_seed(0), max_epochs=2)
    >>> bool(net.fit(torch.rand(20, 3)).summary_.quantization > 0)
    True
    """

    def __init__(
        self,
        module: JointModule,
        *,
        generator: torch.Generator,
        batch_size: int = 256,
        lr: float = 1e-3,
        max_epochs: int = 50,
        total_steps: int | None = None,
        gradient_clip: float | None = None,
        sample_weight: Tensor | None = None,
        chance: Tensor | None = None,
        callbacks: Iterable[Any] = (),
        compile: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.generator = generator
        self.total_steps = total_steps
        self.gradient_clip = gradient_clip
        self.sample_weight = sample_weight
        self.chance = chance
        super().__init__(
            module,
            criterion=nn.Identity,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            iterator_train=Batches,
            train_split=None,
            callbacks=list(callbacks),
            verbose=0,
            device=device,
            compile=compile,
        )

    @property
    def _default_callbacks(self) -> list[Any]:
        return []

    def torch_compile(self, module: Any, name: str) -> Any:
        """Compile the backbone alone: the bank checks values, which would break the graph."""
        if self.compile and isinstance(module, JointModule):
            compiled: Any = torch.compile(module.backbone)
            module.keep_compiled(compiled)
        return module

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "TrainingNet":
        """Make Adam for the backbone and SGD for the prototypes."""
        layer = self.module_.layer
        dual = [] if layer is None else list(layer.parameters())
        known = {id(parameter) for parameter in dual}
        rest = [p for p in self.module_.parameters() if p.requires_grad and id(p) not in known]
        self.clipped_ = rest
        if rest:
            fused = torch.device(self.device).type in ("cpu", "cuda")
            self.optimizer_ = torch.optim.AdamW(rest, lr=self.lr, weight_decay=0.0, fused=fused)
        if dual:
            self.dual_optimizer_ = torch.optim.SGD(dual, lr=self.lr)
        half = self.module_.precision == torch.float16
        self.scaler_ = torch.amp.GradScaler(torch.device(self.device).type, enabled=half)
        return self

    def set_rates(self, backbone: float, dual: float) -> None:
        """Set the learning rates of both optimisers."""
        for name, rate in (("optimizer_", backbone), ("dual_optimizer_", dual)):
            for group in getattr(self, name).param_groups if hasattr(self, name) else []:
                group["lr"] = rate

    def get_dataset(self, X: Tensor, y: None = None) -> Tensor:
        """Return the rows themselves: batches are sliced from them."""
        return X

    def get_iterator(self, dataset: Tensor, training: bool = False) -> Batches:
        """Return the batches of the training rows."""
        return Batches(
            dataset,
            self.batch_size,
            generator=self.generator,
            total=self.total_steps,
            weight=self.sample_weight,
            chance=self.chance,
            device=self.device,
        )

    def partial_fit(
        self, X: Tensor, y: None = None, classes: None = None, **fit_params: Any
    ) -> "TrainingNet":
        """Train; unlike skorch's, an interrupt by the user goes through."""
        if not self.initialized_:
            self.initialize()
        self.notify("on_train_begin", X=X, y=None)
        self.fit_loop(X)
        self.notify("on_train_end", X=X, y=None)
        return self

    def fit_loop(
        self, X: Tensor, y: None = None, epochs: int | None = None, **fit_params: Any
    ) -> "TrainingNet":
        """Run the epochs until one stops."""
        epochs = self.max_epochs if epochs is None else epochs
        batches = self.get_iterator(X, training=True)
        if not hasattr(self, "sums_"):
            self.sums_ = EpochSums(X.shape[0], self.device, X.dtype)
        self.stopped_ = False
        with local_randomness(self.generator, torch.device(self.device)):
            for epoch in range(epochs):
                self.epoch_ = epoch
                self.notify("on_epoch_begin", dataset_train=X, dataset_valid=None)
                self.run_single_epoch(batches, True, "train", self.train_step)
                self.notify("on_epoch_end", dataset_train=X, dataset_valid=None)
                if self.stopped_:
                    break
        return self

    def run_single_epoch(
        self, iterator: Batches, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch; a loss that is not finite ends the training with its likely causes.

        Raises
        ------
        FloatingPointError
            If the mean loss is not finite.
        """
        self._set_training(True)
        begins, ends = self._overridden("on_batch_begin"), self._overridden("on_batch_end")
        for batch in iterator:
            for callback in begins:
                callback.on_batch_begin(self, batch=batch, training=True)
            step = step_fn(batch)
            self.sums_.add(step["y_pred"], batch.rows)
            for callback in ends:
                callback.on_batch_end(self, batch=batch, training=True, **step)
        summary = self.sums_.finish()
        if summary is not None:
            self.summary_: EpochSummary = summary
            check_loss(summary, self.lr)

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Take one step of both optimisers, then store the batch in the bank."""
        optimizers = [getattr(self, name + "_") for name in self._optimizers]
        clear_gradients(optimizers)
        step = self.train_step_single(batch)
        if self.gradient_clip is not None and self.clipped_:
            self.scaler_.unscale_(self.optimizer_)
            clip_gradients(self.clipped_, self.gradient_clip)
        for optimizer in optimizers:
            self.scaler_.step(optimizer)
        self.scaler_.update()
        self.module_.write_back(step["y_pred"].z, batch.rows)
        return step

    def train_step_single(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Compute the loss of a batch and its gradients."""
        output: StepOutput = self.module_(batch.rows, batch.x, batch.weight)
        torch.autograd.backward(self.scaler_.scale(output.loss))
        return {"loss": output.loss.detach(), "y_pred": output}

    def _overridden(self, name: str) -> list[Any]:
        """List the callbacks with an event of their own by this name."""
        plain = getattr(Callback, name)
        return [cb for _, cb in self.callbacks_ if getattr(type(cb), name) is not plain]


def check_loss(summary: EpochSummary, rate: float) -> None:
    """Require a finite loss.

    Parameters
    ----------
    summary : EpochSummary
        Means of an epoch.
    rate : float
        The learning rate, for the message.

    Raises
    ------
    FloatingPointError
        If it is not; the message names the likely causes.
    """
    if summary.loss - summary.loss == 0.0:
        return
    part = "pretext task's" if summary.pretext - summary.pretext != 0.0 else "clustering"
    raise FloatingPointError(
        f"The {part} loss became {summary.loss}. Likely causes: learning_rate={rate:g} is too "
        "large, X has values of very different sizes (scale it), or the backbone or pretext task "
        "divides by zero."
    )
