"""Losses: from a forward pass to a scalar."""

from sklearn_ddcl.nn.losses._adversarial import (
    adversarial_encoder_loss,
    discriminator_loss,
    jensen_shannon_estimate,
)
from sklearn_ddcl.nn.losses._coercivity import (
    check_coercivity,
    coercive_quadratic,
    coercivity_bound,
    paper_coercivity_bound,
)
from sklearn_ddcl.nn.losses._contrastive import neighbor_contrast_loss, nt_xent_loss
from sklearn_ddcl.nn.losses._cross_entropy import soft_cross_entropy
from sklearn_ddcl.nn.losses._feature_gradients import (
    ols_gradient_features,
    quantization_gradient_features,
)
from sklearn_ddcl.nn.losses._gradients import (
    ols_gradient_assignments,
    ols_gradient_prototypes,
    quantization_gradient_assignments,
    quantization_gradient_prototypes,
    variance_gradient_assignments,
    variance_gradient_prototypes,
)
from sklearn_ddcl.nn.losses._mixture import (
    gaussian_divergences,
    gaussian_mixture_loss,
    nearest_center_loss,
)
from sklearn_ddcl.nn.losses._objective import Objective
from sklearn_ddcl.nn.losses._quantization import (
    LossTerm,
    decompose_loss,
    ols_loss,
    ols_term,
    prototype_variance,
    quantization_term,
    soft_quantization_loss,
)
from sklearn_ddcl.nn.losses._reconstruction import reconstruction_loss
from sklearn_ddcl.nn.losses._regularization import (
    balance_loss,
    entropy_loss,
    quadratic_loss,
    separation_loss,
)
from sklearn_ddcl.nn.losses._topology import (
    edge_count_penalty,
    hard_quantization_loss,
    soft_edge_penalty,
)

__all__ = [
    "LossTerm",
    "Objective",
    "adversarial_encoder_loss",
    "balance_loss",
    "check_coercivity",
    "coercive_quadratic",
    "coercivity_bound",
    "decompose_loss",
    "discriminator_loss",
    "edge_count_penalty",
    "entropy_loss",
    "gaussian_divergences",
    "gaussian_mixture_loss",
    "hard_quantization_loss",
    "jensen_shannon_estimate",
    "nearest_center_loss",
    "neighbor_contrast_loss",
    "nt_xent_loss",
    "ols_gradient_assignments",
    "ols_gradient_features",
    "ols_gradient_prototypes",
    "ols_loss",
    "ols_term",
    "paper_coercivity_bound",
    "prototype_variance",
    "quadratic_loss",
    "quantization_gradient_assignments",
    "quantization_gradient_features",
    "quantization_gradient_prototypes",
    "quantization_term",
    "reconstruction_loss",
    "separation_loss",
    "soft_cross_entropy",
    "soft_edge_penalty",
    "soft_quantization_loss",
    "variance_gradient_assignments",
    "variance_gradient_prototypes",
]
