"""
=====================================
A residual network of your own
=====================================

Any ``torch.nn.Module`` that maps samples to one vector each is a backbone. Here it is a small
residual network with global average pooling, the first of the attachment points that the DDCL
paper names for convolutional networks (section 6.1), on images of shapes in random places.
"""

# %%
# Crosses, rings, squares and diagonals, 16 x 16 pixels with noise, anywhere in the picture. Moving
# a shape by a few pixels changes the pixels more than changing the shape does.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import Compose, GaussianNoise, RandomShift
from sklearn_ddcl.options import JointTraining, SimCLR

SIDE, SIZE, N = 16, 7, 400
rng = np.random.default_rng(0)
row, column = np.mgrid[:SIZE, :SIZE] - SIZE // 2
shapes = [
    (row == 0) | (column == 0),
    np.abs(np.hypot(row, column) - 3) < 0.6,
    (np.abs(row) < 3) & (np.abs(column) < 3),
    row == column,
]
y = rng.integers(len(shapes), size=N)
X = rng.normal(0.0, 0.1, size=(N, 1, SIDE, SIDE)).astype(np.float32)
for image, kind in zip(X[:, 0], y, strict=True):
    top, left = rng.integers(SIDE - SIZE + 1, size=2)
    image[top : top + SIZE, left : left + SIZE] += shapes[kind]

# %%
# The network. ``DDCLClustering`` calls the class with the shape of a sample, here (1, 16, 16), and
# draws its weights from ``random_state``. It could as well be given an instance, of which it
# trains a copy.


class Block(nn.Module):
    """Two convolutions beside a shortcut, at half the resolution."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2)

    def forward(self, x):
        """Return feature maps."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """Two blocks, the mean over the picture and a linear layer."""

    def __init__(self, shape, width=16, n_outputs=8):
        super().__init__()
        self.blocks = nn.Sequential(Block(shape[0], width), Block(width, 2 * width))
        self.head = nn.Linear(2 * width, n_outputs)

    def forward(self, x):
        """Return one vector an image."""
        return self.head(self.blocks(x).mean(dim=(2, 3)))


# %%
# What counts as the same is said by the warm-up: neighbours among pixels would be images with
# something in the same place. `SimCLR` learns that a moved shape is the same one. Nothing but the
# score reads ``y``.

views = Compose([RandomShift(pixels=5), GaussianNoise(scale=0.1)])
model = DDCLClustering(
    n_clusters=4,
    backbone=ResNet,
    warm_up=SimCLR(views, autoencoder_weight=0.0, n_steps=200, batch_size=128, learning_rate=5e-3),
    training=JointTraining(epochs=5),
    device="cpu",
    random_state=0,
).fit(X)
kmeans = KMeans(4, n_init=10, random_state=0).fit(X.reshape(N, -1))
print(f"KMeans on pixels: ACC {clustering_accuracy_score(y, kmeans.labels_):.3f}")
print(f"DDCLClustering:   ACC {clustering_accuracy_score(y, model.labels_):.3f}")
print(f"encode: {X.shape} -> {model.encode(X).shape}")

# %%
# The eight images nearest to each cluster, one cluster a row.

distances = model.transform(X)
figure, axes = plt.subplots(4, 8, figsize=(8, 4.4), layout="constrained")
for cluster, line in enumerate(axes):
    for ax, number in zip(line, distances[:, cluster].argsort()[:8], strict=True):
        ax.imshow(X[number, 0], cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(f"cluster {cluster}")
figure.suptitle("The images nearest to each cluster")
figure.savefig("backbone_resnet.png", dpi=120)
print("Picture: backbone_resnet.png")
