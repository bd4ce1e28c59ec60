"""Online deep clustering: five partition supports on the paper's net, and what a step costs.

The net, optimiser and measures are those of Mahon and Lukasiewicz (AAAI 2024): two convolutions
(6 and 16 filters), a linear layer to 128 features, Adam at 1e-3 with betas 0.9 and 0.99, batches
of 256; ACC, NMI, ARI and CVar as in their Table 1, entropies and variances as in Table 2. The
first five rows have the defaults of this package; "as written" are the greedy Algorithm 1, and
the rivals as formulas state them, with weights of 1 beside plain squared distances, and three
rounds of Sinkhorn-Knopp. The number of epochs is the estimator's: no labels choose anything.
"""

import statistics
import time
import warnings

import numpy as np
import torch
from reports import column, describe, describe_later, holds, names, scores, simple_table
from sklearn.datasets import load_digits
from torch import nn

from sklearn_ddcl import DDCLClustering, OnlineDeepClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import assignment_entropy, cluster_size_variance
from sklearn_ddcl.nn import VanillaPrototypes, squared_distances
from sklearn_ddcl.options import (
    CombinationAssignment,
    JointTraining,
    MarginalEntropy,
    SinkhornAssignment,
    SumOfSquares,
)

SEEDS = (0, 1, 2, 3, 4)
SETS = {"mnist10k": "the last 10,000 images of MNIST", "cifar10": "10,000 images of CIFAR-10"}
METHODS = {
    "combination": ("combination assignment", "combination"),
    "sinkhorn": ("Sinkhorn-Knopp", "sinkhorn"),
    "entropy": ("marginal entropy", "entropy"),
    "sum_of_squares": ("sum of squares", "sum_of_squares"),
    "none": ("no support", None),
    "greedy": ("combination assignment, as written", CombinationAssignment(refine=False)),
    "sinkhorn 3": ("Sinkhorn-Knopp, as written", SinkhornAssignment(max_iter=3)),
    "entropy 1": ("marginal entropy, as written", MarginalEntropy(1.0, relative=False)),
    "squares 1": ("sum of squares, as written", SumOfSquares(1.0, relative=False)),
}
DDCL = {
    "cold": ("no warm-up", {"warm_up": None}),
    "warm": ("warm-up", {}),
}
FIVE = ("combination", "sinkhorn", "entropy", "sum_of_squares", "none")
WRITTEN = ("greedy", "sinkhorn 3", "entropy 1", "squares 1", "none")
BATCH, LATENT, REPEATS = 256, 128, 25
LIMITS = {10: 0.1, 100: 0.25}


class PaperNet(nn.Module):
    """Two convolutions with ReLU and pooling, and a linear layer.

    Parameters
    ----------
    shape : tuple of int
        Height, width and channels of an image.
    """

    def __init__(self, shape):
        super().__init__()
        height, width, channels = shape
        cells = ((height - 4) // 2 - 4) // 2 * (((width - 4) // 2 - 4) // 2)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * cells, LATENT),
        )  # fmt: skip

    def forward(self, x):
        """Return features of images (n, height, width, channels)."""
        return self.layers(x.permute(0, 3, 1, 2))


def run(
    load_images, sets=tuple(SETS), seeds=SEEDS, *, methods=tuple(METHODS), epochs=None,
    report=print,
):  # fmt: skip
    """Fit every support for each seed, the supports taking turns.

    Parameters
    ----------
    load_images : callable
        `datasets.load_images`, or a function like it.
    sets : sequence of str
        Keys of ``SETS``.
    seeds : sequence of int
        Seeds.
    methods : sequence of str
        Keys of ``METHODS``.
    epochs : int or None
        Passes; None leaves them to the estimator.
    report : callable
        Called with a line for each fit.

    Returns
    -------
    list of dict
        Figures of each fit.
    """
    runs = []
    for name in sets:
        X, y = load_images(name)
        for seed in seeds:
            for method in methods:
                runs.append({"set": name, "seed": seed, **fit(X, y, method, seed, epochs)})
                row = runs[-1]
                report(
                    f"{name} {method} seed {seed}: ACC {row['acc']:.3f} CVar {row['cvar']:.1f} "
                    f"{row['seconds']:.1f} s"
                )
    return runs


