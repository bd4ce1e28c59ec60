"""The theorems of the DDCL paper, each measured: identities, collapse, stability, energy.

Identities and inequalities are tried on random features, prototypes and assignments, dynamics
along trajectories; a claim that fails is shown by a case in which it does. Tc is the critical
temperature.
"""

import numpy as np
import torch
from _flows import LOST, collapse_rates, linear_regions, lyapunov, rate_ratios, training_spectra
from _statics import check
from _theorem_pictures import draw
from evidence import Block, Claim, main

EXACT = 1e-9
FALSE_FOR_3 = "A sample at 0, prototypes at -1, 1.01 and 1.1: from T = 0.2 to 100 V falls."


def measure(seeds, problems, n_samples, steps, grid, ratios, training):
    """Measure everything."""
    return {
        "static": check(range(problems)),
        "problems": problems,
        "energy": lyapunov(seeds, n_samples, steps),
        "collapse": collapse_rates(n_samples),
        "regions": linear_regions(grid),
        "spectra": training_spectra(n_samples, ratios, min(steps, 3000)),
        "training": rate_ratios(seeds, **training),
    }


def claims(figures):
    """Return the theorems in the paper's order."""
    return [
        *identities(figures),
        *temperature(figures),
        *collapse(figures),
        *feedback(figures),
        *stability(figures),
        *bounded(figures),
    ]


def true(claim, ours, holds, why=""):
    """Return a claim that is a theorem."""
    return Claim(claim, "proved", ours, bool(holds), why, theorem=True)


def stated(claim, ours, holds, why):
    """Return a claim that the paper proves, and that we do not find."""
    return Claim(claim, "proved", ours, bool(holds), why)


def identities(figures):
    """Return Theorem 1, its corollary, and the gradients."""
    s, n = figures["static"], figures["problems"]
    return [
        true(
            "Theorem 1: Lq = L_OLS + V and V >= 0, for any features, prototypes, assignments",
            f"off by at most {s['identity']:.0e} in {n} random problems",
            s["identity"] < EXACT and s["negative"] <= 0,
        ),
        stated(
            "Corollary 1: V <= diam(P)^2 / 4",
            f"{s['triangle']:.3f} diam^2 at an equilateral triangle",
            max(s["triangle"], s["diameter"]) <= 0.25,
            "True with m / (2 (m + 1)) for 1/4, m = min(d, k - 1): the proof takes every "
            "prototype to be within half a diameter of the mean.",
        ),
        true(
            "Propositions 2 to 4: the gradients of Eq. 26, 27 and 29 to 32",
            f"within {s['gradients']:.0e} of autograd",
            s["gradients"] < EXACT,
        ),
        true(
            "Corollary 3: under stop-gradient Lq and L_OLS have one gradient by the features, "
            "prototypes held fixed",
            f"relative difference {s['detached']:.0e}",
            s["detached"] < EXACT,
        ),
        stated(
            "Corollary 3: so they give identical backbone updates in DDCL",
            f"relative difference up to {s['dual']:.2f}",
            s["dual"] < EXACT,
            "Prototypes are outputs of the features, P = W^T Z, and pass their own gradients on.",
        ),
    ]


def temperature(figures):
    """Return Proposition 1 and what is monotone in T."""
    s = figures["static"]
    return [
        true(
            "Proposition 1: softmax assignments minimise d q - T H(q)",
            f"others are lower by at most {max(s['boltzmann'], 0):.0e}",
            s["boltzmann"] < EXACT,
        ),
        true(
            "T to 0 gives k-means assignments, T to infinity uniform ones (Section 8.2, point 5)",
            f"{s['cold']:.0e} and {s['hot']:.0e} off",
            s["cold"] < 1e-6 and s["hot"] < 1e-6,
        ),
        true(
            "Corollary 2: V never falls as T rises, two prototypes",
            f"falls in {s['falls_2']:.0%} of random cases",
            s["falls_2"] == 0,
        ),
        stated(
            "Corollary 2: V never falls as T rises, any number of prototypes",
            f"falls in {s['falls_k']:.0%} of random cases with k = 3 to 6; "
            f"{s['line'][0]:.2f} to {s['line'][1]:.2f}",
            s["falls_k"] == 0 and s["line"][0] <= s["line"][1],
            FALSE_FOR_3,
        ),
        true(
            "The trace of the assignment covariance never falls as T rises",
            f"falls in {s['softness']:.0%} of random cases",
            s["softness"] == 0,
        ),
        stated(
            "The assignments are in the kernel of their covariance",
            f"Sigma q up to {s['kernel']:.2f}",
            s["kernel"] < EXACT,
            "The vector of ones is: diag(q) 1 - q q'1 = q - q.",
        ),
        true(
            "Proposition 7: the norm of V's gradient never falls as T rises, two prototypes",
            f"falls in {s['force_2']:.0%} of random cases",
            s["force_2"] == 0,
        ),
        stated(
            "Proposition 7: the same, any number of prototypes",
            f"falls in {s['force_k']:.0%} of random cases with k = 3 to 6",
            s["force_k"] == 0,
            "As Corollary 2: only the trace of the covariance grows, not all of it.",
        ),
    ]


