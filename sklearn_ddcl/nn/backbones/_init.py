"""Initial weights from a generator, with the global random state left alone."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

__all__ = ["reset_parameters"]

_FAN_IN = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)


def reset_parameters(module: nn.Module, generator: torch.Generator | None = None) -> None:
    r"""Draw the weights of a module and all its parts anew, as torch would.

    - Linear layers and convolutions: weights and biases uniform in
      :math:`\pm 1 / \sqrt{f}` with fan-in f, which is torch's Kaiming rule
      with :math:`a = \sqrt 5`.
    - Recurrent layers and cells: uniform in :math:`\pm 1 / \sqrt h` for h
      hidden units.
    - Embeddings: standard normal, with zeros for the padding index.
    - Multi-head attention: Glorot's rule for the joint projection, biases 0.
    - Any other module with a ``reset_parameters()`` of its own, norms among
      them, which only get their ones and zeros: that method, within forked
      random states seeded from the generator.

    Parameters
    ----------
    module : nn.Module
        Changed in place; on the CPU or on CUDA. Parameters of modules without
        any of these rules are left as they are.
    generator : torch.Generator, optional
        Source of the weights; a fixed seed if left out. One of the CPU gives
        modules on either device the same weights.

    Raises
    ------
    ValueError
        If ``module`` is no module, or a lazy one whose shapes are not known.

    Examples
    --------
    >>> import torch
    >>> first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    >>> for layer in (first, second):
    ...     reset_parameters(layer, torch.Generator().manual_seed(0))
    >>> bool((first.weight == second.weight).all())
    True
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"module must be a torch module, got {type(module).__name__}.")
    if any(is_lazy(parameter) for parameter in module.parameters()):
        raise ValueError("module must know its shapes, got a lazy one: pass a batch through.")
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in dict.fromkeys(_parts_before_wholes(module)):
            _reset_one(part, generator)


def _parts_before_wholes(module: nn.Module) -> Iterator[nn.Module]:
    """Yield parts first, so that a whole may overrule them; shared ones come several times."""
    for child in module.children():
        yield from _parts_before_wholes(child)
    yield module


def _reset_one(module: nn.Module, generator: torch.Generator) -> None:
    rule = getattr(module, "reset_parameters", None)
    if callable(rule) and not str(getattr(rule, "__module__", "")).startswith("torch.nn."):
        _reset_by_itself(module, rule, generator)  # even in subclasses of what is known here
    elif isinstance(module, _FAN_IN):
        bound = 1.0 / math.sqrt(max(1, module.weight[0].numel()))
        _uniform(module, ("weight", "bias"), bound, generator)
    elif isinstance(module, nn.RNNBase | nn.RNNCellBase):
        names = [name for name, _ in module.named_parameters(recurse=False)]
        _uniform(module, names, 1.0 / math.sqrt(module.hidden_size), generator)
    elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
        _reset_embedding(module, generator)
    elif isinstance(module, nn.MultiheadAttention):
        _reset_attention(module, generator)
    elif callable(rule):
        _reset_by_itself(module, rule, generator)


def _uniform(
    module: nn.Module, names: tuple[str, ...] | list[str], bound: float, generator: torch.Generator
) -> None:
    for name in names:
        if (old := getattr(module, name)) is not None:
            drawn = torch.empty(old.shape, dtype=old.dtype, device=generator.device)
            _assign(module, name, drawn.uniform_(-bound, bound, generator=generator))


def _assign(module: nn.Module, name: str, values: Tensor) -> None:
    """Overwrite a parameter, or hand a parametrised one to its parametrisation."""
    old = getattr(module, name)
    if isinstance(old, nn.Parameter):
        old.copy_(values)
    else:
        setattr(module, name, values.to(old.device))


def _reset_embedding(module: nn.Embedding | nn.EmbeddingBag, generator: torch.Generator) -> None:
    old = module.weight
    drawn = torch.empty(old.shape, dtype=old.dtype, device=generator.device)
    drawn.normal_(generator=generator)
    if module.padding_idx is not None:
        drawn[module.padding_idx] = 0.0
    _assign(module, "weight", drawn)


def _reset_attention(module: nn.MultiheadAttention, generator: torch.Generator) -> None:
    for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
        if (old := getattr(module, name)) is not None:
            _uniform(module, [name], math.sqrt(6.0 / sum(old.shape)), generator)
    for name in ("bias_k", "bias_v"):
        if (old := getattr(module, name)) is not None:
            drawn = torch.empty(old.shape, dtype=old.dtype, device=generator.device)
            deviation = math.sqrt(2.0 / (old.shape[-1] * 2))
            _assign(module, name, drawn.normal_(0.0, deviation, generator=generator))
    for bias in (module.in_proj_bias, module.out_proj.bias):
        if bias is not None:
            nn.init.zeros_(bias)


def _reset_by_itself(
    module: nn.Module, rule: Callable[[], object], generator: torch.Generator
) -> None:
    seed = int(torch.randint(1 << 62, (), generator=generator, device=generator.device))
    devices = {p.device.index for p in module.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(devices)):
        # torch.manual_seed would also seed the devices that are not forked
        torch.default_generator.manual_seed(seed)
        for index in devices:
            torch.cuda.default_generators[index].manual_seed(seed)
        rule()