def fit(X, y, method, seed, epochs):
    """Fit once, and return the figures."""
    model = OnlineDeepClustering(
        int(y.max()) + 1,
        partition_support=METHODS[method][1],
        backbone=PaperNet,
        batch_size=BATCH,
        epochs=epochs,
        random_state=seed,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # it is what is measured
        model.fit(X)
    seconds = time.perf_counter() - start
    k, soft = model.n_clusters, model.predict_proba(X)
    soft = np.pad(soft, ((0, 0), (0, k - soft.shape[1])))
    soft = soft / soft.sum(axis=1, keepdims=True)
    return {
        "method": method,
        **scores(y, model.labels_),
        "cvar": cluster_size_variance(model.labels_, k),
        "soft_variance": cluster_size_variance(soft, kind="soft"),
        "hard_entropy": assignment_entropy(model.labels_),
        "soft_entropy": assignment_entropy(soft, kind="soft"),
        "epochs": model.n_iter_,
        "seconds": seconds,
    }


def joint_runs(seeds=(0, 1, 2), epochs=50):
    """Train DDCL's Lq on digits with and without combination assignment.

    Parameters
    ----------
    seeds : sequence of int
        Seeds.
    epochs : int
        Of the joint phase.

    Returns
    -------
    list of dict
        Figures of each fit: one prototype a cluster, and none revived.
    """
    X, y = load_digits(return_X_y=True)
    runs = []
    for start, (_, parameters) in DDCL.items():
        for support in ("none", "combination"):
            training = JointTraining(
                epochs=epochs,
                objective_weight=1.0,
                revive=False,
                patience=None,
                partition_support=METHODS[support][1],
            )
            for seed in seeds:
                model = DDCLClustering(
                    10,
                    prototypes_per_cluster=1,
                    training=training,
                    random_state=seed,
                    **parameters,
                )
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", CollapseWarning)
                    model.fit(X / 16)
                runs.append(
                    {
                        **{"start": start, "support": support, "seed": seed},
                        **scores(y, model.labels_),
                        "cvar": cluster_size_variance(model.labels_, 10),
                    }
                )
    return runs


def joint_table(runs):
    """Return the figures of DDCL's Lq as RST."""
    rows = []
    for start in names(runs, "start"):
        for support in names(runs, "support"):
            found = {k: column(runs, k, start=start, support=support) for k in ("acc", "cvar")}
            told = f"{DDCL[start][0]}, {METHODS[support][0]}"
            acc, cvar = found["acc"], found["cvar"]
            rows.append(
                (told, f"{acc.mean():.3f} ({acc.std():.3f})", f"{cvar.mean():.1f}",
                 f"{cvar.max():.1f}")
            )  # fmt: skip
    return simple_table(("DDCL's Lq, digits", "ACC", "CVar", "largest CVar"), rows)


def step_times(ks=tuple(LIMITS), repeats=REPEATS):
    """Time combination assignment beside forward and backward pass, in turns.

    Parameters
    ----------
    ks : sequence of int
        Numbers of clusters.
    repeats : int
        Of each, of which medians are taken.

    Returns
    -------
    list of dict
        Milliseconds and their ratio for each k.
    """
    torch.manual_seed(0)
    net, x = PaperNet((28, 28, 1)), torch.randn(BATCH, 28, 28, 1)
    support, rows = CombinationAssignment(), []
    for k in ks:
        layer = VanillaPrototypes(k, LATENT)
        spent = {"pass": [], "assignment": []}
        for _ in range(repeats):
            start = time.perf_counter()
            distances = squared_distances(net(x), layer())
            distances.amin(dim=1).mean().backward()
            middle = time.perf_counter()
            support.targets(distances.detach())
            spent["assignment"].append(time.perf_counter() - middle)
            spent["pass"].append(middle - start)
        medians = {key: 1e3 * statistics.median(values) for key, values in spent.items()}
        rows.append({"k": k, **medians, "ratio": medians["assignment"] / medians["pass"]})
    return rows


def ordered(runs):
    """Return runs in the order of sets, seeds and methods, however they were measured."""
    order = list(SETS), list(METHODS)
    return sorted(
        runs,
        key=lambda row: (
            order[0].index(row["set"]), row["seed"], order[1].index(row["method"])
        ),
    )  # fmt: skip


def tables(runs, joint, times, about, later=()):
    """Return one table a set, that of DDCL, the times, and what must hold."""
    header = ("support", "ACC", "NMI", "ARI", "CVar", "soft variance", "hard entropy",
              "soft entropy", "clusters", "seconds")  # fmt: skip
    parts = []
    for name in names(runs, "set"):
        rows = [(METHODS[m][0], *cells(runs, name, m)) for m in names(runs, "method")]
        parts.append(f"{SETS.get(name, name)}:\n\n{simple_table(header, rows)}")
    parts.append(joint_table(joint))
    costs = [
        (row["k"], f"{row['pass']:.2f}", f"{row['assignment']:.2f}", f"{row['ratio']:.3f}")
        for row in times
    ]
    columns = ("k", "forward + backward, ms", "combination assignment, ms", "ratio")
    parts.append(simple_table(columns, costs))
    parts.append(simple_table(("measure", "aim", "measured", "holds"), aims(runs, times)))
    seeds = " and ".join(
        dict.fromkeys(
            str(tuple(names([row for row in runs if row["set"] == name], "seed")))
            for name in names(runs, "set")
        )
    )
    epochs = ", ".join(str(count) for count in names(runs, "epochs"))
    caption = (
        f"{describe(about)} Means over seeds {seeds}, with standard deviations; {epochs} epochs, "
        "batches of 256, Adam at 1e-3. NMI with the arithmetic mean. Entropies in bits."
    )
    parts.append(" ".join([caption, *map(describe_later, later)]))
    return "\n\n".join(parts)


def cells(runs, name, method):
    """Return a row's figures."""
    found = []
    for key, digits in (
        ("acc", 3), ("nmi", 3), ("ari", 3), ("cvar", 1), ("soft_variance", 1),
        ("hard_entropy", 2), ("soft_entropy", 2), ("clusters", 1), ("seconds", 1),
    ):  # fmt: skip
        values = column(runs, key, set=name, method=method)
        spread = f" ({values.std():.{digits}f})" if key in ("acc", "cvar") else ""
        found.append(f"{values.mean():.{digits}f}{spread}")
    return found


def aims(runs, times):
    """Return what should hold, and whether it does."""
    rows = []
    for name in names(runs, "set"):
        for rivals, told in ((FIVE, "defaults"), (WRITTEN, "as written")):
            for key, best, kind in (("acc", max, "highest"), ("cvar", min, "lowest")):
                means = {m: column(runs, key, set=name, method=m).mean() for m in rivals}
                own = means.pop(rivals[0])
                other = best(means.values())
                label = f"{key} of combination, {name}, {told}"
                aim = f"{kind}, others {other:.3f}"
                rows.append((label, aim, f"{own:.3f}", holds(best(own, other) == own)))
    if "mnist10k" in names(runs, "set"):
        own = column(runs, "acc", set="mnist10k", method="combination").min()
        rows.append(("its acc, mnist10k, worst seed", "> 0.45", f"{own:.3f}", holds(own > 0.45)))
    for row in times:
        limit, ratio = LIMITS[row["k"]], row["ratio"]
        rows.append(
            (f"its step, k = {row['k']}", f"<= {limit}", f"{ratio:.3f}", holds(ratio <= limit))
        )
    return rows
