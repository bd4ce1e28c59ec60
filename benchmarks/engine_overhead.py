"""Training time of the engine over that of the same steps in a loop written by hand.

Usage: ``python benchmarks/engine_overhead.py``. ``fit_pretext`` and ``fit_joint``, with their
history and checks, against a memory bank in plain torch operations, two optimisers, clipping
and nothing else; n = 2,000, MLP 64-256-256-10, k = 10, one process, both sides taking turns.
``DeepClusterBaseline`` against the same turns of torch and scikit-learn: PCA whitening, division
by the norm, k-means with as many starts, a new classifier, draws that are uniform over clusters;
MLP 64-256-128-32 with batch normalization, 20 epochs, of which with one start little is k-means.
"""

import copy
import functools
import itertools
import time

import numpy as np
import torch
from reports import circumstances, describe, holds, simple_table
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from torch import nn

from sklearn_ddcl import DeepClusterBaseline
from sklearn_ddcl.engine import JointConfig, PretextTask, fit_joint, fit_pretext
from sklearn_ddcl.nn import MLP
from sklearn_ddcl.options import JointTraining

N, WIDTH, D, K, EPOCHS, REPEATS = 2_000, 64, 10, 10, 40, 5
RATE, CLIP = 1e-3, 5.0
TURNS, COMPONENTS = 20, 20
AIMS = {"pretext": 1.15, "joint": 1.15, "joint + pretext": 1.15}
AIM_OF_TURNS = 1.3


class Reconstruction(PretextTask):
    """Decoder of the backbone's mirror image."""

    def __init__(self):
        super().__init__()
        self.decoder = mlp(D, 256, 256, WIDTH)

    def loss(self, backbone, x, z, index, generator):
        """Return the mean squared error."""
        return (self.decoder(z) - x).square().mean()


