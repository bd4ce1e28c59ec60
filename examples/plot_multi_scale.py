"""
=====================================
Prototypes at several depths, by hand
=====================================

The formulas of DDCL are functions and layers of ``sklearn_ddcl.nn``, for models that no estimator
covers. Here prototypes hang on two depths of one network (section 6.1 of the DDCL paper): nine on
its early features, for what differs within groups, and three on its late ones, for the groups.
All are trained together, in a loop of plain PyTorch.
"""

# %%
# Three groups of three clusters each, in the first two of ten columns; the others are noise.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import (
    MLP,
    ClusterOutput,
    DualPrototypes,
    MultiScale,
    Objective,
    critical_temperature,
    exact_dual_weights,
    hard_assignments,
    one_hot,
    reconstruction_loss,
    reset_parameters,
    soft_assignments,
    squared_distances,
)
from sklearn_ddcl.options import JointTraining

N, NOISE = 450, 8
rng = np.random.default_rng(0)
fine = rng.integers(9, size=N)
coarse = fine // 3
angle = 2 * np.pi / 3
centres = [
    [
        7 * np.cos(angle * i) + 1.6 * np.cos(angle * j),
        7 * np.sin(angle * i) + 1.6 * np.sin(angle * j),
    ]
    for i in range(3)
    for j in range(3)
]
X = np.c_[np.array(centres)[fine] + rng.normal(0.0, 0.4, size=(N, 2)), rng.normal(size=(N, NOISE))]
x = torch.from_numpy(X).float()

# %%
# The network: two stages, with a head on each that gives its features. Decoders keep the features
# from shrinking to a point, which would make every quantization loss zero.

generator = torch.Generator().manual_seed(0)
network = MultiScale(
    stages=[nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU()), nn.Linear(64, 32)],
    heads=[nn.Linear(64, 6), nn.Sequential(nn.ReLU(), nn.Linear(32, 2))],
)
reset_parameters(network, generator)
decoders = nn.ModuleList(MLP(d, x.shape[1], (64,), generator=generator) for d in (6, 2))


def reconstruction():
    """Return the mean error of the samples made again from the features of each depth."""
    losses = [
        reconstruction_loss(x, decode(z)) for z, decode in zip(network(x), decoders, strict=True)
    ]
    return sum(losses) / x.var(dim=0).mean()


warm = torch.optim.Adam([*network.parameters(), *decoders.parameters()], lr=5e-3)
for _ in range(150):
    warm.zero_grad()
    reconstruction().backward()
    warm.step()

# %%
# A dual layer for each depth: its prototypes are combinations of that depth's features. Its first
# weights make each prototype the mean of a cluster that the estimator finds in these features.

layers = nn.ModuleList()
with torch.no_grad():
    features = network(x)
    critical = [float(critical_temperature(z)) for z in features]
    spread = [float(z.var(dim=0).sum()) for z in features]
    for z, k in zip(features, (9, 3), strict=True):
        layer = DualPrototypes(len(x), k)
        found = DDCLClustering(k, backbone=None, device="cpu", random_state=0).fit_predict(
            z.numpy()
        )
        layer.weight.copy_(exact_dual_weights(one_hot(torch.from_numpy(found).long(), k).float()))
        layers.append(layer)

# %%
# The joint loss: at each depth the soft quantization loss in units of the features' variance, and
# the reconstruction. The temperature falls from a twentieth of the critical one, low enough for
# the prototypes of a group to stay apart. After every step of the network the dual weights are set
# to the best ones for the present assignments, which are known in closed form.

objective = Objective()
joint = torch.optim.Adam([*network.parameters(), *decoders.parameters()], lr=1e-3)
losses = []
for step in range(100):
    share = 0.05 * 0.2 ** (step / 100)
    joint.zero_grad()
    outputs = []
    for z, layer, unit in zip(network(x), layers, critical, strict=True):
        prototypes = layer(z)
        distances = squared_distances(z, prototypes)
        q = soft_assignments(distances, share * unit)
        outputs.append(ClusterOutput(z, prototypes, distances, q, share * unit))
    terms = [
        objective(output).total / scale for output, scale in zip(outputs, spread, strict=True)
    ]
    (0.1 * sum(terms) + reconstruction()).backward()
    joint.step()
    with torch.no_grad():
        for output, layer in zip(outputs, layers, strict=True):
            layer.weight.copy_(exact_dual_weights(output.assignments))
    losses.append([float(term.detach()) for term in terms])

labels = [hard_assignments(output.distances).numpy() for output in outputs]
print(f"Lq at both depths: {losses[0][0]:.3f}, {losses[0][1]:.3f} at first, "
      f"{losses[-1][0]:.3f}, {losses[-1][1]:.3f} at last")  # fmt: skip
for title, k, classes, found in (("early", 9, fine, labels[0]), ("late", 3, coarse, labels[1])):
    raw = KMeans(k, n_init=10, random_state=0).fit_predict(X)
    print(
        f"{title:<6}{k} prototypes: ACC {clustering_accuracy_score(classes, found):.3f}, "
        f"KMeans on values {clustering_accuracy_score(classes, raw):.3f}"
    )

# %%
# One depth of the trained network is a backbone like any other. The estimator trains a copy.


class Depth(nn.Module):
    """Features of one depth of a `MultiScale`."""

    def __init__(self, network, depth):
        super().__init__()
        self.network = network
        self.depth = depth

    def forward(self, x):
        """Return one vector a sample."""
        return self.network(x)[self.depth]


model = DDCLClustering(
    9,
    backbone=Depth(network, 0),
    warm_up="autoencoder",
    training=JointTraining(epochs=5),
    device="cpu",
    random_state=0,
)
model.set_params(warm_up__n_steps=50).fit(X.astype(np.float32))
accuracy = clustering_accuracy_score(fine, model.predict(X.astype(np.float32)))
print(f"DDCLClustering on the early features: ACC {accuracy:.3f}, {model.encode(X).shape[1]} wide")

# %%
# Clusters of both depths, in the two columns that matter.

figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
for ax, title, found in zip(
    axes, ("early: 9 prototypes", "late: 3 prototypes"), labels, strict=True
):
    ax.scatter(*X[:, :2].T, c=found, cmap="tab10", s=8)
    ax.set(title=title, xticks=[], yticks=[], aspect="equal")
figure.savefig("multi_scale.png", dpi=120)
print("Picture: multi_scale.png")
