"""
=========================================
Digits: DDCLClustering beside KMeans
=========================================

Both estimators cluster the 1,797 images of scikit-learn's digits (8 x 8 pixels) into ten
clusters. The labels are read only afterwards, to compute the scores; the fit never sees them.
``make demo`` runs this script.
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
    "KMeans(10, n_init=10)": KMeans(10, n_init=10, random_state=0),
}

# %%
# Fit each once to warm up, then five times for the median of the times. The seed is fixed, so
# that all fits of one estimator give the same clusters.

RUNS = 5
median = {}
for name, estimator in estimators.items():
    estimator.fit(X)
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        estimator.fit(X)
        seconds.append(time.perf_counter() - start)
    median[name] = np.median(seconds)

# %%
# ACC, NMI and ARI compare the clusters with the digits that people saw (1 is best). The inertia
# is the sum of squared distances to the nearest prototype, the quantity that both minimise.

print(f"Digits: {X.shape[0]} images of 8 x 8 pixels, {len(estimators)} estimators, 10 clusters\n")
print(f"{'':<23}{'ACC':>7}{'NMI':>7}{'ARI':>7}{'inertia':>10}{'seconds':>9}")
for name, estimator in estimators.items():
    scores = (
        clustering_accuracy_score(y, estimator.labels_),
        normalized_mutual_info_score(y, estimator.labels_),
        adjusted_rand_score(y, estimator.labels_),
    )
    figures = "".join(f"{score:>7.3f}" for score in scores)
    print(f"{name:<23}{figures}{estimator.inertia_:>10.1f}{median[name]:>9.3f}")

# %%
# What the figures say, computed from them.

ddcl, kmeans = estimators
gap = 100 * (estimators[ddcl].inertia_ / estimators[kmeans].inertia_ - 1)
relation = f"{abs(gap):.2f} % {'above' if gap > 0 else 'below'}"
if abs(gap) < 0.01:
    relation = "within 0.01 % of"
print(
    f"\nSeconds are the median of {RUNS} fits after a warm-up.\n"
    "On raw pixels both estimators minimise the same quantity, the inertia, so the clusters and\n"
    f"the scores are nearly the same. Here the inertia of DDCL is {relation} that of KMeans,\n"
    f"reached in {median[ddcl] / median[kmeans]:.2f} times its time. ACC says how well ten round "
    "clusters fit ten digits."
)

# %%
# The prototypes are means of images, so they can be looked at. Each is titled with the size of
# its cluster and with the digit that it was matched to.

display = PrototypeDisplay.from_estimator(estimators[ddcl], X, y, image_shape=(8, 8))
picture = Path("demo_prototypes.png").resolve()
display.figure_.savefig(picture, dpi=150)
print(f"\nPicture of the ten prototypes: {picture}")
