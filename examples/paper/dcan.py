"""DCAN: adversarial, Euclidean (ABC) and KL losses on the same encoder (Lemmas 1 and 2).

The encoder is the package's default network after the paper's warm-up, an autoencoder; each loss
starts from a copy of it. Digits, and 2,000 images of MNIST; digits also after the package's own
warm-up. The paper compares with others' published figures; here all differ in the loss alone. The
paper has one component a cluster and draws from the mixture as it is found; the package's default
has more components, which it joins, and draws them four times narrower.
"""

import math

import numpy as np
import torch
from _pictures import BLUE, GREEN, ORANGE, RED, SKY, name_axes, panels
from _rows import clearly_higher, compare, judge
from evidence import Block, Claim, main, mean_and_deviation
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from sklearn_ddcl import AdversarialDeepClustering
from sklearn_ddcl.datasets import fetch_image_set
from sklearn_ddcl.nn import (
    discriminator_loss,
    gaussian_divergences,
    gaussian_mixture_loss,
    jensen_shannon_estimate,
    nearest_center_loss,
)
from sklearn_ddcl.options import Autoencoding, Discriminator, NeighborContrast

K, LOG_2 = 10, math.log(2)
DCAN, ABC, KL, START = "adversarial", "euclidean (ABC)", "kl", "k-means on the warm start"
OURS = "adversarial, defaults"
ONE = {"prototypes_per_cluster": 1}
LOSSES = {
    DCAN: {"loss": "adversarial", "discriminator": Discriminator(width=1.0), **ONE},
    OURS: {"loss": "adversarial"},
    ABC: {"loss": "euclidean", **ONE},
    KL: {"loss": "kl", **ONE},
}
WARM_UPS = {"autoencoder": Autoencoding, "neighbours": NeighborContrast}


def measure(seeds, sets, steps, epochs, n_images):
    """Run each loss from the same warm start, for each set and seed."""
    found = {}
    for name, kind in sets:
        X, y = samples(name, n_images)
        partitions, games = {}, []
        for seed in seeds:
            warm = WARM_UPS[kind](n_steps=steps)
            warm.fit(X, n_clusters=K, device="cpu", seed=seed)
            with torch.no_grad():
                z = warm.backbone_(torch.from_numpy(X)).numpy()
            start = KMeans(K, n_init=10, random_state=seed).fit_predict(z)
            partitions.setdefault(START, []).append(start)
            for loss, options in LOSSES.items():
                model = AdversarialDeepClustering(
                    K, warm_up=warm, epochs=epochs, device="cpu", random_state=seed, **options
                ).fit(X)
                partitions.setdefault(loss, []).append(model.labels_)
                if loss == DCAN:
                    games.append([r for r in model.history_ if r["phase"] == "clustering"])
        found[f"{name}, {kind}"] = {
            "scores": {loss: judge(y, runs) for loss, runs in partitions.items()},
            "games": games,
        }
    return {"sets": found, "lemma_1": lemma_1(), "lemma_2": lemma_2()}


def samples(name, n_images):
    """Return pixels between 0 and 1, and classes."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X[:n_images].astype(np.float32) / 16, y[:n_images]
    images, y = fetch_image_set(name, n_last=n_images).values()
    return images.reshape(len(images), -1).astype(np.float32) / 255, y


def lemma_1():
    """Return how far KL is from half of ABC under unit variance, and so their gradients."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(200, 5, generator=generator, dtype=torch.float64).requires_grad_()
    centers = torch.randn(K, 5, generator=generator, dtype=torch.float64)
    ones, one = torch.ones_like(z), torch.ones_like(centers)
    kl = gaussian_mixture_loss(gaussian_divergences(z, ones, centers, one))
    abc = nearest_center_loss(z, centers)
    slopes = [torch.autograd.grad(loss, z)[0] for loss in (kl, abc)]
    wide = gaussian_mixture_loss(gaussian_divergences(z, ones, centers, 2 * one))
    return {
        "loss": float((kl - abc / 2).abs().detach()),
        "gradient": float((slopes[0] - slopes[1] / 2).abs().max()),
        "variance 2": float((wide / abc).detach()),
    }


