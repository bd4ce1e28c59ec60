"""
=============
Reading a fit
=============

What to look at after a fit, in three pictures: the samples as the network sees them, the counts of
classes in clusters, and the way that training took. The network has learned from the digits images
without their labels, which are read only here, to judge.
"""

# %%
# One fit with the defaults, and ``KMeans`` on the pixels beside it.

from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays import EmbeddingDisplay, PartitionDisplay, TrainingDynamicsDisplay
from sklearn_ddcl.metrics import clustering_accuracy_score

X, y = load_digits(return_X_y=True)
X = X / 16
ddcl = DDCLClustering(10, random_state=0).fit(X)
kmeans = KMeans(10, n_init=10, random_state=0).fit(X)
for name, model in (("KMeans, pixels", kmeans), ("DDCLClustering", ddcl)):
    print(f"{name:<16}ACC {clustering_accuracy_score(y, model.labels_):.3f}")
print(
    f"\nClusters in use: {ddcl.n_active_clusters_}, agreement of restarts: {ddcl.agreement_:.3f}"
)

# %%
# The images in the plane of most variance, coloured by the digit that people saw. Among the pixels
# the digits overlap; among the learned features most lie apart. Where two colours meet in one heap
# on the right, no clustering of these features will tell them apart.

figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, (name, model) in zip(
    axes, {"pixels": kmeans, "learned features": ddcl}.items(), strict=True
):
    EmbeddingDisplay.from_estimator(model, X, labels=y, ax=ax)
    ax.set_title(f"1,797 digits: {name}")
figure.savefig("reading_embedding.png", dpi=120)

# %%
# Counts. A row with two large numbers is a digit that was split, a column with two a cluster that
# mixes digits.

PartitionDisplay.from_estimator(ddcl, X, y=y)

# %%
# The way there: the loss of the warm-up has come to rest, that of the joint phase falls while the
# temperature does ("sharpening"), and in the last epochs few samples change their cluster.

display = TrainingDynamicsDisplay.from_estimator(ddcl, panels=["pretext", "loss", "change"])
print(f"Samples that changed in the last epoch: {100 * ddcl.history_[-1]['label_change']:.1f}%")
print(f"\nPicture: {Path('reading_embedding.png')}")
