"""Warm-ups, one a file: what a backbone learns before there are prototypes."""

from sklearn_ddcl.engine._warm_ups._autoencoding import Autoencoding
from sklearn_ddcl.engine._warm_ups._base import WarmUp
from sklearn_ddcl.engine._warm_ups._neighbors import NeighborContrast
from sklearn_ddcl.engine._warm_ups._simclr import SimCLR

__all__ = ["Autoencoding", "NeighborContrast", "SimCLR", "WarmUp"]
