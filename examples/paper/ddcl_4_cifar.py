"""DDCL 4: CIFAR-10 with a frozen residual network (Section 7.4).

The paper has ResNet-18 trained on ImageNet, 50,000 images and 512 features of norm 1. Where
torchvision and its weights are in the cache these are used; else the network has *random* weights,
whose features say far less about classes. Images are the 10,000 for tests, and the runs are 3; the
paper has 5. Epochs and schedule are not printed: T falls from 2 to 0.5, as in block 2, in 40
epochs. As features of norm 1 make that very warm, all is repeated with temperatures in units of
the critical one.
"""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import torch
from _descent import descend, near_the_mean, nearest, pearson, violations
from _pictures import BLUE, RED, name_axes, panels
from _rows import clearly_higher, compare, judge, method_row
from evidence import Block, Claim, main, mean_and_deviation
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from torch import nn

from sklearn_ddcl import DDCLClustering, DeepClusterBaseline
from sklearn_ddcl.datasets import fetch_image_set
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import (
    critical_temperature,
    ols_gradient_features,
    prototype_variance,
    quantization_gradient_features,
    soft_assignments,
    squared_distances,
)
from sklearn_ddcl.options import ExponentialTemperature

K, SMALL = 10, 0.01  # first prototypes: this far from the mean, in units of the features' spread
LQ, OLS, KMEANS, DEEP = "DDCL (Lq)", "DDCL (L_OLS)", "k-means", "DeepCluster"
LOSSES = {LQ: "quantization", OLS: "ols"}
COLD, OURS = "relative T", "DDCL, defaults"
TABLE_7 = {
    LQ: ("0.265 ± 0.031", "0.208 ± 0.033", "0.085 ± 0.028"),
    OLS: ("0.265 ± 0.031", "0.208 ± 0.033", "0.085 ± 0.028"),
    KMEANS: ("0.644 ± 0.000", "0.536 ± 0.000", "0.425 ± 0.000"),
    DEEP: ("0.154 ± 0.025", "0.053 ± 0.024", "0.013 ± 0.011"),
}
WEIGHTS = "resnet18-f37072fd.pth"  # torchvision's name of its ImageNet weights
SINGLE = 1e-5
WEAK = "The features are those of a random network; the paper's know ImageNet's classes."


class Block2d(nn.Module):
    """Two convolutions around which the input is added.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    stride : int
        Of the first convolution.
    """

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.one = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.two = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.around = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        """Return features of half the size if the stride is 2."""
        return torch.relu(self.two(torch.relu(self.one(x))) + self.around(x))


class RandomResNet(nn.Module):
    """A residual network of eight convolutions and 512 features, with random weights.

    Parameters
    ----------
    seed : int
        Of the weights.
    """

    def __init__(self, seed=0):
        super().__init__()
        widths = (64, 64, 128, 256, 512)
        self.stem = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        pairs = enumerate(itertools.pairwise(widths))
        self.blocks = nn.Sequential(*(Block2d(*pair, 1 + (n > 0)) for n, pair in pairs))
        generator = torch.Generator().manual_seed(seed)
        for weight in self.parameters():
            nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)

    def forward(self, x):
        """Return features (n, 512) of images (n, 3, height, width)."""
        return self.blocks(torch.relu(self.stem(x))).mean(dim=(2, 3))


