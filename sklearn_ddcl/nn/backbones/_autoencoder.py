"""Autoencoder, and decoders for an encoder."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.nn.backbones._mlp import MLP
from sklearn_ddcl.nn.outputs import AutoencoderOutput

__all__ = ["Autoencoder", "make_decoder", "mirror_decoder"]


def mirror_decoder(encoder: MLP, generator: torch.Generator | None = None) -> MLP:
    """Make the decoder that runs through the layer sizes of an MLP backwards.

    Parameters
    ----------
    encoder : MLP
        The encoder.
    generator : torch.Generator, optional
        Source of the first weights; a fixed seed if left out.

    Returns
    -------
    MLP
        The decoder, with the encoder's activation, normalization and floating point
        type.

    Raises
    ------
    ValueError
        If ``encoder`` is no :class:`MLP`.

    Examples
    --------
    >>> decoder = mirror_decoder(MLP(64, n_outputs=3, hidden=(32, 16)))
    >>> decoder.n_features, decoder.hidden, decoder.n_outputs
    (3, (16, 32), 64)
    """
    if not isinstance(encoder, MLP):
        raise ValueError(f"encoder must be an MLP, got {type(encoder).__name__}.")
    return MLP(
        encoder.n_outputs,
        encoder.n_features,
        encoder.hidden[::-1],
        encoder.activation,
        encoder.normalization,
        generator,
        encoder.dtype,
    )


def make_decoder(
    encoder: nn.Module,
    n_features: int,
    n_outputs: int,
    generator: torch.Generator | None = None,
) -> MLP:
    """Make a decoder for any encoder: the mirror of an MLP, else a plain MLP.

    Parameters
    ----------
    encoder : nn.Module
        The encoder.
    n_features : int
        Width d of the features that it makes.
    n_outputs : int
        Number of values of a sample.
    generator : torch.Generator, optional
        Source of the first weights; a fixed seed if left out.

    Returns
    -------
    MLP
        The decoder, from ``n_features`` to ``n_outputs`` values, in the
        encoder's floating point type.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or is not that of an MLP encoder.

    Examples
    --------
    >>> import torch
    >>> make_decoder(torch.nn.Flatten(), n_features=64, n_outputs=64).hidden
    (256, 256)
    """
    if isinstance(encoder, MLP):
        if (n_features, n_outputs) != (encoder.n_outputs, encoder.n_features):
            raise ValueError(
                f"n_features and n_outputs must be {encoder.n_outputs} and {encoder.n_features} "
                f"for this encoder, got {n_features} and {n_outputs}."
            )
        return mirror_decoder(encoder, generator)
    types = [weight.dtype for weight in encoder.parameters() if weight.is_floating_point()]
    dtype = types[0] if types else torch.float32
    return MLP(n_features, n_outputs, generator=generator, dtype=dtype)


class Autoencoder(nn.Module):
    """An encoder, and a decoder that gives the samples back.

    Parameters
    ----------
    encoder : nn.Module
        Features from samples.
    decoder : nn.Module
        Samples from features; it may return them flat.

    Raises
    ------
    ValueError
        If either is no module.

    Examples
    --------
    >>> import torch
    >>> encoder = MLP(64, n_outputs=3)
    >>> output = Autoencoder(encoder, mirror_decoder(encoder))(torch.zeros(5, 8, 8))
    >>> output.embedding.shape, output.reconstruction.shape
    (torch.Size([5, 3]), torch.Size([5, 8, 8]))
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        for name, part in (("encoder", encoder), ("decoder", decoder)):
            if not isinstance(part, nn.Module):
                raise ValueError(f"{name} must be a torch module, got {type(part).__name__}.")
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> AutoencoderOutput:
        """Encode and decode samples.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples.

        Returns
        -------
        AutoencoderOutput
            The embedding, and the reconstruction in the shape of ``x``.

        Raises
        ------
        ValueError
            If the decoder returns another number of values than ``x`` has.
        """
        embedding = self.encoder(x)
        reconstruction = self.decoder(embedding)
        if reconstruction.shape[:1] != x.shape[:1] or reconstruction.numel() != x.numel():
            raise ValueError(
                f"decoder must return as many values as x has, shape {tuple(x.shape)}, got "
                f"shape {tuple(reconstruction.shape)}."
            )
        return AutoencoderOutput(embedding, reconstruction.reshape(x.shape))
