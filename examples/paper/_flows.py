"""The DDCL paper's flows: assignments free (Theorem 4) or softmax (Theorem 3), and training."""

import warnings

import numpy as np
import torch
from _descent import assignments, gradient
from _statics import quantization
from sklearn.datasets import load_digits, make_moons
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.diagnostics import stability_bound
from sklearn_ddcl.exceptions import CollapseWarning, StabilityWarning
from sklearn_ddcl.metrics import clustering_accuracy_score
from sklearn_ddcl.nn import (
    balance_loss,
    coercivity_bound,
    critical_temperature,
    entropy_loss,
    ols_loss,
    paper_coercivity_bound,
    project_simplex,
    quadratic_loss,
    separation_loss,
    squared_distances,
)
from sklearn_ddcl.options import JointTraining, NeighborContrast

K, STEP = 4, 8e-3
LOST = -1e6  # an energy that has fallen below this has no floor, and its flow ends


def moons(n):
    """Return standardised moons."""
    X, _ = make_moons(n, noise=0.1, random_state=42)
    return torch.from_numpy(StandardScaler().fit_transform(X))


# Theorem 4 -----------------------------------------------------------------------------------


def energy(z, p, q, balance=0.0, entropy=0.0, separation=0.0, quadratic=0.0):
    """Return the energy of Eq. 41, a sum over samples."""
    value = len(z) * quantization(z, p, q) + balance * balance_loss(q)
    value = value + separation * separation_loss(p, "sum") + quadratic * quadratic_loss(p)
    return value + entropy * entropy_loss(q) if entropy else value


def projected_flow(z, seed, weights, steps, k=K, step=STEP):
    """Follow Eq. 42 and 43 in small steps from a random point; return energies and norms.

    The last figure is the share of the first step's length that is left of it at the end.
    """
    generator = torch.Generator().manual_seed(seed)
    p = torch.randn(k, z.shape[1], generator=generator, dtype=z.dtype)
    q = torch.softmax(torch.randn(len(z), k, generator=generator, dtype=z.dtype), dim=1)
    values, norms, moves = [], [], []
    slopes = torch.func.grad_and_value(lambda p, q: energy(z, p, q, **weights), argnums=(0, 1))
    for _ in range(steps):
        (by_p, by_q), value = slopes(p, q)
        values.append(float(value))
        norms.append(float(p.norm()))
        if values[-1] < LOST:
            break
        moved = project_simplex(q - step * by_q)
        moves.append(float(torch.hypot(step * by_p.norm(), (moved - q).norm())))
        p, q = p - step * by_p, moved
    return np.array(values), np.array(norms), moves[-1] / moves[0]


def lyapunov(seeds, n, steps):
    """Follow the flow with a coercive energy, and with what the paper asks for only.

    Theorem 4 asks for lambda > 0, Remark 3 for a lambda that for k = 2 is half of what it takes;
    the one that is tried lies between the two.
    """
    z = moons(n)
    quadratic = 1.1 * coercivity_bound(0.5, K, "sum")
    coercive = {"balance": 1.0, "separation": 0.5, "quadratic": quadratic}
    paths = [projected_flow(z, seed, coercive, steps) for seed in seeds]
    between = [bound(100.0, 2, "sum") for bound in (paper_coercivity_bound, coercivity_bound)]
    remark = {"separation": 100.0, "quadratic": sum(between) / 2}
    assumption = {"separation": 100.0, "quadratic": 1.0}
    slow = STEP / 4  # these energies are steeper
    free = free_energies(z, seeds, steps)
    return {
        "energies": [path[0] for path in paths],
        "norms": [path[1] for path in paths],
        "rise": max(rise(path[0]) for path in paths),
        "left": max(path[2] for path in paths),
        "loose": [projected_flow(z, seed, remark, steps, 2, slow)[:2] for seed in seeds],
        "weak": [projected_flow(z, seed, assumption, steps, K, slow)[:2] for seed in seeds],
        "free_rise": max(rise(values) for values in free),
        "slopes": [entropy_slope(share) for share in (1e-3, 1e-30, 1e-300)],
    }


def rise(values):
    """Return the largest rise from one step to the next, relative to the whole range."""
    return float(np.diff(values).max() / max(np.ptp(values), 1e-300))


def entropy_slope(share):
    """Return the slope of the entropy where an assignment is nearly 0."""
    q = torch.tensor([[1.0 - share, share]], dtype=torch.float64)
    return float(torch.func.grad(entropy_loss)(q)[0, 1])


def free_energies(z, seeds, steps):
    """Return what softmax assignments under stop-gradient descend instead, by step."""
    runs = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        p = torch.randn(K, z.shape[1], generator=generator, dtype=z.dtype)
        slope, values = gradient(z, "quantization", 0.5, True), []
        for _ in range(min(steps, 300)):
            values.append(float(-0.5 * torch.logsumexp(-squared_distances(z, p) / 0.5, 1).mean()))
            p = p - 0.2 * slope(p)
        runs.append(np.array(values))
    return runs


