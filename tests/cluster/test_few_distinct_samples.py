"""Many rows, few of them different: as many clusters as there can be, and a warning."""

import numpy as np
import pytest

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.options import Autoencoding, NeighborContrast


@pytest.mark.parametrize("warm_up", [NeighborContrast(n_steps=20), Autoencoding(n_steps=20)])
@pytest.mark.parametrize("n_rows", [300, 450])
@pytest.mark.parametrize("distinct", [1, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_repeated_often_are_fitted(seed, distinct, n_rows, warm_up):
    points = 8 * np.random.default_rng(seed).normal(size=(distinct, 3))
    X = np.repeat(points, n_rows // distinct, axis=0)
    with pytest.warns(CollapseWarning, match=f"{distinct} of n_clusters=3"):
        model = DDCLClustering(3, warm_up=warm_up, random_state=seed).fit(X)
    assert model.n_active_clusters_ == distinct
    assert len({tuple(set(part)) for part in np.split(model.labels_, distinct)}) == distinct


@pytest.mark.parametrize("offset", [1.0, 1e6, -3e12])
def test_equal_rows_far_from_zero_are_equal(offset):
    X = np.full((450, 4), offset / 3)
    with pytest.warns(CollapseWarning, match="1 of n_clusters=2"):
        model = DDCLClustering(2, warm_up=NeighborContrast(n_steps=5), random_state=0).fit(X)
    assert set(model.labels_) == {0}