def lemma_2(n_random=200):
    """Return JS, its estimate by the best discriminator, and the best of random ones.

    The two distributions have three points with probabilities that are multiples of 1/6, so that
    samples in these proportions are the distributions.
    """
    p, q = torch.tensor([3, 2, 1]), torch.tensor([1, 1, 4])
    share_p, share_q = p / 6, q / 6
    middle = (share_p + share_q) / 2
    js = sum((s * (s / middle).log()).sum() / 2 for s in (share_p, share_q))

    def _estimate(scores):
        return float(jensen_shannon_estimate(*(scores.repeat_interleave(m) for m in (p, q))))

    best = (share_p / share_q).log()
    generator = torch.Generator().manual_seed(0)
    others = [_estimate(3 * torch.randn(3, generator=generator)) for _ in range(n_random)]
    loss = discriminator_loss(*(best.repeat_interleave(m) for m in (p, q)))
    return {
        "js": float(js),
        "best": _estimate(best),
        "others": max(others),
        "loss": abs(float(loss) - 2 * (LOG_2 - float(js))),
    }


def claims(figures):
    """Compare with the lemmas, and the losses with each other."""
    games = [run for one in figures["sets"].values() for run in one["games"]]
    rows = [*lemmas(figures["lemma_1"], figures["lemma_2"]), bound(games)]
    for name, found in figures["sets"].items():
        acc = {loss: values[0] for loss, values in found["scores"].items()}
        nmi = {loss: values[1] for loss, values in found["scores"].items()}
        rows += [*comparison(name, acc, nmi), approach(name, found["games"])]
    return rows


def lemmas(first, second):
    """Return the lemmas."""
    return [
        Claim(
            "Lemma 1: under unit variance the KL loss is half the ABC loss, and so are gradients",
            "proved, up to the factor",
            f"differences {first['loss']:.0e}, {first['gradient']:.0e}; with variance 2 the ratio "
            f"is {first['variance 2']:.2f}",
            max(first["loss"], first["gradient"]) < 1e-10,
            theorem=True,
        ),
        Claim(
            "Lemma 2: with the best discriminator the game's value is the Jensen-Shannon "
            "divergence",
            "proved",
            f"{second['best']:.4f} of {second['js']:.4f} nats",
            abs(second["best"] - second["js"]) < 1e-6 and second["loss"] < 1e-6,
            theorem=True,
        ),
        Claim(
            "Any other discriminator gives less than the divergence",
            "follows",
            f"at most {second['others']:.4f} of {second['js']:.4f} nats (200 drawn at random)",
            second["others"] < second["js"],
            theorem=True,
        ),
    ]


def bound(games):
    """Return that no estimate in training is above ln 2."""
    values = [record["js_divergence"] for run in games for record in run]
    return Claim(
        "What the discriminator proves of the divergence is at most ln 2 in every epoch",
        "follows",
        f"at most {max(values):.3f} of {LOG_2:.3f} nats in {len(values)} epochs",
        max(values) <= LOG_2,
        theorem=True,
    )


