"""Devices and random generators, chosen once and passed down."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

__all__ = ["float_type", "local_randomness", "make_generator", "resolve_device", "torch_defaults"]


def float_type(dtype: Any) -> torch.dtype:
    """Return torch's type for validated data, which are float32 or float64.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of the data.

    Returns
    -------
    torch.dtype
        Its twin.

    Examples
    --------
    >>> import numpy as np
    >>> float_type(np.dtype("float32"))
    torch.float32
    """
    return torch.float32 if dtype == "float32" else torch.float64


def make_generator(seed: int) -> torch.Generator:
    """Return a local CPU generator, so that no global random state is touched.

    Parameters
    ----------
    seed : int
        Seed drawn once from the estimator's ``random_state``.

    Returns
    -------
    torch.Generator
        Generator on the CPU: draws are the same whatever device computes.
    """
    return torch.Generator().manual_seed(seed)


def resolve_device(device: str, dtype: torch.dtype) -> torch.device:
    """Turn the ``device`` parameter into a torch device.

    Parameters
    ----------
    device : str
        ``"auto"`` takes CUDA, then MPS, then the CPU; anything else is a
        torch device name.
    dtype : torch.dtype
        Type of the computation; MPS has no float64, which then stays on the
        CPU under ``"auto"``.

    Returns
    -------
    torch.device
        A device that exists on this machine.

    Raises
    ------
    ValueError
        If the device is unknown, absent, or cannot compute in ``dtype``.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available() and dtype != torch.float64:
            return torch.device("mps")
        return torch.device("cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a torch device name such as 'cpu' or "
            f"'cuda:0'. Got {device!r} instead."
        ) from error
    if chosen.type == "mps" and dtype == torch.float64:
        raise ValueError("device='mps' has no float64: pass X as float32, or use device='cpu'.")
    if chosen.type == "meta":
        raise ValueError("The 'device' parameter is 'meta', which holds no data to compute with.")
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The 'device' parameter is {device!r}, which this machine does not offer: {error}"
        ) from error
    return chosen


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """Compute as torch does unless told otherwise, whatever the caller has set.

    Gradients are on, inference mode and autocast are off, new tensors are
    float32 on the CPU: inside, precision and device are the estimator's.

    Yields
    ------
    None
        Nothing.

    Examples
    --------
    >>> import torch
    >>> with torch.inference_mode(), torch_defaults():
    ...     torch.is_grad_enabled()
    True
    """
    dtype = torch.get_default_dtype()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":  # the context costs time in every call
            stack.enter_context(torch.device("cpu"))
        if dtype != torch.float32:
            stack.callback(torch.set_default_dtype, dtype)
            torch.set_default_dtype(torch.float32)
        yield


@contextlib.contextmanager
def local_randomness(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Let user modules draw from the global generators, and leave these as they were.

    Dropout takes no generator: inside, torch's global ones start from a seed
    drawn from ours; on leaving they are put back.

    Parameters
    ----------
    generator : torch.Generator
        The run's generator.
    device : torch.device
        Where the training computes.

    Yields
    ------
    None
        Nothing.

    Examples
    --------
    >>> import torch
    >>> before = torch.get_rng_state()
    >>> with local_randomness(make_generator(0), torch.device("cpu")):
    ...     _ = torch.rand(3)
    >>> bool(torch.equal(before, torch.get_rng_state()))
    True
    """
    seed = int(torch.randint(1 << 62, (), generator=generator))
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        # not torch.manual_seed, which would seed the devices beside this one too
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
