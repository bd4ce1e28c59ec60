"""
===========================
Following a drifting stream
===========================

A stream of 20,000 samples: ten classes whose means move, four of which appear late and four of
which vanish early. ``IncrementalDDCL`` sees each batch once. With ``decay`` it forgets, and its
prototypes go with the classes; without, they stay where most samples ever were. The labels are
read only to compute the scores.
"""

# %%
# The stream, in batches of 50. Its last 2,000 samples hold six classes.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.cluster import KMeans, MiniBatchKMeans

from sklearn_ddcl import IncrementalDDCL
from sklearn_ddcl.datasets import make_drifting_stream
from sklearn_ddcl.metrics import clustering_accuracy_score

X, y = make_drifting_stream(20_000, n_features=2, separation=8.0, speed=16.0, random_state=7)
size, last = 50, slice(-2_000, None)
k = len(np.unique(y[last]))
models = {
    "IncrementalDDCL, decay=0.001": IncrementalDDCL(k, decay=0.001, random_state=0),
    "IncrementalDDCL, no decay": IncrementalDDCL(k, random_state=0),
    "MiniBatchKMeans": MiniBatchKMeans(k, random_state=0),
}

# %%
# One pass. Before a batch is learned it is predicted, which is what a stream is judged by.

ways = {name: [] for name in models}
scores = {name: [] for name in models}
for start in range(0, len(X), size):
    batch = X[start : start + size]
    for name, model in models.items():
        if start >= 1_000 and start % 1_000 == 0:
            recent = slice(start - 1_000, start)
            scores[name].append(clustering_accuracy_score(y[recent], model.predict(X[recent])))
            ways[name].append(model.cluster_centers_.copy())
        model.partial_fit(batch)

# %%
# ACC on the last samples, beside a model that has seen nothing else.

alone = KMeans(k, n_init=10, random_state=0).fit(X[last])
print(f"ACC on the last {len(y[last]):,} of {len(y):,} samples, {k} classes\n")
print(f"{'KMeans on these alone':<32}{clustering_accuracy_score(y[last], alone.labels_):.3f}")
for name, model in models.items():
    accuracy = clustering_accuracy_score(y[last], model.predict(X[last]))
    print(f"{name:<32}{accuracy:.3f}")

# %%
# ``history_`` says when something happened: a jump of the loss, or a prototype that was moved to
# where it does more good.

records = models["IncrementalDDCL, decay=0.001"].history_
moved = [record["n_samples"] for record in records if record["n_revived"]]
late = [f"{n:,}" for n in moved if n > 6_000]
print(f"\nPrototypes were moved {len(moved)} times, of these after {', '.join(late)} samples.")

# %%
# On the left the samples, early ones light, and the way of each prototype; on the right the ACC on
# the 1,000 samples before. In the middle of the stream there are more classes than the six
# clusters, so that no method can reach 1 there.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
greys = ListedColormap(plt.get_cmap("Greys")(np.linspace(0.2, 1, 256)))
shades = left.scatter(*X[::10].T, c=np.arange(0, len(X), 10), s=3, cmap=greys)
figure.colorbar(shades, ax=left, label="place in the stream")
for name, colour in zip(models, ("tab:blue", "tab:orange"), strict=False):
    centers = models[name].cluster_centers_
    left.plot(*centers.T, "o", color=colour, markersize=8, markeredgecolor="white", label=name)
for way in np.swapaxes(ways["IncrementalDDCL, decay=0.001"], 0, 1):
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    way = np.insert(way, np.flatnonzero(steps > 5) + 1, np.nan, axis=0)  # a jump is no way
    left.plot(*way.T, color="tab:blue", linewidth=1)
left.set(title="Samples, and prototypes at the end", xlabel="feature 1", ylabel="feature 2")
left.legend(loc="best", fontsize="small")
times = np.arange(1_000, len(X), 1_000)
for (name, values), style in zip(scores.items(), ("-", "--", ":"), strict=True):
    right.plot(times, values, style, label=name)
right.set(
    title="ACC on the last 1,000 samples", xlabel="samples seen", ylabel="ACC", ylim=(0, 1.03)
)
right.legend(loc="lower left", fontsize="small")
path = Path("drifting_stream.png")
figure.savefig(path, dpi=120)
print(f"\nPicture: {path}")