def collapse(figures):
    """Return Propositions 5 and 6: growth rates at the collapsed point."""
    rates = {key: rate for key, rate in figures["collapse"].items() if key != "rest"}
    lq = {share: rate for (loss, stop, share), rate in rates.items() if loss[0] == "q" and stop}
    whole = {
        share: rate for (loss, stop, share), rate in rates.items() if loss[0] == "q" and not stop
    }
    ols = [rate for (loss, stop, _), rate in rates.items() if loss == "ols" and stop]
    signs = all((rate > 0) == (share < 1) for share, rate in lq.items())
    signs = signs and all((rate > 0) == (share < 2) for share, rate in whole.items())
    force = figures["static"]["eq_33"]
    return [
        stated(
            "Proposition 5: collapse is a stable fixed point of L_OLS",
            f"a small distance grows at {min(ols):.2f} or more, at every T",
            max(ols) < 0,
            "Its rate is 2e / T with the covariance's leading eigenvalue e: positive.",
        ),
        stated(
            "Proposition 6, Eq. 33: at fixed assignments descent on Lq separates, by "
            "2 eps (q_i + q_j)",
            f"{force:+.2f} eps (q_i + q_j), q_i = q_j",
            force > 0,
            "The force is minus the gradient, and draws together; the sign is lost in the proof.",
        ),
        stated(
            "Proposition 6: collapse is unstable under Lq, at any T",
            f"growth {lq[0.5]:+.2f} at Tc / 2, {lq[4.0]:+.2f} at 4 Tc",
            min(lq.values()) > 0,
            "Its rate is 2e / T - 1 (full gradient 4e / T - 1), positive below Tc = 2e (4e); "
            + ("the sign changes there." if signs else "here the sign does not change there."),
        ),
    ]


def feedback(figures):
    """Return the arrows of Theorem 2."""
    s, rest = figures["static"], figures["collapse"]["rest"]
    return [
        true(
            "Theorem 2: an equilibrium exists",
            f"gradient {rest:.0e} where all prototypes are at the mean",
            rest < EXACT,
            "Collapse always is one.",
        ),
        true(
            "Theorem 2: more separation, more concentration, where prototypes are scaled about "
            "the sample",
            f"not in {s['scaled']:.0%} of random cases",
            s["scaled"] == 0,
        ),
        stated(
            "Theorem 2: more separation, more concentration; K to 1 as S grows",
            f"in {s['concentrates']:.0%} of random pairs; K = {s['wide']:.2f} at S = 4e6",
            s["concentrates"] == 1 and s["wide"] > 0.99,
            "A sample midway between two prototypes is undecided at any distance.",
        ),
        stated(
            "Theorem 2: the separating force is greatest at S = 0",
            f"{s['forces'][0]:.0e} there, {s['forces'][1]:.2f} at S = 1",
            s["forces"][0] > s["forces"][1],
            "It is Sigma P: the covariance is greatest there, and the differences are 0.",
        ),
    ]


def stability(figures):
    """Return Theorem 3 and Corollary 5, as algebra and in training."""
    regions, spectra = figures["regions"], figures["spectra"]
    lq = {key[2]: values for key, values in spectra.items() if key[:2] == ("quantization", 0.5)}
    every = np.concatenate([v for key, v in spectra.items() if key[0] == "quantization"])
    ols = np.concatenate([v for key, v in spectra.items() if key[0] == "ols"])
    above = [values.real.max() for ratio, values in lq.items() if ratio > 1]
    turn = np.abs(every.imag).max()
    return [
        true(
            "Theorem 3, as algebra: Eq. 39 is stable iff b < 0, a spiral iff b^2 < 4ac",
            f"{regions['wrong']} disagreements with the Jacobian's eigenvalues",
            regions["wrong"] == 0,
        ),
        stated(
            "Theorem 3, in training: unstable once the backbone is the faster (b > 0)",
            f"largest real part of an eigenvalue {max(above):+.2f} for ratios up to {max(lq):g}",
            max(above) > 0,
            "Backbone and prototypes descend one function, the free energy. Rates rescale a "
            "symmetric Jacobian, which cannot change signs of its eigenvalues.",
        ),
        stated(
            "Theorem 3, in training: rates near the border give damped spirals",
            f"largest imaginary part {turn:.0e} (Lq), {np.abs(ols.imag).max():.2f} (L_OLS)",
            turn > 1e-6,
            "Eigenvalues of a rescaled symmetric matrix are real. Stop-gradient on L_OLS is no "
            "gradient, and may spiral.",
        ),
        stated(
            "Corollary 5 follows from Theorem 3: what it admits is stable",
            f"{regions['loose']} unstable points with 0 < b < 2 sqrt(ac)",
            regions["loose"] == 0,
            "It contradicts Theorem 3: the proof takes the rule for spirals, b < 2 sqrt(ac), for "
            "that of stability, b < 0.",
        ),
        *training(figures["training"]),
    ]


