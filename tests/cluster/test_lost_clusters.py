import warnings

import pytest

from sklearn_ddcl import OnlineDeepClustering
from sklearn_ddcl.cluster._lost_clusters import warn_of_lost_clusters
from sklearn_ddcl.cluster._online_fit import COLLAPSE_CAUSES
from sklearn_ddcl.exceptions import CollapseWarning


def test_only_lost_clusters_are_worth_a_warning():
    model = OnlineDeepClustering(5)
    model.n_active_clusters_ = 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_lost_clusters(model, COLLAPSE_CAUSES)
    model.n_active_clusters_ = 3
    with pytest.warns(CollapseWarning, match=r"3 of n_clusters=5 .* Choose partition_support"):
        warn_of_lost_clusters(model, COLLAPSE_CAUSES)
