"""Block 5 of the DDCL paper on digits: Lq against L_OLS and DeepCluster, end to end.

Run by ``make bench``; alone: ``python benchmarks/run.py --only block5 [--seeds 0 1 2]``.

As in section 7.5: an MLP 64-256-128-32 with batch normalization and ReLU; 50 epochs of SimCLR on
Gaussian-augmented views with an autoencoder of weight 0.5 beside it; then 300 joint epochs, one
prototype a cluster, temperatures from 2 to 0.5 with a time constant of 80 epochs. The joint phase
has the clustering loss alone: no pretext task, and not the paper's separation term, so that what
differs between the two rows is the loss. DeepCluster (section 3.1) has the same backbone,
epochs, batches and rate; its k-means sees whitened features on the sphere, with ten starts.
"""

import functools
import time
import warnings

import torch
from reports import column, describe, names, scores, simple_table
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_ddcl import DDCLClustering, DeepClusterBaseline
from sklearn_ddcl.exceptions import CollapseWarning, StabilityWarning
from sklearn_ddcl.nn import MLP
from sklearn_ddcl.options import JointTraining, SimCLR

K, WIDTH, BATCH, RATE, WARM_EPOCHS, EPOCHS = 10, 32, 256, 1e-3, 50, 300
BAR = 1.65  # ACC(Lq) over ACC(L_OLS) in the paper's Table 8
PAPER = {"DDCL, Lq": 0.378, "DDCL, L_OLS": 0.229, "DeepCluster": 0.170, "PCA, KMeans": 0.595}

make_backbone = functools.partial(
    MLP, n_outputs=WIDTH, hidden=(256, 128), normalization=nn.BatchNorm1d
)


def warm_up(X, seed):
    """Return a fitted warm-up, which every method copies."""
    steps = WARM_EPOCHS * -(-len(X) // BATCH)
    warm = SimCLR(autoencoder_weight=0.5, n_steps=steps, batch_size=BATCH, learning_rate=RATE)
    return warm.fit(X, make_backbone, n_clusters=K, device="cpu", seed=seed)


def ddcl(X, warm, loss, epochs, seed):
    """Return the labels of the end-to-end fit with a loss."""
    training = JointTraining(
        epochs=epochs,
        batch_size=BATCH,
        learning_rate=RATE,
        stop_gradient=False,  # with it both losses have the same gradient (Proposition 4)
        pretext_weight=0.0,
        objective_weight=1.0,
        gradient_clip=None,
        patience=None,
        revive=False,
    )
    model = DDCLClustering(
        K,
        backbone=make_backbone,
        warm_up=warm,
        prototypes_per_cluster=1,
        loss=loss,
        temperature="paper",
        training=training,
        device="cpu",
        random_state=seed,
    )
    return model.fit(X).labels_


def deep_cluster(X, warm, epochs, seed):
    """Return the labels of the baseline, from a fitted warm-up or, for None, from the start."""
    model = DeepClusterBaseline(
        K,
        backbone=make_backbone,
        warm_up=warm,
        epochs=epochs,
        n_init=10,
        n_components=WIDTH,
        batch_size=BATCH,
        learning_rate=RATE,
        device="cpu",
        random_state=seed,
    )
    return model.fit(X).labels_


def methods(X, seed, epochs):
    """Return by name the functions to compare, which give labels."""
    warm = warm_up(X, seed)
    reduced = functools.partial(PCA(20, random_state=seed).fit_transform, X)
    kmeans = KMeans(K, n_init=10, random_state=seed)
    return {
        "DDCL, Lq": lambda: ddcl(X, warm, "quantization", epochs, seed),
        "DDCL, L_OLS": lambda: ddcl(X, warm, "ols", epochs, seed),
        "DeepCluster": lambda: deep_cluster(X, None, epochs, seed),
        "DeepCluster, warm": lambda: deep_cluster(X, warm, epochs, seed),
        "warm start, KMeans": lambda: kmeans.fit_predict(encode(warm.backbone_, X)),
        "PCA, KMeans": lambda: kmeans.fit_predict(reduced()),
    }


@torch.no_grad()
def encode(backbone, X):
    """Return the features of the samples."""
    return backbone(torch.from_numpy(X)).numpy()


def run(seeds=(0, 1, 2), epochs=EPOCHS, report=print):
    """Run all methods for each seed, in turns.

    Parameters
    ----------
    seeds : sequence of int
        Seeds.
    epochs : int
        Joint epochs, and turns of DeepCluster.
    report : callable
        Receives a line of text for each run.

    Returns
    -------
    list of dict
        Method, seed, ACC, NMI, ARI and seconds (of what comes after the warm-up) of each run.
    """
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    runs = []
    for seed in seeds:
        for name, cluster in methods(X, seed, epochs).items():
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CollapseWarning)
                warnings.simplefilter("ignore", StabilityWarning)
                labels = cluster()
            seconds = time.perf_counter() - start
            row = {"method": name, "seed": seed, **scores(y, labels, "geometric")}
            runs.append({**row, "seconds": seconds})
            report(f"{name:20s} seed {seed}  ACC {row['acc']:.3f}  NMI {row['nmi']:.3f}  "
                   f"{row['clusters']} clusters  {seconds:.1f} s")  # fmt: skip
    return runs


def table(runs, about):
    """Return the table, the ratios and the circumstances as RST.

    Parameters
    ----------
    runs : list of dict
        As returned by `run`.
    about : dict
        Circumstances.

    Returns
    -------
    str
        Means and standard deviations over seeds, as in the paper's Table 8.
    """

    def cell(method, key):
        values = column(runs, key, method=method)
        return f"{values.mean():.3f} ± {values.std():.3f}"

    rows = [
        (
            method,
            *(cell(method, key) for key in ("acc", "nmi", "ari")),
            f"{PAPER[method]:.3f}" if method in PAPER else "--",
            f"{column(runs, 'clusters', method=method).mean():.1f}",
            f"{column(runs, 'seconds', method=method).mean():.1f}",
        )
        for method in names(runs, "method")
    ]
    header = ("method", "ACC", "NMI", "ARI", "paper's ACC", "clusters", "seconds")
    accuracy = {row[0]: column(runs, "acc", method=row[0]).mean() for row in rows}
    ratio = {name: accuracy["DDCL, Lq"] / accuracy[name] for name in accuracy}
    holds = "holds" if ratio["DDCL, L_OLS"] >= BAR else "does not hold"
    text = (
        f"ACC(Lq) / ACC(L_OLS) = {ratio['DDCL, L_OLS']:.2f} (at least {BAR}: {holds}); over "
        f"DeepCluster {ratio['DeepCluster']:.2f}, and with the same warm-up "
        f"{ratio['DeepCluster, warm']:.2f}; over KMeans on the warm start "
        f"{ratio['warm start, KMeans']:.2f}. Seconds are those after the warm-up."
    )
    return f"{simple_table(header, rows)}\n\n{text} {describe(about)}"
