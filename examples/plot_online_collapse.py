"""
=====================================
Collapse, and what prevents it
=====================================

Encoder and prototypes that are trained together have a way out: put all samples onto one
prototype, where no distance is left. A partition support closes it. Here are the same network and
seed without one, with a penalty on soft assignments, and with combination assignment, the default
of `OnlineDeepClustering`.
"""

# %%
# Handwritten digits, 1,797 images of 8 x 8. What should be even is how many samples each prototype
# is the nearest of: the hard assignments, by which `predict` goes.

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklearn_ddcl import OnlineDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import cluster_size_variance, clustering_accuracy_score

X, y = load_digits(return_X_y=True)
k = 10
supports = {
    "no support": None,
    "sum of squares": "sum_of_squares",
    "combination assignment": "combination",
}

# %%
# Each fit takes a few seconds. A collapse is not silent: it raises a `CollapseWarning`, which says
# what to choose, and ``history_`` has the variance of the clusters' sizes after every epoch.

models = {}
print(f"{k} clusters, {len(X):,} digits\n")
print(f"{'support':<24}{'clusters':>8}{'CVar':>9}{'hard':>7}{'soft':>7}{'ACC':>8}")
for name, support in supports.items():
    model = OnlineDeepClustering(
        k, partition_support=support, epochs=60, random_state=0, device="cpu"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        models[name] = model.fit(X)
    last = model.history_[-1]
    print(
        f"{name:<24}{model.n_active_clusters_:>8}{cluster_size_variance(model.labels_, k):>9.1f}"
        f"{last['hard_entropy']:>7.2f}{last['soft_entropy']:>7.2f}"
        f"{clustering_accuracy_score(y, model.labels_):>8.3f}"
    )
print(f"\nEntropies in bits; even clusters have {np.log2(k):.2f} of them and a CVar of 0.")

# %%
# On the left the sizes of the clusters, the largest first; on the right how uneven they were while
# the network learned.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
width = 0.8 / len(models)
for number, (name, model) in enumerate(models.items()):
    sizes = np.bincount(model.labels_, minlength=k)
    left.bar(np.arange(k) + (number - 1) * width, sizes, width, label=name)
    uneven = [record["cluster_size_variance"] for record in model.history_]
    right.plot(np.arange(1, len(uneven) + 1), np.maximum(uneven, 0.05), label=name)
left.axhline(len(X) / k, color="black", linewidth=1, linestyle=":", label="equal sizes")
left.set(title="Sizes of the clusters", xlabel="cluster", ylabel="samples", xticks=range(k))
left.legend(fontsize="small")
right.set(title="CVar", xlabel="epoch", ylabel="variance of sizes / mean size", yscale="log")
right.legend(fontsize="small")
path = Path("online_collapse.png")
figure.savefig(path, dpi=120)
print(f"\nPicture: {path}")
