import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score

from sklearn_ddcl.engine import NeighborContrast, prepare_backbone

LABELS = np.repeat([0, 1, 2], 40)
X = np.random.default_rng(0).normal(size=(120, 6)) + 4 * np.eye(6)[LABELS]


def degree(n_rows, n_clusters=None, **params):
    data = np.random.default_rng(1).normal(size=(n_rows, 2))
    warm_up = NeighborContrast(n_steps=1, **params).fit(data, n_clusters=n_clusters)
    return warm_up.task_.graph.shape[1]


@pytest.mark.parametrize(
    ("n_rows", "n_clusters", "expected"),
    [(100, None, 15), (100, 10, 3), (200, 5, 13), (500, 2, 15), (3, 1, 2), (20, 20, 3)],
)
def test_neighbours_are_a_third_of_a_cluster_within_bounds(n_rows, n_clusters, expected):
    assert degree(n_rows, n_clusters) == expected


def test_a_number_of_neighbours_is_taken_as_it_is():
    assert degree(60, 10, n_neighbors=7) == 7
    assert degree(6, 2, n_neighbors=7) == 5


def test_neighbours_are_mutual_unless_told_otherwise():
    graphs = {mutual: NeighborContrast(n_steps=1, mutual=mutual).fit(X).task_.graph
              for mutual in (True, False)}  # fmt: skip
    nearest = graphs[False].tolist()
    assert any(i not in nearest[j] for i, row in enumerate(nearest) for j in row)
    kept = [(i, j) for i, row in enumerate(graphs[True].tolist()) for j in row]
    assert all(i in nearest[j] or not any(i in row for row in nearest) for i, j in kept)


def test_training_parts_what_is_apart():
    warm_up = NeighborContrast(n_steps=200).fit(X)
    with torch.no_grad():
        z = warm_up.backbone_(torch.from_numpy(X)).numpy()
    assert silhouette_score(z, LABELS) > silhouette_score(X, LABELS) + 0.1


def test_nested_parameters_are_set_by_name():
    assert NeighborContrast().set_params(n_neighbors=4).n_neighbors == 4
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        NeighborContrast().set_params(nonsense=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n_neighbors", v) for v in (0, -1, 2.0, True)],
        *[("search", v) for v in ("fast", None)],
        ("mutual", 1),
    ],
)
def test_bad_options_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        NeighborContrast(**{name: value}).validate()


def test_components_are_asked_for():
    generator = torch.Generator()
    prepared = prepare_backbone("cnn", X[:, :4], None, generator, neighbors=False)
    with pytest.raises(ValueError, match="prepared must hold components"):
        NeighborContrast().make_task(prepared, 10, 3, generator)