def network():
    """Return the frozen network, and what to call its features."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    if importlib.util.find_spec("torchvision") and path.exists():
        from torchvision.models import resnet18

        net = resnet18()
        net.load_state_dict(torch.load(path, weights_only=True))
        net.fc = nn.Identity()
        return net.eval(), "ImageNet's ResNet-18"
    return RandomResNet().eval(), "random residual network"


@torch.no_grad()
def features(images):
    """Return features of norm 1 less their mean, and what to call them."""
    net, told = network()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    x = (x - x.mean(dim=(0, 2, 3), keepdim=True)) / x.std(dim=(0, 2, 3), keepdim=True)
    z = torch.cat([net(part) for part in x.split(250)])
    z = nn.functional.normalize(z)
    return z - z.mean(dim=0), told


def load(name, n_images):
    """Return images (n, height, width, 3) and classes; "digits" needs no download."""
    if name == "digits":
        digits = load_digits()
        grey = np.kron(digits.images[:n_images] * 16, np.ones((4, 4)))
        return np.repeat(grey[..., None], 3, axis=3), digits.target[:n_images]
    return tuple(fetch_image_set(name, n_last=n_images).values())


def measure(seeds, name, n_images, epochs, deep_epochs):
    """Train prototypes of frozen features with both losses and both kinds of temperature."""
    images, y = load(name, n_images)
    z, told = features(images)
    critical = critical_temperature(z)
    schedules = {
        "": ExponentialTemperature(2.0, 0.5, decay=epochs / 3, relative=False),
        COLD: ExponentialTemperature(
            2 * critical, 0.05 * critical, decay=epochs / 5, relative=False
        ),
    }
    first = near_the_mean(z, K, seeds, SMALL * float(z.std(dim=0).mean()))
    paths = {
        (loss, kind): descend(z, first, option, schedule, epochs)
        for loss, option in LOSSES.items()
        for kind, schedule in schedules.items()
    }
    found = {key: judge(y, [nearest(z, p) for p in path.prototypes[-1]])
             for key, path in paths.items()}  # fmt: skip
    for method, make in rivals(deep_epochs).items():
        found[method, ""] = judge(y, [make(seed).fit_predict(z.numpy()) for seed in seeds])
    path = paths[LQ, COLD]
    curves = {
        loss: [
            clustering_accuracy_score(y, nearest(z, p[0])) for p in paths[loss, COLD].prototypes
        ]
        for loss in LOSSES
    }
    return {
        "told": told,
        "critical": critical,
        "scores": found,
        "terms": {key: each.terms for key, each in paths.items()},
        "gradient": encoder_gradients(z, path.prototypes[-1, 0], 0.1 * critical),
        "over_T": over_temperature(z, path.prototypes[-1, 0], critical),
        "curves": curves,
    }


def rivals(deep_epochs):
    """Return the other methods."""
    return {
        KMEANS: lambda seed: KMeans(K, n_init=10, random_state=seed),
        DEEP: lambda seed: DeepClusterBaseline(
            K, epochs=deep_epochs, n_init=3, device="cpu", random_state=seed
        ),
        OURS: lambda seed: DDCLClustering(K, backbone=None, device="cpu", random_state=seed),
    }


def encoder_gradients(z, p, temperature):
    """Return how far the losses' gradients to the features are apart, assignments held fixed."""
    q = soft_assignments(squared_distances(z, p), temperature)
    lq, ols = quantization_gradient_features(z, p, q), ols_gradient_features(z, p, q)
    return float((lq - ols).norm() / ols.norm())


def over_temperature(z, p, critical):
    """Return V of fixed prototypes over temperatures."""
    ts = [critical * 2.0**power for power in range(-8, 5)]
    d = squared_distances(z, p)
    return ts, [float(prototype_variance(p, soft_assignments(d, t)).mean()) for t in ts]


def claims(figures):
    """Compare with Table 7, Fig. 5 and the text."""
    return [
        *table_7(figures),
        *equivalence(figures),
        *decomposition(figures),
        *feedback(figures),
    ]