def training(runs):
    """Return what the bound says along real training."""
    bounds = np.concatenate([run["bound"] for run in runs])
    safe = [run for run in runs if 0.1 <= run["ratio"] <= 1 / 3]
    fewer = [run["clusters"] for run in runs if not run["kept"]]
    ratios = sorted({run["ratio"] for run in runs})
    acc = {r: np.array([run["acc"] for run in runs if run["ratio"] == r]) for r in ratios}
    kept, broken = acc[safe[-1]["ratio"]], acc[ratios[-1]]  # pairs of one warm-up each
    return [
        Claim(
            "Ratios of 1/10 to 1/3 keep Corollary 5's bound in every epoch (digits, MLP)",
            "a safe start",
            f"bound {bounds.min():.2f} to {bounds.max():.1f}",
            all(run["kept"] for run in safe),
            "The bound is above 1 by its form. The gradient in it, which is not defined, is taken "
            "as that of the loss by the features.",
        ),
        Claim(
            "Where the bound is broken prototypes fail to track the features: ACC of a run is "
            "lower by more than 0.01",
            "stated",
            f"broken at {ratios[-1]:g} minus kept at {safe[-1]['ratio']:g}, run by run: "
            + ", ".join(f"{value:+.3f}" for value in broken - kept)
            + f"; at least {min(fewer)} clusters",
            bool((kept - broken > 0.01).all()),
            "A fast backbone moves features to prototypes that rest: both lower one function. "
            "Mean ACC by ratio: " + ", ".join(f"{r:g} {acc[r].mean():.3f}" for r in ratios) + ".",
        ),
    ]


def bounded(figures):
    """Return Theorem 4 and Remark 3."""
    e = figures["energy"]
    largest, start = (max(norms[i] for norms in e["norms"]) for i in (-1, 0))
    return [
        true(
            "Theorem 4: E(P, Q) never rises along the projected flow (no entropy term, lambda > "
            "2 eta k)",
            f"largest rise of a step {max(e['rise'], 0):.0e} of the fall",
            e["rise"] < EXACT,
        ),
        true(
            "Theorem 4: trajectories are bounded (same)",
            f"norm of P {start:.2f} at first, at most {max(map(max, e['norms'])):.2f}, "
            f"{largest:.2f} at last",
            max(map(max, e["norms"])) < 10 * start,
        ),
        Claim(
            "Theorem 4: trajectories converge to stationary points (same): steps shrink a "
            "thousandfold",
            "proved",
            f"{e['left']:.0e} of the first step is left",
            e["left"] < 1e-3,
        ),
        stated(
            "Theorem 4, assumption 4: lambda > 0 suffices",
            f"E falls below {LOST:.0e} in {lost(e['weak'])} runs",
            lost(e["weak"]) == 0,
            "With eta > 0 the energy has no lower bound unless lambda > 2 eta k.",
        ),
        stated(
            "Remark 3: lambda > 2 eta k (k - 1) / 2 suffices (k = 2)",
            f"E falls below {LOST:.0e} in {lost(e['loose'])} runs",
            lost(e["loose"]) == 0,
            "For k = 2 it is half of the exact 2 eta k; for k = 3 equal, above stricter.",
        ),
        stated(
            "Theorem 4, assumption 2: the energy is continuously differentiable with the entropy "
            "term",
            "slope "
            + ", ".join(f"{slope:.0f}" for slope in e["slopes"])
            + " where an assignment is 1e-3, 1e-30, 1e-300",
            max(e["slopes"]) < 50,
            "Its slope has no bound at the border of the simplex, where the flow arrives.",
        ),
        Claim(
            "Stop-gradient training with softmax assignments never raises its free energy",
            "",
            f"largest rise {max(e['free_rise'], 0):.0e} of the fall",
            e["free_rise"] < EXACT,
            "That is what stands for Theorem 4 where assignments are not free.",
            theorem=True,
            of="package",
        ),
    ]


def lost(paths):
    """Count runs whose energy has no floor."""
    return sum(bool(values[-1] < LOST) for values, _ in paths)


BLOCK = Block(
    name="theory",
    title="DDCL: the theorems",
    source="Deep Dual Competitive Learning, Section 5",
    sizes={
        "full": {
            "seeds": (0, 1, 2),
            "problems": 300,
            "n_samples": 60,
            "steps": 12_000,
            "grid": 15,
            "ratios": tuple(torch.logspace(-2, 2, 17).tolist()),
            "training": {
                "ratios": (0.1, 0.3, 1.0, 3.0, 30.0, 1000.0),
                "epochs": 30,
                "n_samples": 1797,
            },
        },
        "tiny": {
            "seeds": (0,),
            "problems": 10,
            "n_samples": 20,
            "steps": 100,
            "grid": 3,
            "ratios": (0.1, 10.0),
            "training": {"ratios": (0.3, 1000.0), "epochs": 2, "n_samples": 300},
        },
    },
    measure=measure,
    claims=claims,
    draw=draw,
)

if __name__ == "__main__":
    main(BLOCK)
