"""
=====================================
Sequences and a recurrent backbone
=====================================

Samples may have any number of axes, as long as the backbone takes them. Here they are sequences
of shape (time steps, channels), summarised by a gated recurrent unit: its last hidden state is
what is clustered (section 6.2 of the DDCL paper).
"""

# %%
# Three kinds of oscillation in two channels, with noise and a random phase. Two sequences of one
# kind may be each other's negative, so that their mean says nothing.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.options import JointTraining, NeighborContrast

N, STEPS = 360, 20
rng = np.random.default_rng(0)
y = rng.integers(3, size=N)
time = np.linspace(0.0, 2 * np.pi, STEPS)
speed, lag = np.array([1.0, 2.0, 2.0])[y, None], np.array([0.5, 0.5, -0.5])[y, None] * np.pi
phase = rng.uniform(0.0, 2 * np.pi, size=(N, 1))
X = np.stack([np.sin(speed * time + phase), np.sin(speed * time + phase + lag)], axis=2)
X = (X + rng.normal(0.0, 0.15, size=X.shape)).astype(np.float32)

# %%
# The backbone: a class that is called with the shape of a sample, (20, 2).


class Recurrent(nn.Module):
    """The last hidden state of a GRU, through a linear layer."""

    def __init__(self, shape, width=32, n_outputs=8):
        super().__init__()
        self.cells = nn.GRU(shape[-1], width, batch_first=True)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x):
        """Return one vector a sequence."""
        return self.head(self.cells(x)[1][-1])


# %%
# The default warm-up draws neighbours together. Neighbours are sequences of nearly the same phase;
# from neighbour to neighbour a kind's phases form a ring, which `KMeans` cuts into pieces.

model = DDCLClustering(
    n_clusters=3,
    backbone=Recurrent,
    warm_up=NeighborContrast(n_neighbors=12, n_steps=250, batch_size=128, learning_rate=1e-2),
    training=JointTraining(epochs=5),
    device="cpu",
    random_state=0,
).fit(X)
kmeans = KMeans(3, n_init=10, random_state=0).fit(X.reshape(N, -1))
print(f"KMeans on values: ACC {clustering_accuracy_score(y, kmeans.labels_):.3f}")
print(f"DDCLClustering:   ACC {clustering_accuracy_score(y, model.labels_):.3f}")
print(f"predict on five new ones: {model.predict(X[:5] + np.float32(0.05)).tolist()}")

# %%
# Two sequences of each cluster, one solid and one dashed, a colour for each channel.

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained", sharey=True)
for cluster, ax in enumerate(axes):
    for sequence, style in zip(X[model.labels_ == cluster], ("-", "--"), strict=False):
        ax.plot(time, sequence[:, 0], style, color="C0")
        ax.plot(time, sequence[:, 1], style, color="C1")
    ax.set(title=f"cluster {cluster}", xlabel="time")
axes[0].set_ylabel("both channels")
figure.savefig("backbone_recurrent.png", dpi=120)
print("Picture: backbone_recurrent.png")
