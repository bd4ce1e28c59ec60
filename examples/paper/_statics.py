"""The DDCL paper's statements on fixed features, prototypes and assignments, counted."""

import itertools

import torch
from _descent import assignments

from sklearn_ddcl.nn import (
    assignment_covariance,
    concentration,
    decompose_loss,
    dual_prototypes,
    ols_gradient_assignments,
    ols_gradient_features,
    ols_gradient_prototypes,
    ols_loss,
    pairwise_separation,
    prototype_variance,
    quantization_gradient_assignments,
    quantization_gradient_features,
    quantization_gradient_prototypes,
    separation_force,
    soft_assignments,
    soft_quantization_loss,
    squared_distances,
    variance_gradient_prototypes,
)

TEMPERATURES = torch.logspace(-3, 4, 57).tolist()
# A sample between two near prototypes with a third just beyond one: V rises with T, then falls.
LINE = torch.tensor([[-1.0], [1.01], [1.1]], dtype=torch.float64)
ORIGIN = torch.zeros(1, 1, dtype=torch.float64)


def problem(seed, k=None, n=20):
    """Return random features, prototypes, assignments and a temperature."""
    generator = torch.Generator().manual_seed(seed)
    d = 1 + seed % 4
    k = 2 + seed % 5 if k is None else k
    z, p = (torch.randn(rows, d, generator=generator, dtype=torch.float64) for rows in (n, k))
    logits = torch.randn(n, k, generator=generator, dtype=torch.float64)
    temperature = 0.1 + 5 * float(torch.rand(1, generator=generator))
    return z, p, torch.softmax(2 * logits, dim=1), temperature


def check(seeds):
    """Return one figure for each statement, the worst of all problems."""
    found = [one(seed) for seed in seeds]
    return {key: max(figures[key] for figures in found) for key in found[0]} | {
        "falls_2": share(falls(prototype_variance, seed, 2) for seed in seeds),
        "falls_k": share(falls(prototype_variance, seed, 3 + seed % 4) for seed in seeds),
        "force_2": share(falls(force, seed, 2) for seed in seeds),
        "force_k": share(falls(force, seed, 3 + seed % 4) for seed in seeds),
        "softness": share(falls(softness, seed, None) for seed in seeds),
        "concentrates": share(concentrates(seed) for seed in seeds),
        "scaled": share(not scaling_concentrates(seed) for seed in seeds),
        **examples(),
    }


def share(flags):
    """Return the share of true flags."""
    flags = list(flags)
    return sum(flags) / len(flags)


def one(seed):
    """Return by statement how far one random problem is from it."""
    z, p, q, temperature = problem(seed)
    parts = decompose_loss(z, p, q)
    kernel = assignment_covariance(q[0]) @ q[0]
    return {
        "identity": float(abs(parts.quantization - parts.ols - parts.variance)),
        "negative": float(-parts.variance),
        "boltzmann": boltzmann_excess(z, p, q, temperature),
        "cold": float((assignments(z, p, 1e-9).amax(dim=1) - 1).abs().max()),
        "hot": float((assignments(z, p, 1e9) - 1 / len(p)).abs().max()),
        "gradients": gradient_gap(z, p, q),
        "detached": features_gap(z, p, q, dual=False),
        "dual": features_gap(z, p, q, dual=True),
        "kernel": float(kernel.abs().max()),
        "diameter": float(prototype_variance(p, q) / torch.pdist(p).max() ** 2),
    }


def boltzmann_excess(z, p, other, temperature):
    """Return by how much other assignments beat softmax ones in d q - T H(q)."""
    distances = squared_distances(z, p)

    def _value(q):
        return (distances * q).sum(dim=1) + temperature * torch.xlogy(q, q).sum(dim=1)

    best = _value(soft_assignments(distances, temperature))
    return float((best - _value(other)).max())


def gradient_gap(z, p, q):
    """Return the largest difference of closed forms (Eq. 26 to 32) and autograd."""
    z, p, q = (value.clone().requires_grad_() for value in (z, p, q))
    pairs = [
        (ols_loss(z, p, q), q, ols_gradient_assignments(z, p, q)),
        (ols_loss(z, p, q), p, ols_gradient_prototypes(z, p, q)),
        (ols_loss(z, p, q), z, ols_gradient_features(z, p, q)),
        (quantization(z, p, q), q, quantization_gradient_assignments(squared_distances(z, p))),
        (quantization(z, p, q), p, quantization_gradient_prototypes(z, p, q)),
        (quantization(z, p, q), z, quantization_gradient_features(z, p, q)),
        (prototype_variance(p, q), p, variance_gradient_prototypes(p, q)),
    ]
    gaps = (torch.autograd.grad(loss, by)[0] - closed.detach() for loss, by, closed in pairs)
    return max(float(gap.abs().max()) for gap in gaps)


def quantization(z, p, q):
    """Return Lq."""
    return soft_quantization_loss(squared_distances(z, p), q)


def features_gap(z, p, q, dual):
    """Return how far apart both losses' gradients by the features are, relative to them."""
    z = z.clone().requires_grad_()
    weight = torch.linalg.pinv(z.detach().T) @ p.T
    prototypes = dual_prototypes(z, weight) if dual else p
    losses = (quantization(z, prototypes, q), ols_loss(z, prototypes, q))
    first, second = (torch.autograd.grad(loss, z, retain_graph=True)[0] for loss in losses)
    return float((first - second).norm() / first.norm())


def falls(measure, seed, k):
    """Tell whether a figure of one sample falls anywhere as T rises."""
    z, p = problem(seed, k, n=1)[:2]
    curve = [float(measure(p, assignments(z, p, t))) for t in TEMPERATURES]
    return any(b < a - 1e-9 for a, b in itertools.pairwise(curve))


def force(p, q):
    """Return the norm of the gradient of V."""
    return torch.linalg.matrix_norm(variance_gradient_prototypes(p, q))


def softness(p, q):
    """Return the trace of the assignment covariance."""
    return separation_force(q).mean()


def concentrates(seed):
    """Tell whether, of two random sets of prototypes, the one with larger S has larger K."""
    z, p = problem(seed)[:2]
    other = z[: len(p)]
    s = [float(pairwise_separation(each)) for each in (p, other)]
    k = [float(concentration(assignments(z, each, 1.0)).mean()) for each in (p, other)]
    return (s[0] > s[1]) == (k[0] > k[1])


def scaling_concentrates(seed):
    """Tell whether prototypes that are scaled up about a sample never lower its K."""
    z, p = problem(seed, n=1)[:2]
    k = [float(concentration(assignments(z, z + s * (p - z), 1.0))) for s in (0.3, 1.0, 3.0)]
    return k[0] <= k[1] + 1e-12 and k[1] <= k[2] + 1e-12


def examples():
    """Return the counterexamples' figures."""
    triangle = torch.eye(3, dtype=torch.float64) / 2**0.5
    thirds = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    line = [float(prototype_variance(LINE, assignments(ORIGIN, LINE, t))) for t in (0.2, 100.0)]
    pair = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    forces = [
        float(force(e * pair, assignments(0.3 + ORIGIN, e * pair, 1.0))) for e in (1e-6, 0.5)
    ]
    middle = torch.full((1, 2), 0.5, dtype=torch.float64)
    step = -quantization_gradient_prototypes(0.3 + ORIGIN, 1e-3 * pair, middle)
    return {
        "eq_33": float(step[0] - step[1]) / 1e-3,
        "triangle": float(prototype_variance(triangle, thirds)),
        "line": line,
        "forces": forces,
        "wide": float(concentration(assignments(ORIGIN, 1e3 * pair, 1.0))),
    }