# Propositions 5 and 6, Theorem 3 -------------------------------------------------------------


def collapse_rates(n):
    """Return the fastest growth rates of a small distance between two prototypes at the mean.

    From the Jacobian of the flow at the collapsed point, by loss, gradient and T / T_c.
    """
    z = moons(n)
    z = z - z.mean(dim=0)
    collapsed = torch.zeros(2, 2, dtype=z.dtype)
    rates = {"rest": float(gradient(z, "quantization", 1.0, True)(collapsed).abs().max())}
    for loss in ("quantization", "ols"):
        for stop in (True, False):
            for share in (0.5, 0.9, 1.1, 1.9, 2.1, 4.0):
                field = gradient(z, loss, share * critical_temperature(z), stop)
                jacobian = -torch.func.jacrev(field)(collapsed).reshape(4, 4)
                rates[loss, stop, share] = float(torch.linalg.eigvals(jacobian).real.max())
    return rates


def linear_regions(points):
    """Count where the eigenvalues of Eq. 39's Jacobian disagree with Theorem 3.

    The Jacobian is taken numerically from the flow of (s, kappa); a, c > 0 and b on a grid.
    """
    wrong = loose = 0
    grid = torch.linspace(-4, 4, points, dtype=torch.float64)
    positive = torch.linspace(0.1, 3, points, dtype=torch.float64)
    for a, b, c in torch.cartesian_prod(positive, grid[grid.abs() > 1e-9], positive):

        def flow(x, a=a, b=b, c=c):
            return torch.stack([b * x[0] - a * x[1], c * x[0]])

        values = torch.linalg.eigvals(torch.func.jacrev(flow)(torch.zeros(2, dtype=a.dtype)))
        stable, spiral = bool((values.real < 0).all()), bool((values.imag.abs() > 1e-9).any())
        wrong += stable != bool(b < 0) or spiral != bool(b * b < 4 * a * c - 1e-9)
        loose += bool(0 < b < 2 * (a * c).sqrt()) and not stable
    return {"wrong": wrong, "loose": loose}


def training_spectra(n, ratios, epochs):
    """Return eigenvalues of a joint flow at its rest point, over ratios of learning rates.

    Features are a linear map of the samples, held near them by a penalty, as a warm-up's task
    holds them; the map learns at `ratio` times the rate of the two prototypes.
    """
    x, spectra = moons(n), {}
    start = torch.tensor([1.0, 0, 0, 1, -1, 0.5, 1, -0.5], dtype=x.dtype)
    for loss in ("quantization", "ols"):
        for temperature in (0.5, 1.0):
            field = joint_field(x, loss, temperature)
            rest = start
            for _ in range(epochs):
                rest = rest + 0.1 * field(rest)
            jacobian = torch.func.jacrev(field)(rest)
            for ratio in ratios:
                scale = torch.tensor([ratio] * 4 + [1.0] * 4, dtype=x.dtype)
                values = torch.linalg.eigvals(scale[:, None] * jacobian)
                spectra[loss, temperature, ratio] = values.numpy()
    return spectra


def joint_field(x, loss, temperature):
    """Return the velocity of map and prototypes under stop-gradient, at equal rates."""
    losses = {"quantization": quantization, "ols": ols_loss}

    def _parts(v):
        return x @ v[:4].reshape(2, 2).T, v[4:].reshape(2, 2)

    def _objective(v, fixed):
        q = assignments(*_parts(fixed), temperature)
        z, p = _parts(v)
        return (z - x).square().sum(dim=1).mean() + losses[loss](z, p, q)

    slope = torch.func.grad(_objective)
    return lambda v: -slope(v, v)


# Corollary 5 ---------------------------------------------------------------------------------


def rate_ratios(seeds, ratios, epochs, n_samples):
    """Train backbone and prototypes on digits at several ratios, by Lq alone.

    The backbone begins after a warm-up, whose task is not kept: nothing but the ratio could hold
    the two together.
    """
    X, y = load_digits(return_X_y=True)
    X, y = X[:n_samples] / 16, y[:n_samples]
    runs = []
    for seed in seeds:
        warm = NeighborContrast(n_steps=200 if n_samples > 1000 else 20)
        warm = warm.fit(X, n_clusters=10, device="cpu", seed=seed)
        for ratio in ratios:
            training = JointTraining(
                epochs=epochs,
                rate_ratio=ratio,
                pretext_weight=0.0,
                objective_weight=1.0,
                gradient_clip=None,
                patience=None,
                revive=False,
            )
            model = DDCLClustering(
                10,
                warm_up=warm,
                prototypes_per_cluster=1,
                training=training,
                device="cpu",
                random_state=seed,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CollapseWarning)
                warnings.simplefilter("ignore", StabilityWarning)
                model.fit(X)
            bound = stability_bound(model)
            runs.append(
                {
                    "ratio": ratio,
                    "seed": seed,
                    "bound": bound.bound,
                    "kept": bool(bound.holds.all()),
                    "acc": clustering_accuracy_score(y, model.labels_),
                    "clusters": model.n_active_clusters_,
                }
            )
    return runs
