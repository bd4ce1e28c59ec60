"""The picture of the DDCL paper's theorems."""

import numpy as np
from _descent import assignments
from _pictures import BLUE, GREEN, ORANGE, PINK, RED, SKY, mark, name_axes, panels
from _statics import LINE, ORIGIN, TEMPERATURES

from sklearn_ddcl.nn import prototype_variance


def draw(figures):
    """Draw energies, norms, V over T, growth rates, Theorem 3's regions, spectra, Corollary 5."""
    figure, axes = panels(4, 2, height=12.0)
    draw_energy(figures["energy"], axes[0])
    draw_temperature(axes[1, 0])
    draw_rates(figures["collapse"], axes[1, 1])
    draw_regions([run["ratio"] for run in figures["training"]], axes[2, 0])
    draw_spectra(figures["spectra"], axes[2, 1])
    draw_training(figures["training"], axes[3, 0])
    axes[3, 1].set_axis_off()
    return figure


def draw_energy(e, axes):
    """Draw Theorem 4."""
    for values in e["energies"]:
        axes[0].plot(values - values.min() + 1e-9, color=BLUE, linewidth=1.2)
    axes[0].set_yscale("log")
    name_axes(axes[0], "Theorem 4: energy falls", "step", "E - its least value + 1e-9")
    for norms, label in zip(e["norms"], ["$\\lambda > 2 \\eta k$", *[None] * 99], strict=False):
        axes[1].plot(norms, color=BLUE, label=label)
    for (_, norms), label in zip(
        e["loose"], ["Remark 3's $\\lambda$, k = 2", *[None] * 99], strict=False
    ):
        axes[1].plot(norms, color=RED, linestyle="--", label=label)
    axes[1].set(xscale="symlog", yscale="log")
    axes[1].legend(fontsize=7.5)
    name_axes(axes[1], "Bounded, and not", "step", "norm of P")


def draw_temperature(ax):
    """Draw V over T for two prototypes and for the three of the counterexample."""
    for p, label, color, style in (
        (LINE[:2], "prototypes -1, 1.01", BLUE, "-"),
        (LINE, "prototypes -1, 1.01, 1.1", RED, "--"),
    ):
        v = [float(prototype_variance(p, assignments(ORIGIN, p, t))) for t in TEMPERATURES]
        ax.plot(TEMPERATURES, v, color=color, linestyle=style, label=label)
    ax.set_xscale("log")
    ax.legend(fontsize=7.5, loc="lower right")
    name_axes(ax, "Corollary 2: V over T, a sample at 0", "T", "V")


def draw_rates(rates, ax):
    """Draw the growth rates at the collapsed point."""
    lines = (
        ("quantization", True, BLUE, "-", "$L_q$, stop-gradient"),
        ("quantization", False, BLUE, "--", "$L_q$, full gradient"),
        ("ols", True, RED, "-", "$L_{OLS}$, stop-gradient"),
        ("ols", False, RED, "--", "$L_{OLS}$, full gradient"),
    )
    for loss, stop, color, style, label in lines:
        found = sorted((key[2], rate) for key, rate in rates.items() if key[:2] == (loss, stop))
        ax.plot(
            *np.array(found).T, color=color, linestyle=style, marker="o", markersize=3, label=label
        )
    ax.axhline(0, color="0.6", linewidth=0.8)
    mark(ax, 1, "$T_c$")
    mark(ax, 2, "$2T_c$")
    ax.legend(fontsize=7.5)
    name_axes(ax, "Propositions 5 and 6: growth at collapse", "$T / T_c$", "rate")


def draw_regions(ratios, ax):
    """Draw where Theorem 3's system is stable and where it spirals, in the plane of b and ac."""
    b = np.linspace(-4, 4, 401)
    border = b * b / 4
    ax.fill_between(b, border, 4.2, where=b <= 0, color=BLUE, alpha=0.3, label="stable spiral")
    ax.fill_between(b, 0, border, where=b <= 0, color=BLUE, alpha=0.12, label="stable node")
    ax.fill_between(b, border, 4.2, where=b >= 0, color=RED, alpha=0.3,
                    label="unstable spiral: let pass by Corollary 5")  # fmt: skip
    ax.fill_between(b, 0, border, where=b >= 0, color=RED, alpha=0.12, label="unstable node")
    shown = sorted({ratio for ratio in ratios if ratio - 1 < b[-1]})
    ax.plot(np.array(shown) - 1, np.ones(len(shown)), "o", color="black", markersize=5,
            label="ratios of our runs, a = c = 1")  # fmt: skip
    ax.set(xlim=(b[0], b[-1]), ylim=(0, 4.2))
    ax.legend(fontsize=6.5, loc="upper right")
    name_axes(ax, "Theorem 3: regions", "b = ratio of rates - 1", "a c")


def draw_spectra(spectra, ax):
    """Draw the largest real part against Theorem 3's b = ratio - 1 with a = c = 1."""
    for temperature, color, marker in ((0.5, BLUE, "o"), (1.0, GREEN, "s")):
        found = sorted(
            (key[2], values.real.max())
            for key, values in spectra.items()
            if key[:2] == ("quantization", temperature)
        )
        label = f"joint flow, T = {temperature}"
        ax.plot(*np.array(found).T, color=color, marker=marker, markersize=3, label=label)
    ratios = np.array([ratio for ratio, _ in found])
    b = ratios - 1
    root = np.sqrt((b * b - 4).astype(complex))
    ax.plot(ratios, ((b + root) / 2).real, color=RED, linestyle="--", label="Theorem 3, a = c = 1")
    ax.set_xscale("log")
    ax.set_ylim(-1.5, 1.5)
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.legend(fontsize=7.5)
    name_axes(
        ax, "Theorem 3: largest real part", "rate of backbone / rate of prototypes", "real part"
    )


def draw_training(runs, ax):
    """Draw the bound of Corollary 5 along training, and the ratios."""
    seed = runs[0]["seed"]
    runs = [run for run in runs if run["seed"] == seed]
    colors = (BLUE, GREEN, ORANGE, PINK, SKY, RED)
    ax.plot(runs[0]["bound"], color="black", linewidth=1.6, label="bound")
    for run, color in zip(runs, colors, strict=False):
        label = f"ratio {run['ratio']:g}: ACC {run['acc']:.3f}"
        ax.axhline(run["ratio"], color=color, linestyle=":", linewidth=1.6, label=label)
    ax.set_yscale("log")
    ax.legend(fontsize=7)
    name_axes(ax, f"Corollary 5, seed {seed}: bound and ratios", "epoch", "ratio of rates")
