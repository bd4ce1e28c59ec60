"""Pretext tasks, one a file: what a backbone learns before and beside the prototypes."""

from sklearn_ddcl.engine._tasks._autoencoder import AutoencoderTask
from sklearn_ddcl.engine._tasks._neighbors import NeighborTask
from sklearn_ddcl.engine._tasks._pseudo_labels import PseudoLabelTask
from sklearn_ddcl.engine._tasks._simclr import SimCLRTask

__all__ = ["AutoencoderTask", "NeighborTask", "PseudoLabelTask", "SimCLRTask"]