def comparison(name, acc, nmi):
    """Return which loss is better."""
    text = "; ".join(f"{loss} {mean_and_deviation(values)}" for loss, values in acc.items())
    return [
        compare(
            f"{name}: the adversarial loss is on par with or better than ABC and KL (ACC not "
            "lower beyond the deviations)",
            "on par or better",
            text,
            not any(clearly_higher(acc[loss], acc[DCAN]) for loss in (ABC, KL)),
            "The game makes features look like the mixture, not samples go to their own centre; "
            "and the warm-up's task suffers.",
        ),
        compare(
            f"{name}: it is better than both (mean ACC and NMI)",
            "over closed forms",
            f"ACC: {text}. NMI: "
            + "; ".join(f"{loss} {mean_and_deviation(values)}" for loss, values in nmi.items()),
            all(s[DCAN].mean() > s[loss].mean() for s in (acc, nmi) for loss in (ABC, KL)),
            "On one encoder the losses are about as good as each other: the warm start decides.",
        ),
        compare(
            f"{name}: each loss improves on k-means of its warm start (mean ACC)",
            "the aim",
            text,
            all(acc[loss].mean() > acc[START].mean() for loss in (DCAN, ABC, KL)),
            "Features are drawn to the clusters that k-means has found, right or wrong, and the "
            "game also moves them on.",
        ),
    ]


def approach(name, games):
    """Return whether the encoder comes closer to the mixture."""
    ends = np.array([[np.mean([r["js_divergence"] for r in part]) for part in
                      (run[: len(run) // 3 or 1], run[-(len(run) // 3 or 1) :])]
                     for run in games])  # fmt: skip
    return compare(
        f"{name}: training brings features closer to the mixture (estimate of JS, first against "
        "last third of the epochs, every run)",
        "approaches JS",
        f"from {mean_and_deviation(ends[:, 0])} to {mean_and_deviation(ends[:, 1])} nats",
        bool((ends[:, 1] < ends[:, 0]).all()),
        "It is close from the start, being found from the features, and found anew every few "
        "epochs; the discriminator learns, so that it proves more.",
    )


def draw(figures):
    """Draw accuracies (left), and the estimate of JS in training."""
    figure, (left, right) = panels(1, 2, height=3.6)
    palette = ("0.6", GREEN, ORANGE, BLUE, SKY)
    colours = dict(zip((START, ABC, KL, DCAN, OURS), palette, strict=True))
    for place, (loss, colour) in enumerate(colours.items()):
        runs = [found["scores"][loss][0] for found in figures["sets"].values()]
        x = np.arange(len(runs)) + 0.17 * (place - 2)
        left.bar(x, [r.mean() for r in runs], 0.15, yerr=[r.std() for r in runs], color=colour,
                 label=loss)  # fmt: skip
    names = [name.replace(", ", "\n") for name in figures["sets"]]
    left.set_xticks(range(len(names)), names)
    left.set_ylim(0, 1.35)
    left.legend(fontsize=7.5, loc="upper center", ncols=2)
    name_axes(left, "Accuracy, mean and deviation", "", "ACC")
    for (name, found), colour in zip(figures["sets"].items(), (BLUE, RED, GREEN), strict=False):
        for number, run in enumerate(found["games"]):
            values = [record["js_divergence"] for record in run]
            right.plot(range(1, len(values) + 1), values, color=colour, linewidth=1.2,
                       label=name if number == 0 else None)  # fmt: skip
    right.axhline(0, color="0.4", linestyle="--", linewidth=1)
    right.set_ylim(top=right.get_ylim()[1] + 0.06)
    right.legend(fontsize=8, ncols=2, loc="upper left")
    name_axes(right, f"Estimate of JS (at most {LOG_2:.2f}), each run", "epoch", "nats")
    return figure


BLOCK = Block(
    name="dcan",
    title="DCAN: adversarial, Euclidean and KL losses",
    source="Deep clustering using adversarial net based clustering loss (Lim), Lemmas 1 and 2",
    sizes={
        "full": {
            "seeds": (0, 1, 2),
            "sets": (
                ("digits", "autoencoder"),
                ("mnist", "autoencoder"),
                ("digits", "neighbours"),
            ),
            "steps": 800,
            "epochs": 30,
            "n_images": 2_000,
        },
        "tiny": {
            "seeds": (0,),
            "sets": (("digits", "autoencoder"),),
            "steps": 5,
            "epochs": 3,
            "n_images": 200,
        },
    },
    measure=measure,
    claims=claims,
    draw=draw,
)

if __name__ == "__main__":
    main(BLOCK)
