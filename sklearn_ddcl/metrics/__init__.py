"""Metrics of clusterings, of prototypes and of assignments, and ready scorers for searches."""

from sklearn_ddcl.metrics._accuracy import clustering_accuracy_score, hungarian_match
from sklearn_ddcl.metrics._agreement import adjusted_rand_score, normalized_mutual_info_score
from sklearn_ddcl.metrics._class_scorers import accuracy_scorer, ari_scorer, nmi_scorer
from sklearn_ddcl.metrics._cluster_sizes import cluster_size_variance
from sklearn_ddcl.metrics._entropy import assignment_entropy
from sklearn_ddcl.metrics._quantization import quantization_error
from sklearn_ddcl.metrics._silhouette import simplified_silhouette_score
from sklearn_ddcl.metrics._stability import StabilityScorer, stability_scorer
from sklearn_ddcl.metrics._topology import topographic_error
from sklearn_ddcl.metrics._validity_scorers import (
    calinski_harabasz_scorer,
    davies_bouldin_scorer,
    silhouette_scorer,
)

__all__ = [
    "StabilityScorer",
    "accuracy_scorer",
    "adjusted_rand_score",
    "ari_scorer",
    "assignment_entropy",
    "calinski_harabasz_scorer",
    "cluster_size_variance",
    "clustering_accuracy_score",
    "davies_bouldin_scorer",
    "hungarian_match",
    "nmi_scorer",
    "normalized_mutual_info_score",
    "quantization_error",
    "silhouette_scorer",
    "simplified_silhouette_score",
    "stability_scorer",
    "topographic_error",
]
