"""
==============================
Learning curves of DeepCluster
==============================

``DeepClusterBaseline`` clusters its features by k-means, teaches them the clusters' numbers, and
begins again. It is run from random weights, as the original method, and from a warm-up on
neighbours, the same that ``DDCLClustering`` begins with; with three seeds each, as one fit may
land .1 from the next. The labels are read only after the fits, to compute the scores.
"""

# %%
# Fits that differ in nothing but where the features begin.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ddcl import DeepClusterBaseline
from sklearn_ddcl.metrics import clustering_accuracy_score, normalized_mutual_info_score
from sklearn_ddcl.options import NeighborContrast

X, y = load_digits(return_X_y=True)
X = X / 16
starts = {"cold start": None, "warm-up on neighbours": NeighborContrast(n_steps=500)}
fits = {
    name: [
        DeepClusterBaseline(10, warm_up=warm_up, epochs=20, random_state=seed).fit(X)
        for seed in range(3)
    ]
    for name, warm_up in starts.items()
}
models = {name: runs[0] for name, runs in fits.items()}

# %%
# Means of the three fits. Without labels can be seen how much each partition tells of the one
# before. Partitions that rest are no proof of good ones.

print(f"{'':24}{'ACC':>6}{'NMI':>7}{'NMI to the epoch before':>26}")
for name, runs in fits.items():
    accuracy = np.mean([clustering_accuracy_score(y, model.labels_) for model in runs])
    shared = np.mean([normalized_mutual_info_score(y, model.labels_) for model in runs])
    before = np.mean([model.history_[-1]["nmi_previous"] for model in runs])
    print(f"{name:24}{accuracy:6.3f}{shared:7.3f}{before:26.3f}")

# %%
# Above the curves of the first two fits. The loss does not fall far: every epoch begins with a new
# classifier, and has eight batches. Below their features: on the unit sphere, here seen along two
# principal components, in the colours of the clusters. Twenty directions of whitened features
# matter alike, so two of them show a part only.

figure, axes = plt.subplots(2, 2, figsize=(9, 7.4), layout="constrained")
for (name, model), style in zip(models.items(), ("--", "-"), strict=True):
    turns = [record for record in model.history_ if record["phase"] == "alternation"]
    epochs = np.arange(1, len(turns) + 1)
    axes[0, 0].plot(epochs, [turn["nmi_previous"] for turn in turns], style, label=name)
    axes[0, 1].plot(epochs, [turn["loss_cross_entropy"] for turn in turns], style, label=name)
axes[0, 0].set(title="NMI with the epoch before", xlabel="epoch", ylabel="NMI", ylim=(0.4, 1.03))
axes[0, 1].set(title="Loss of the classifier", xlabel="epoch", ylabel="cross-entropy, nats")
axes[0, 1].set_ylim(bottom=0)
axes[0, 0].legend(loc="lower right")

for ax, (name, model) in zip(axes[1], models.items(), strict=True):
    plane = PCA(2, random_state=0).fit_transform(model.encode(X))
    ax.scatter(*plane.T, c=model.labels_, s=6, cmap="tab10", vmin=-0.5, vmax=9.5)
    accuracy = clustering_accuracy_score(y, model.labels_)
    ax.set(title=f"Features, {name}: ACC {accuracy:.2f}", aspect="equal")
    ax.set(xlabel="principal component 1", ylabel="principal component 2")
path = Path("deep_cluster.png")
figure.savefig(path, dpi=120)
print(f"\nPicture: {path}")