def table_7(figures):
    """Return each method's row, and the order of the methods."""
    scores = {name: value for (name, kind), value in figures["scores"].items() if not kind}
    cold = {loss: figures["scores"][loss, COLD] for loss in LOSSES}
    acc = {name: value[0] for name, value in scores.items()}
    warm = (
        f"With T >= 0.5 all prototypes stay at the mean: the critical temperature is "
        f"{figures['critical']:.3f}."
    )
    whys = {
        LQ: f"{warm} {WEAK}",
        OLS: WEAK,
        KMEANS: WEAK,
        DEEP: f"{WEAK} Its epochs and backbone are not printed.",
    }
    rows = [method_row(f"{name}, on features of a {figures['told']}", "Table 7", printed,
                       scores[name], whys[name])
            for name, printed in TABLE_7.items()]  # fmt: skip
    text = "; ".join(f"{name} {mean_and_deviation(value)}" for name, value in acc.items())
    return [
        *rows,
        compare(
            "k-means is more accurate than DDCL on frozen features, beyond the deviations",
            ".644 against .265",
            f"{mean_and_deviation(acc[KMEANS])} against {mean_and_deviation(acc[LQ])}",
            clearly_higher(acc[KMEANS], acc[LQ]),
            "The features are too poor for any difference.",
        ),
        compare(
            "That needs a trained backbone to change: DDCL with temperatures in units of the "
            "critical one is below k-means too, beyond the deviations",
            "stated",
            f"{mean_and_deviation(cold[LQ][0])}, defaults {mean_and_deviation(acc[OURS])}, "
            f"k-means {mean_and_deviation(acc[KMEANS])}",
            clearly_higher(acc[KMEANS], cold[LQ][0]) and clearly_higher(acc[KMEANS], acc[OURS]),
            "What held DDCL back was the temperature, not the frozen encoder.",
        ),
        compare(
            "DeepCluster is the least accurate method",
            ".154",
            text,
            acc[DEEP].mean() < min(v.mean() for n, v in acc.items() if n != DEEP),
            "It is as good as the features allow.",
        ),
    ]


def equivalence(figures):
    """Return Proposition 4 and what it is said to explain."""
    pairs = [[figures["scores"][loss, kind][0] for loss in LOSSES] for kind in ("", COLD)]
    same = [bool(np.allclose(*pair, atol=5e-4)) for pair in pairs]
    text = "; ".join(
        f"{name}: {mean_and_deviation(lq)} and {mean_and_deviation(ols)}"
        for name, (lq, ols) in zip(("absolute T", COLD), pairs, strict=True)
    )
    return [
        Claim(
            "Proposition 4: Lq and L_OLS have the same gradient to the features, assignments and "
            "prototypes held fixed",
            "proved",
            f"relative difference {figures['gradient']:.0e}",
            figures["gradient"] < SINGLE,
            theorem=True,
        ),
        compare(
            "Therefore both give the same ACC to three decimals in every run",
            "identical",
            text,
            all(same),
            "It does not follow: the encoder is frozen, so its gradient changes nothing, and the "
            "gradients to the prototypes differ (Proposition 3).",
        ),
    ]


def decomposition(figures):
    """Return the identity, and V over time and over temperature."""
    counts = [violations({k: v.double() for k, v in t.items()}) for t in figures["terms"].values()]
    terms = figures["terms"][LQ, COLD]
    gap = max(count.gap for count in counts)
    v = [figures["terms"][LQ, kind]["variance"] for kind in ("", COLD)]
    steady = [float((each.diff(dim=0) >= 0).double().mean()) for each in v]
    _, swept = figures["over_T"]
    lowest = min(float(t["variance"].min()) for t in figures["terms"].values())
    return [
        Claim(
            "Lq = L_OLS + V with V >= 0 in every epoch",
            "zero violations",
            f"{sum(count.epochs for count in counts)} epochs in float32, largest relative gap "
            f"{gap:.0e}, smallest V {lowest:.0e}",
            gap < SINGLE and lowest >= 0,
            theorem=True,
        ),
        compare(
            "V grows in every epoch as the temperature falls",
            "monotonically",
            f"in {steady[0]:.0%} of the epochs with absolute, in {steady[1]:.0%} with relative T",
            min(steady) == 1,
            "Above the critical temperature prototypes contract to the mean and V falls to 0; "
            "below it they part and V rises, until assignments harden and it falls again.",
        ),
        Claim(
            "On these features V of fixed prototypes never falls as T rises (Corollary 2)",
            "confirmed",
            f"from {swept[0]:.1e} to {swept[-1]:.1e}, over {len(swept)} temperatures",
            bool((np.diff(swept) >= 0).all()),
            "It holds on these features; in general it is false for more than two prototypes (see "
            "the theorems)."
            if (np.diff(swept) >= 0).all()
            else "In general it is false for more than two prototypes (see the theorems).",
        ),
        compare(
            "L_OLS and Lq differ in V alone, so prototypes are as far apart with both (S at the "
            "end within 10 %, relative T)",
            "identical metrics",
            f"S {float(terms['separation'][-1].mean()):.1e} and "
            f"{float(figures['terms'][OLS, COLD]['separation'][-1].mean()):.1e}",
            bool(
                abs(
                    figures["terms"][OLS, COLD]["separation"][-1].mean()
                    / terms["separation"][-1].mean()
                    - 1
                )
                < 0.1
            ),
            "V contracts: with L_OLS prototypes go further out.",
        ),
    ]


