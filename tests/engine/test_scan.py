import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_ddcl.engine._data import Rows
from sklearn_ddcl.engine._scan import scan

X = np.random.default_rng(0).normal(size=(25, 3))
P = np.random.default_rng(1).normal(size=(4, 3))


@pytest.mark.parametrize(
    ("layout", "offset"),
    [(np.asarray, 0.0), (np.asarray, 1e9), (sp.csr_array, 0.0)],  # sparse rows are never shifted
)
def test_scores_with_norms_are_squared_distances(monkeypatch, layout, offset):
    monkeypatch.setattr(Rows, "block_rows", lambda self, n_prototypes: 7)
    parts, squares = [], []

    def write(part, block, scores, model):
        norms = block.square_norms(model.frame)[:, None]
        squares.append((scores + norms).numpy() * model.frame.unit**2)
        parts.append((part.start, part.stop))

    x, p = X + offset, P + offset
    scan(layout(x), p, "cpu", write)
    assert parts == [(0, 7), (7, 14), (14, 21), (21, 25)]
    expected = ((x[:, None] - p) ** 2).sum(2)
    np.testing.assert_allclose(np.concatenate(squares), expected, rtol=1e-6)


def test_the_unit_is_at_least_the_length_asked_for():
    units = []
    for least in (0.0, 1e6):
        scan(X, P, "cpu", lambda *found: units.append(found[3].frame.unit), least)
    assert units[0] <= 4.0
    assert units[1] == 2.0**20


def test_unknown_devices_are_refused():
    with pytest.raises(ValueError, match="'device' parameter"):
        scan(X, P, "abacus", lambda *found: None)
