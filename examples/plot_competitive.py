"""
===================================
Competitive layers and their graphs
===================================

A spiral, two moons, two circles. ``CompetitiveClustering`` gets 30 prototypes and no number of
clusters: it finds what hangs together. Below, the quantisation error of the vanilla and of the
dual layer while they learn, as in Fig. 3 of "Gradient-based competitive learning: theory", and how
many edges are left when the graph has a gradient and when it has none.
"""

# %%
# The data, centred and of variance 1.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import CompetitiveClustering
from sklearn_ddcl.datasets import make_archimedean_spiral
from sklearn_ddcl.displays import TopologyDisplay

shapes = {
    "spiral": make_archimedean_spiral(500, noise=0.02, random_state=0),
    "moons": make_moons(500, noise=0.05, random_state=0),
    "circles": make_circles(500, noise=0.05, factor=0.5, random_state=0),
}
shapes = {name: (StandardScaler().fit_transform(X), y) for name, (X, y) in shapes.items()}
seeds, epochs = range(3), 400

# %%
# Four ways to learn. The paper begins at random weights, with a rate for each layer that it found
# by grid search: they move a coordinate by 0.008 and by about 0.3 a step, which is 0.09 and 3.5
# times the distance of a sample to its prototype. That, and that the dual layer's prototypes begin
# spread as the data are, is why its error falls faster. On whitened data, at one rate and from
# one start, the two layers are the same (Theorem 1). The third way differs from the second by the
# gradient of the graph alone.

paper = {"init": "random", "topology": "literal", "min_edge_share": 0}
ways = {
    "vanilla, as in the paper": {**paper, "layer": "vanilla", "learning_rate": 0.09},
    "dual, as in the paper": {**paper, "layer": "dual", "learning_rate": 3.5},
    "dual, the same, soft graph": {"init": "random", "learning_rate": 3.5},
    "dual, defaults": {},
}


def fit(X, options):
    """Fit once for each seed."""
    return [
        CompetitiveClustering(30, epochs=epochs, random_state=seed, **options).fit(X)
        for seed in seeds
    ]


models = {
    name: {way: fit(X, options) for way, options in ways.items()}
    for name, (X, _) in shapes.items()
}

# %%
# How many fits find the shapes exactly: an adjusted Rand index of 1 with the truth, which the fits
# have not seen.

print(f"Fits of {len(seeds)} whose components are the true shapes, and mean error Q at the end\n")
print(f"{'':<26}" + "".join(f"{name:>17}" for name in shapes))
for way in ways:
    cells = []
    for name, (X, y) in shapes.items():
        right = sum(adjusted_rand_score(y, m.labels_) == 1 for m in models[name][way])
        error = np.mean([m.inertia_ / len(X) for m in models[name][way]])
        cells.append(f"{right} of {len(seeds)}, {error:.4f}")
    print(f"{way:<26}" + "".join(f"{cell:>17}" for cell in cells))

# %%
# The picture: graphs of the defaults, errors (mean and range over seeds), and edges.

figure, axes = plt.subplots(3, 3, figsize=(11, 10.5), layout="constrained")
colours = ("tab:blue", "tab:orange", "tab:green", "black")
times = np.arange(1, epochs + 1)
for (top, middle, bottom), (name, (X, _)) in zip(axes.T, shapes.items(), strict=True):
    model = models[name]["dual, defaults"][0]
    TopologyDisplay.from_estimator(model, X, ax=top)
    top.get_legend().remove()
    top.set(title=f"{name}: {model.n_components_} found", aspect=1)
    for way, colour in zip(ways, colours, strict=True):
        for ax, key in ((middle, "loss_quantization"), (bottom, "n_edges")):
            curves = np.array([[r[key] for r in m.history_] for m in models[name][way]])
            low, high = curves.min(axis=0), curves.max(axis=0)
            ax.plot(times, curves.mean(axis=0), color=colour, label=way)
            ax.fill_between(times, low, high, color=colour, alpha=0.15, lw=0)
    middle.set(xlabel="epoch", ylabel="quantisation error Q", xscale="log", yscale="log")
    middle.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2]))
    middle.yaxis.set_major_formatter("{x:g}")
    middle.yaxis.set_minor_locator(NullLocator())
    bottom.set(xlabel="epoch", ylabel="edges", xscale="log")
figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
path = Path("competitive_layers.png")
figure.savefig(path, dpi=100)
print(f"\nPicture: {path}")