def feedback(figures):
    """Return the correlation of S and K."""
    found = {
        kind: pearson(
            *(figures["terms"][LQ, kind][key] for key in ("separation", "concentration"))
        )
        for kind in ("", COLD)
    }
    warm, cold = (", ".join(map(signed, r.tolist())) for r in found.values())
    return [
        compare(
            "S and K correlate positively with a frozen encoder, in every run (above 0.9)",
            "+0.98",
            f"absolute T {warm}; relative T {cold}",
            all(bool((r > 0.9).all()) for r in found.values()),
            "Where T is above the critical one prototypes fall to the mean and K does not change. "
            "The sign depends on schedule and start: block 2's encoder is frozen too.",
        )
    ]


def signed(r):
    """Return a correlation as text."""
    return "undefined" if np.isnan(r) else f"{r:+.2f}"


def draw(figures):
    """Draw the loss, S and K, accuracies, and V over temperature."""
    figure, axes = panels(2, 2)
    terms = {key: value[:, 0] for key, value in figures["terms"][LQ, COLD].items()}
    ax = axes[0, 0]
    for key, label, style in (
        ("quantization", "Lq", "-"),
        ("ols", "L_OLS", "--"),
        ("variance", "V", ":"),
    ):
        ax.plot(terms[key], style, color=BLUE, label=label)
    ax.legend(fontsize=8)
    name_axes(ax, "Loss, relative T, run 1", "epoch", "squared distance")
    ax = axes[0, 1]
    points = ax.scatter(terms["separation"], terms["concentration"],
                        c=range(len(terms["ols"])), cmap="cividis", s=14)  # fmt: skip
    figure.colorbar(points, ax=ax, label="epoch")
    r = float(pearson(terms["separation"], terms["concentration"]))
    name_axes(ax, f"Separation and concentration, r = {r:+.2f}", "S(P)", "K(q)")
    ax = axes[1, 0]
    for (loss, values), style in zip(figures["curves"].items(), ("-", "--"), strict=True):
        ax.plot(values, style, color=BLUE if loss == LQ else RED, label=loss)
    ax.axhline(figures["scores"][KMEANS, ""][0].mean(), color="0.4", ls=":", label=KMEANS)
    ax.legend(fontsize=8)
    name_axes(ax, "Accuracy, relative T, run 1", "epoch", "ACC")
    ax = axes[1, 1]
    ts, v = figures["over_T"]
    ax.plot(np.array(ts) / figures["critical"], v, "o-", color=BLUE, markersize=4)
    ax.set_xscale("log")
    name_axes(ax, "V of the last prototypes", "T / critical temperature", "V")
    return figure


BLOCK = Block(
    name="ddcl_4_cifar",
    title="DDCL, block 4: frozen features of CIFAR-10",
    source="DDCL, Section 7.4",
    sizes={
        "full": {
            "seeds": (0, 1, 2),
            "name": "cifar10",
            "n_images": 10_000,
            "epochs": 40,
            "deep_epochs": 10,
        },
        "tiny": {
            "seeds": (0,),
            "name": "digits",
            "n_images": 60,
            "epochs": 6,
            "deep_epochs": 1,
        },
    },
    measure=measure,
    claims=claims,
    draw=draw,
)

if __name__ == "__main__":
    main(BLOCK)
