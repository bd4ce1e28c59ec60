"""
=========================================
Digits: DDCLClustering beside KMeans
=========================================

KMeans and DDCLClustering cluster the 1,797 images of scikit-learn's digits (8 x 8 pixels) into ten
clusters: DDCL with its defaults, which learn features first, and on the raw pixels as KMeans does.
The labels are read only afterwards, to compute the scores; no fit sees them. ``make demo`` runs
this script.
"""

# %%
# The data, with grey levels from 0 to 1.

import time
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays import PrototypeDisplay
from sklearn_ddcl.metrics import (
    adjusted_rand_score,
    clustering_accuracy_score,
    normalized_mutual_info_score,
)

X, y = load_digits(return_X_y=True)
X = X / 16
estimators = {
    "DDCLClustering(10)": DDCLClustering(10, random_state=0),
    "DDCLClustering(10, backbone=None)": DDCLClustering(10, backbone=None, random_state=0),
    "KMeans(10, n_init=10)": KMeans(10, n_init=10, random_state=0),
}

# %%
# Fit each. The seed is fixed, so that a fit gives the same clusters every time. The two that take
# milliseconds are fitted once to warm up, then five times for the median.

seconds = {}
for name, estimator in estimators.items():
    times = []
    while not times or (sum(times) < 1 and len(times) < 6):
        start = time.perf_counter()
        estimator.fit(X)
        times.append(time.perf_counter() - start)
    seconds[name] = np.median(times[1:] or times)

# %%
# ACC, NMI and ARI compare the clusters with the digits that people saw (1 is best).

print(f"Digits: {X.shape[0]} images of 8 x 8 pixels, 10 clusters, no labels in any fit\n")
print(f"{'':<35}{'ACC':>7}{'NMI':>7}{'ARI':>7}{'seconds':>9}")
for name, estimator in estimators.items():
    scores = (
        clustering_accuracy_score(y, estimator.labels_),
        normalized_mutual_info_score(y, estimator.labels_),
        adjusted_rand_score(y, estimator.labels_),
    )
    figures = "".join(f"{score:>7.3f}" for score in scores)
    print(f"{name:<35}{figures}{seconds[name]:>9.3f}")

# %%
# What the figures say, computed from them.

learned, given, kmeans = estimators.values()
rights = [round(len(y) * clustering_accuracy_score(y, e.labels_)) for e in (learned, kmeans)]
print(
    f"\nOf {len(y)} images, {rights[0]} are in the cluster of their digit with learned features\n"
    f"and {rights[1]} with KMeans on pixels. On the same pixels DDCL minimises what KMeans\n"
    f"minimises: its inertia is {given.inertia_ / kmeans.inertia_:.5f} times that of KMeans."
)

# %%
# The mean image of each cluster, titled with the size of the cluster and with the digit that it
# was matched to.

means = np.stack([X[learned.labels_ == cluster].mean(axis=0) for cluster in range(10)])
display = PrototypeDisplay.from_prototypes(
    means, X=X, labels=learned.labels_, y=y, image_shape=(8, 8)
)
picture = Path("demo_prototypes.png").resolve()
display.figure_.savefig(picture, dpi=150)
print(f"\nPicture of the ten clusters' mean images: {picture}")