def mlp(*widths):
    """Return a network with ReLU between its layers."""
    layers = []
    for first, second in itertools.pairwise(widths):
        layers += [nn.Linear(first, second), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def shuffled(n, batch_size, generator):
    """Yield an epoch's batches of row numbers."""
    yield from torch.randperm(n, generator=generator).tensor_split(-(-n // batch_size))


def pretext_by_hand(backbone, task, x, batch_size):
    """Train on the pretext task alone."""
    parameters = [*backbone.parameters(), *task.parameters()]
    adam = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0, fused=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for rows in shuffled(len(x), batch_size, generator):
            batch = x[rows]
            loss = (task.decoder(backbone(batch)) - batch).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()


def joint_by_hand(backbone, task, x, prototypes, batch_size):
    """Train features and prototypes together: Lq over the latent variance, dual weights."""
    with torch.no_grad():
        features = backbone(x)
        scale = float(features.var(dim=0).sum())
        nearest = torch.cdist(features, prototypes).argmin(dim=1)
        weight = nn.functional.one_hot(nearest, K).float()
        weight /= weight.sum(dim=0)
        total = weight.T @ features
    parameters = [*backbone.parameters(), *(task.parameters() if task else [])]
    adam = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0, fused=True)
    weight.requires_grad_()
    sgd = torch.optim.SGD([weight], lr=1e-4)
    generator = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for rows in shuffled(len(x), batch_size, generator):
            batch = x[rows]
            z, w = backbone(batch), weight[rows]
            rest = total - w.detach().T @ features[rows]
            p = rest + w.T @ z
            squares = (z * z).sum(1, keepdim=True) - 2 * z @ p.T + (p * p).sum(1)
            q = torch.softmax(-squares / (0.1 * scale), dim=1)
            spread = z.var(dim=0, correction=0).sum()
            loss = 0.1 / scale * spread.detach() / spread * (q * squares).sum(1).mean()
            if task:
                loss = loss + (task.decoder(z) - batch).square().mean()
            adam.zero_grad()
            sgd.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, CLIP)
            adam.step()
            sgd.step()
            with torch.no_grad():
                total = rest + weight[rows].T @ z
                features[rows] = z.detach()
    with torch.no_grad():
        z = backbone(x)
        torch.cdist(z, weight.T @ z).argmin(dim=1)


def clustered_features(backbone, x, n_init):
    """Return the labels of k-means on whitened features of norm 1."""
    with torch.no_grad():
        z = backbone.eval()(x).numpy()
    whitened = normalize(
        PCA(COMPONENTS, whiten=True, svd_solver="covariance_eigh").fit_transform(z)
    )
    return torch.from_numpy(KMeans(K, n_init=n_init, random_state=0).fit(whitened).labels_).long()


def turns_by_hand(backbone, x, batch_size, n_init):
    """Alternate k-means and a classifier of its labels."""
    adam = torch.optim.AdamW(backbone.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(TURNS):
        labels = clustered_features(backbone, x, n_init)
        head = nn.Linear(32, K)
        fresh = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.0, fused=True)
        chance = 1.0 / torch.bincount(labels, minlength=K)[labels]
        backbone.train()
        drawn = torch.multinomial(chance, len(x), replacement=True, generator=generator)
        for rows in drawn.tensor_split(-(-len(x) // batch_size)):
            loss = nn.functional.cross_entropy(head(backbone(x[rows])), labels[rows])
            adam.zero_grad()
            fresh.zero_grad()
            loss.backward()
            adam.step()
            fresh.step()
    clustered_features(backbone, x, n_init)


def turns(backbone, x, batch_size, n_init):
    """Fit the estimator to the same end."""
    DeepClusterBaseline(
        K,
        backbone=backbone,
        epochs=TURNS,
        n_init=n_init,
        kmeans="sklearn",
        n_components=COMPONENTS,
        batch_size=batch_size,
        learning_rate=RATE,
        device="cpu",
        random_state=0,
    ).fit(x.numpy())


def seconds(function, *modules):
    """Time one run on copies of the modules."""
    modules = [copy.deepcopy(module) for module in modules]
    start = time.perf_counter()
    function(*modules)
    return time.perf_counter() - start


def contests(x, prototypes, batch_size):
    """Return by name the engine's function and the one by hand, of a backbone and a task."""
    options = JointTraining(
        EPOCHS, batch_size, RATE, objective_weight=0.1, gradient_clip=CLIP, patience=None
    )
    config = JointConfig(options, device="cpu")
    steps = EPOCHS * -(-len(x) // batch_size)
    return {
        "pretext": (
            lambda b, t: fit_pretext(
                b, t, x, steps=steps, batch_size=batch_size, learning_rate=RATE, device="cpu"
            ),
            lambda b, t: pretext_by_hand(b, t, x, batch_size),
        ),
        "joint": (
            lambda b, t: fit_joint(b, None, x, prototypes, config),
            lambda b, t: joint_by_hand(b, None, x, prototypes, batch_size),
        ),
        "joint + pretext": (
            lambda b, t: fit_joint(b, t, x, prototypes, config),
            lambda b, t: joint_by_hand(b, t, x, prototypes, batch_size),
        ),
        **{
            f"DeepCluster, n_init={n_init}": tuple(
                functools.partial(_on_wide, side, x, batch_size, n_init)
                for side in (turns, turns_by_hand)
            )
            for n_init in (20, 1)
        },
    }


def _on_wide(side, x, batch_size, n_init, *_):
    """Run a side of DeepCluster's contest on a backbone of its own."""
    generator = torch.Generator().manual_seed(0)
    side(
        MLP(WIDTH, 32, (256, 128), normalization=nn.BatchNorm1d, generator=generator),
        x,
        batch_size,
        n_init,
    )


def run(batch_sizes=(256, 512), report=print):
    """Time each contest, the two sides taking turns.

    Parameters
    ----------
    batch_sizes : sequence of int
        Rows of a step.
    report : callable
        Receives a line of text for each.

    Returns
    -------
    dict
        Seconds of both sides (medians) and the median of the turns' ratios, by name and batch.
    """
    torch.manual_seed(0)
    x = torch.randn(N, WIDTH) + 3 * torch.randn(K, WIDTH)[torch.randint(K, (N,))]
    backbone, task = mlp(WIDTH, 256, 256, D), Reconstruction()
    pretext_by_hand(backbone, task, x, 256)
    prototypes = backbone(x[:K]).detach()
    figures = {}
    for batch_size in batch_sizes:
        for name, (ours, theirs) in contests(x, prototypes, batch_size).items():
            timed = [(seconds(ours, backbone, task), seconds(theirs, backbone, task))
                     for _ in range(REPEATS + 1)][1:]  # fmt: skip
            engine, hand = np.median(timed, axis=0)
            ratio = float(np.median([a / b for a, b in timed]))
            figures[name, batch_size] = (float(engine), float(hand), ratio)
            report(f"{name}, batch {batch_size}: {engine:.2f} s / {hand:.2f} s = {ratio:.2f}")
    return figures


def table(figures, about):
    """Return the table and the circumstances as RST."""
    rows = []
    for (name, batch_size), (engine, hand, ratio) in figures.items():
        aim = AIMS.get(name, AIM_OF_TURNS)
        shown = (f"{engine:.2f}", f"{hand:.2f}", f"{ratio:.2f}", f"<= {aim}")
        rows.append((name, batch_size, *shown, holds(ratio <= aim)))
    header = ("training", "batch", "engine, s", "by hand, s", "ratio", "aim", "holds")
    return f"{simple_table(header, rows)}\n\n{describe(about)}"


if __name__ == "__main__":
    print(table(run(), circumstances()))
