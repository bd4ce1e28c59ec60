"""The clusterer in a Pipeline."""

import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.utils import estimator_history, final_step


def test_the_final_step_is_that_of_a_pipeline():
    model = KMeans()
    assert final_step(model) is model
    assert final_step(make_pipeline(StandardScaler(), model)) is model


def test_records_are_those_of_the_final_step():
    model = DDCLClustering(2, backbone=None, random_state=0).fit([[0.0], [1.0], [2.0]])
    assert estimator_history(make_pipeline(StandardScaler(), model)) is model.history_
    with pytest.raises(ValueError, match="fitted and have history_, got KMeans"):
        estimator_history(make_pipeline(StandardScaler(), KMeans()))
