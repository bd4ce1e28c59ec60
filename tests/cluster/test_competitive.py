import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs, make_circles, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import CompetitiveClustering
from sklearn_ddcl.exceptions import CollapseWarning
from sklearn_ddcl.metrics import ari_scorer, quantization_error, topographic_error
from sklearn_ddcl.model_selection import SingleSplit

MOONS = make_moons(500, noise=0.05, random_state=0)
CIRCLES = make_circles(500, noise=0.05, factor=0.5, random_state=0)


@pytest.fixture(scope="module")
def moons():
    return CompetitiveClustering(random_state=0).fit(MOONS[0])


@pytest.mark.parametrize("layer", ["dual", "vanilla", "deep_dual"])
@pytest.mark.parametrize("data", [MOONS, CIRCLES], ids=["moons", "circles"])
def test_components_are_the_shapes_on_most_seeds(layer, data):
    X = StandardScaler().fit_transform(data[0])
    found = [CompetitiveClustering(layer=layer, random_state=s).fit(X).labels_ for s in range(5)]
    assert sum(adjusted_rand_score(data[1], labels) == 1.0 for labels in found) >= 4


WIDE = np.random.default_rng(0).normal(size=(400, 600)) + 2 * np.repeat(
    np.random.default_rng(1).normal(size=(5, 600)), 80, axis=0
)


@pytest.mark.parametrize("layer", ["dual", "vanilla"])
@pytest.mark.parametrize(
    ("X", "k"),
    [
        (load_digits().data, 30),
        (make_blobs(4097, centers=5, cluster_std=0.3, random_state=3)[0], 30),
        (np.random.default_rng(0).normal(size=(3000, 8)), 100),
        (WIDE, 5),
        (np.r_[MOONS[0], [[100.0, 100.0]]], 30),
    ],
    ids=["digits", "blobs far apart", "one cloud, many prototypes", "wide", "outlier"],
)
def test_defaults_use_their_prototypes_about_as_well_as_k_means(layer, X, k):
    model = CompetitiveClustering(k, layer=layer, random_state=0).fit(X)
    assert model.n_active_clusters_ >= 0.75 * k
    kmeans = KMeans(k, n_init=1, random_state=0).fit(X)
    assert model.inertia_ < 1.2 * kmeans.inertia_


def test_blobs_far_apart_are_found():
    X, y = make_blobs(1000, centers=5, cluster_std=0.3, center_box=(-20, 20), random_state=3)
    assert adjusted_rand_score(y, CompetitiveClustering(random_state=0).fit_predict(X)) == 1.0


def test_k_means_cannot_do_that():
    assert adjusted_rand_score(MOONS[1], KMeans(2, n_init=5).fit_predict(MOONS[0])) < 0.6


def test_fitted_attributes_agree_with_each_other(moons):
    X = MOONS[0]
    m, k = moons.n_active_clusters_, moons.n_components_
    assert moons.prototypes_.shape == (m, 2)
    assert moons.cluster_centers_.shape == (k, 2)
    assert moons.adjacency_.shape == (m, m)
    assert moons.prototype_labels_.shape == moons.labels_.shape == (500,)
    assert moons.component_labels_.shape == (m,)
    dense = moons.adjacency_.toarray()
    np.testing.assert_array_equal(dense, dense.T)
    edges = set(map(tuple, moons.edges_.tolist()))
    assert edges == {(i, j) for i, j in np.argwhere(dense > 0).tolist() if i < j}
    count, components = connected_components(moons.adjacency_)
    assert count == k
    assert adjusted_rand_score(components, moons.component_labels_) == 1.0
    winners = moons.prototype_labels_
    np.testing.assert_array_equal(moons.labels_, moons.component_labels_[winners])
    assert moons.inertia_ / 500 == pytest.approx(quantization_error(X, moons.prototypes_))
    assert moons.temperature_ == pytest.approx(moons.inertia_ / 500)
    assert topographic_error(X, moons.prototypes_, moons.adjacency_) < 0.02


