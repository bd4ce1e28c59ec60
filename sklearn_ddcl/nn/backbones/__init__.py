"""Backbones: from samples to features."""

from sklearn_ddcl.nn.backbones._autoencoder import Autoencoder, make_decoder, mirror_decoder
from sklearn_ddcl.nn.backbones._conv import ConvNet
from sklearn_ddcl.nn.backbones._init import reset_parameters
from sklearn_ddcl.nn.backbones._mlp import MLP
from sklearn_ddcl.nn.backbones._multi_scale import MultiScale
from sklearn_ddcl.nn.backbones._tokens import TokenPooling

__all__ = [  # noqa: RUF022  (takes MLP for a constant)
    "Autoencoder",
    "ConvNet",
    "MLP",
    "MultiScale",
    "TokenPooling",
    "make_decoder",
    "mirror_decoder",
    "reset_parameters",
]
