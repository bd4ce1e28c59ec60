"""Devices and random generators, chosen once and passed down."""

import torch

__all__ = ["make_generator", "resolve_device"]


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