def test_new_samples_go_to_the_cluster_of_their_winner(moons):
    X, y = make_moons(300, noise=0.05, random_state=1)
    labels = moons.predict(X)
    assert adjusted_rand_score(y, labels) == 1.0
    np.testing.assert_array_equal(moons.predict(MOONS[0]), moons.labels_)
    gaps = np.linalg.norm(X[:, None] - moons.prototypes_, axis=2)
    nearest = [gaps[:, moons.component_labels_ == c].min(axis=1) for c in range(2)]
    np.testing.assert_allclose(moons.transform(X), np.stack(nearest, axis=1))
    proba = moons.predict_proba(X)
    assert proba.shape == (300, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_array_equal(moons.encode(X), X)
    assert moons.get_feature_names_out().tolist() == [
        "competitiveclustering0",
        "competitiveclustering1",
    ]
    assert moons.score(X) > 0


def test_weights_are_counted_on_edges_in_their_own_units():
    weight = np.full(500, 3.0)
    plain = CompetitiveClustering(random_state=0).fit(MOONS[0])
    heavy = CompetitiveClustering(random_state=0).fit(MOONS[0], sample_weight=weight)
    assert heavy.adjacency_.sum() == pytest.approx(3 * plain.adjacency_.sum())
    assert heavy.inertia_ == pytest.approx(3 * plain.inertia_, rel=1e-6)
    assert heavy.temperature_ == pytest.approx(plain.temperature_, rel=1e-6)


def test_dtypes_and_sparse_input():
    X = MOONS[0].astype(np.float32)
    single = CompetitiveClustering(random_state=0).fit(X)
    assert single.prototypes_.dtype == single.cluster_centers_.dtype == np.float32
    assert single.labels_.dtype == single.prototype_labels_.dtype == np.int32
    thin = CompetitiveClustering(random_state=0).fit(sparse.csr_matrix(MOONS[0]))
    dense = CompetitiveClustering(random_state=0).fit(MOONS[0])
    np.testing.assert_allclose(thin.prototypes_, dense.prototypes_)
    np.testing.assert_array_equal(thin.predict(sparse.csr_array(X)), dense.predict(X))


def test_in_pipelines_and_searches():
    model = make_pipeline(StandardScaler(), CompetitiveClustering(random_state=0, epochs=100))
    grid = {"competitiveclustering__layer": ["dual", "vanilla"]}
    search = GridSearchCV(model, grid, cv=SingleSplit(), scoring=ari_scorer)
    assert search.fit(*MOONS).best_score_ > 0.9


def test_a_pickle_predicts_the_same(moons):
    again = pickle.loads(pickle.dumps(moons))
    np.testing.assert_array_equal(again.predict(MOONS[0]), moons.labels_)
    with pytest.raises(NotFittedError):
        clone(moons).predict(MOONS[0])


def test_history_tells_what_the_paper_draws(moons):
    first, last = moons.history_[0], moons.history_[-1]
    assert last["loss_quantization"] < first["loss_quantization"]
    assert last["n_active"] >= moons.n_active_clusters_
    assert last["n_edges"] == len(moons.edges_)
    assert len(moons.history_) == moons.n_iter_ == 400


def test_one_blob_is_one_cluster_and_says_so():
    X = load_digits().data
    model = CompetitiveClustering(random_state=0, epochs=50).fit(X)
    assert model.n_components_ == 1
    with pytest.warns(CollapseWarning):
        assert model.score(X) == -1.0


def test_fewer_samples_than_prototypes_are_no_error():
    model = CompetitiveClustering(n_prototypes=50, random_state=0).fit(MOONS[0][:6])
    assert model.n_active_clusters_ <= 6
    assert CompetitiveClustering(1, random_state=0).fit(MOONS[0]).n_components_ == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_prototypes", 0),
        ("n_prototypes", 2.5),
        ("layer", "triple"),
        ("topology", "hard"),
        ("topology_weight", -0.1),
        ("init", "zeros"),
        ("min_edge_share", 1.5),
        ("epochs", 0),
        ("batch_size", "all"),
        ("learning_rate", 0.0),
        ("hidden", (10, 0)),
        ("hidden", ()),
        ("hidden", "10"),
        ("output", "edges"),
        ("device", "abacus"),
        ("device", 3),
    ],
)
def test_bad_parameters_are_named(name, value):
    with pytest.raises((ValueError, RuntimeError), match=name):
        CompetitiveClustering(**{name: value}).fit(MOONS[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_failed_fit_loses_nothing(bad):
    model = CompetitiveClustering(random_state=0, epochs=20).fit(MOONS[0])
    labels = model.labels_.copy()
    X = np.c_[MOONS[0], MOONS[0]]
    X[3, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.fit(X)
    assert model.n_features_in_ == 2
    np.testing.assert_array_equal(model.predict(MOONS[0]), labels)


@pytest.mark.parametrize("weight", [np.zeros(500), -np.ones(500), np.ones(3)])
def test_bad_weights_are_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        CompetitiveClustering().fit(MOONS[0], sample_weight=weight)


def test_verbose_writes_a_line_an_epoch(capsys):
    CompetitiveClustering(epochs=3, verbose=1, random_state=0).fit(MOONS[0])
    assert len(capsys.readouterr().out.splitlines()) == 3
